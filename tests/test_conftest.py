"""In CI a skipped test is a failure, elsewhere it is skipped."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = """
import pytest

@pytest.mark.skip(reason="no such tool here")
def test_that_is_skipped(): ...

@pytest.mark.xfail(reason="known")
def test_that_is_expected_to_fail(): assert False
"""


def _outcomes(folder: Path, text: str, *, is_ci: bool) -> str:
    (folder / "conftest.py").write_text((Path(__file__).parent / "conftest.py").read_text())
    (folder / "test_something.py").write_text(text)
    environment = {name: value for name, value in os.environ.items() if name not in ("CI", "TALLYSTICK_CI")}
    environment |= {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"} | ({"CI": "1"} if is_ci else {})
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "-c",
        os.devnull,
        "--rootdir",
        str(folder),
        str(folder),
    ]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False).stdout


def test_a_skipped_test_is_a_failure_in_ci_and_an_expected_failure_is_not(tmp_path: Path) -> None:
    output = _outcomes(tmp_path, TESTS, is_ci=True)
    assert "1 xfailed, 1 error" in output
    assert "skipped in CI, where nothing may be: Skipped: no such tool here" in output


def test_a_skipped_test_is_skipped_elsewhere(tmp_path: Path) -> None:
    assert "1 skipped, 1 xfailed" in _outcomes(tmp_path, TESTS, is_ci=False)


@pytest.mark.parametrize(("is_ci", "said"), [(True, "1 error"), (False, "1 skipped")])
def test_a_file_skipped_as_a_whole_counts_as_a_skip(tmp_path: Path, *, is_ci: bool, said: str) -> None:
    assert said in _outcomes(tmp_path, "import pytest\npytest.importorskip('no_such_module')\n", is_ci=is_ci)
