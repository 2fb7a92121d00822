"""A file that is there whole or not at all: written beside its place, and moved there at the end."""

from __future__ import annotations

import os
import stat
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from .failure import Failure


@contextmanager
def whole_file(named: Path) -> Generator[Path]:
    """Yield the path to write to. A link is followed, and a file that is replaced keeps its mode.

    Raises `Failure` for what is no file: a device or a pipe would be replaced rather than written to.
    """
    path = named.resolve()
    mode: int | None = None
    if path.exists():
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            raise Failure(f"{named} is no file: name a file, or `-` where the command takes it")
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        try:
            partial.touch()
        except OSError as error:
            raise Failure(f"{named} cannot be written: {error.strerror}") from error
        if mode is not None:
            partial.chmod(stat.S_IMODE(mode))
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
