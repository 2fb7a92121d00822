"""Starts modules of the tests as processes of their own, with the project on their path and none of the operator's settings."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent.parent


def environment(**extra: str) -> dict[str, str]:
    """Return the variables of a child."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("TALLYSTICK_", "FAULT_SHIM_"))}
    paths = [str(ROOT), *(str(ROOT / part) for part in ("core", "server", "tui"))]
    return own | {"PYTHONPATH": os.pathsep.join(paths), "POLARS_MAX_THREADS": "1"} | extra


def run_module(
    module: str, *arguments: object, variables: Mapping[str, str] | None = None, timeout_s: float = 60
) -> subprocess.CompletedProcess[str]:
    """Run a module to its end; a negative return code is the signal that ended it."""
    return _run(["-m", module, *map(str, arguments)], variables, timeout_s)


def run_file(
    file: Path, *arguments: object, variables: Mapping[str, str] | None = None, timeout_s: float = 60
) -> subprocess.CompletedProcess[str]:
    """Run a file as `run_module` does a module."""
    return _run([str(file), *map(str, arguments)], variables, timeout_s)


def _run(
    arguments: list[str], variables: Mapping[str, str] | None, timeout_s: float
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        env=environment(**(variables or {})),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
