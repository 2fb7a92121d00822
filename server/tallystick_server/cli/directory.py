"""Where offline commands find the data directory."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

from cyclopts import Parameter

from .failure import Failure

DEFAULT_DATA: Final = Path("./tallystick-data")

DataDirectory = Annotated[Path, Parameter(name="--data", env_var="TALLYSTICK_DATA", help="The data directory.")]


def existing(directory: Path) -> Path:
    """Return the directory, or raise `Failure`: an offline command never makes one."""
    if not directory.is_dir():
        raise Failure(f"{directory}: there is no such directory; name the data directory with --data")
    return directory
