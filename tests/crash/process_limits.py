"""Limits of another process, changed while it runs; and a disk that is small until a test makes it larger."""

from __future__ import annotations

import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from tests.appliance import COMMAND, Appliance

SMALL_BYTES = 24 << 20
LARGE_BYTES = 96 << 20

# Lowers a limit of its own before it becomes the appliance, so that not even the start is without it.
_LIMITED = (
    "import os, resource, sys; hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1];"
    "resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), hard)); os.execv(sys.argv[2], sys.argv[2:])"
)


def set_soft_limit(appliance: Appliance, which: int, soft: int) -> None:
    """Change a soft limit of the running appliance."""
    hard = resource.prlimit(appliance.process.pid, which)[1]
    resource.prlimit(appliance.process.pid, which, (soft, hard))


def open_files(appliance: Appliance) -> int:
    """Return one more than the highest descriptor that the appliance has open."""
    names = Path(f"/proc/{appliance.process.pid}/fd").iterdir()
    return max(int(path.name) for path in names) + 1


Grow = Callable[[], None]


@contextmanager
def limited_file_size(folder: Path, settings: dict[str, object]) -> Generator[tuple[Appliance, Grow]]:
    """Start an appliance that may write no file beyond a size."""
    size = 2 << 20
    command = [sys.executable, "-c", _LIMITED, str(size), *COMMAND]
    with Appliance(folder, settings=settings, command=command) as appliance:
        yield appliance, lambda: set_soft_limit(appliance, resource.RLIMIT_FSIZE, LARGE_BYTES)


@contextmanager
def small_file_system(folder: Path, settings: dict[str, object]) -> Generator[tuple[Appliance, Grow]]:
    """Start an appliance on a file system of its own, of a few megabytes."""
    folder.mkdir()
    _mount(folder, f"size={SMALL_BYTES}")
    try:
        with Appliance(folder, settings=settings) as appliance:
            yield appliance, lambda: _mount(folder, f"remount,size={LARGE_BYTES}")
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@cache
def may_mount() -> bool:
    """Whether this process may mount a file system in memory."""
    folder = Path(tempfile.mkdtemp(prefix="tallystick-mount-"))
    try:
        _mount(folder, "size=1m")
        subprocess.run(["umount", str(folder)], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return False
    finally:
        shutil.rmtree(folder)
    return True


def _mount(folder: Path, options: str) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=True, capture_output=True)
