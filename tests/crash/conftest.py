"""What the crash tests share: the compiled shim, and a folder whose syncs cost nothing."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.fault_shim import FaultShim

_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it


@pytest.fixture(scope="session")
def shim(tmp_path_factory: pytest.TempPathFactory) -> FaultShim:
    """Return the fault shim, compiled once for a session."""
    try:
        return FaultShim.compiled(tmp_path_factory.mktemp("shim"))
    except FileNotFoundError:
        pytest.skip("the fault shim needs a C compiler")


@pytest.fixture
def memory_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return a folder in memory where there is one, for directories that are judged by the hundred; temporary files go there as well."""
    if not os.access(_MEMORY, os.W_OK):
        yield tmp_path
        return
    folder = Path(tempfile.mkdtemp(prefix="tallystick-test-", dir=_MEMORY))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def soak_rounds(default: int) -> int:
    """How long `make soak` goes on: TALLYSTICK_SOAK_ROUNDS, or what the test thinks is long."""
    return int(os.environ.get("TALLYSTICK_SOAK_ROUNDS", default))
