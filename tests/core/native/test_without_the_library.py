"""Everything works without the compiled library, and on what was written with it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tallystick.native.library import VARIABLE

ROOT = Path(__file__).resolve().parents[3]
# One process each, so that they run side by side, and so few that they take no longer than others do.
SUITES = (
    ("tests/core/decode/test_decode_bodies.py", "tests/core/decode/test_decode_rules.py"),
    ("tests/core/decode/test_decode_formats.py", "tests/core/log"),
    ("tests/core/decode/test_fast_path_agrees_with_the_rules.py",),
    ("tests/core/segments/test_segment_frames.py", "tests/core/segments/test_live_tail.py"),
    ("tests/core/engine/test_admission.py", "tests/core/engine/test_engine.py"),
    ("tests/core/engine/test_engine_agrees_with_a_plain_model.py",),
)


def python(*arguments: str, compiled: bool) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", VARIABLE))}
    if not compiled:
        environment[VARIABLE] = "0"
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.slow
@pytest.mark.parametrize("suites", SUITES, ids=lambda suites: Path(suites[0]).stem)
def test_the_suites_of_what_it_does_pass_without_it(suites: tuple[str, ...]) -> None:
    options = ("-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-o", "addopts=--import-mode=importlib")
    found = python("-m", "pytest", *options, *suites, compiled=False)
    assert found.returncode == 0, found.stdout[-4_000:]
    assert "skipped" not in found.stdout


@pytest.mark.parametrize("first", [True, False])
def test_a_directory_does_not_know_whether_it_was_written_with_it(tmp_path: Path, *, first: bool) -> None:
    answers = [
        python("-m", "tests.core.native.send_and_verify", str(tmp_path / "data"), compiled=compiled)
        for compiled in (first, not first, first)
    ]
    assert [answer.stdout.split() for answer in answers] == [
        ["compiled" if compiled else "plain", accepted, duplicates, "0"]
        for compiled, accepted, duplicates in ((first, "1200", "0"), (not first, "0", "1200"), (first, "0", "1200"))
    ], [answer.stderr[-2_000:] for answer in answers]
