"""Writing an answer to a CSV file as it comes, in threads, whole or not at all.

Promises: the file appears under its name once all of it is on disk; an unfinished one is removed. Never more than a piece is held in
memory.
Does not: replace a file unless told so.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from pathlib import Path
from typing import BinaryIO

from tallystick_tui.connection.failure import ApplianceFailure


class CannotWrite(ApplianceFailure):
    """The file cannot be written; `str()` says why."""


def default_file(meter: str, start: str, end: str) -> str:
    """Return a name for a file: what it is of, and from when to when."""
    safe = "".join(character if character.isalnum() or character in "._-" else "-" for character in meter)
    return f"{safe}-{start}-to-{end}.csv"


async def write_csv(pieces: AsyncGenerator[bytes], file: Path, tell: Callable[[int], None]) -> int:
    """Write the pieces and return how many bytes they were; `tell` hears how far it is. Raises `CannotWrite`."""
    written = 0
    try:
        unfinished, path = await asyncio.to_thread(_open, file)
    except OSError as error:
        raise _refused(file, error) from error
    try:
        async with aclosing(pieces):
            async for piece in pieces:
                await asyncio.to_thread(unfinished.write, piece)
                written += len(piece)
                tell(written)
        await asyncio.to_thread(_finish, unfinished, path, file)
    except OSError as error:
        raise _refused(file, error) from error
    finally:
        unfinished.close()
        path.unlink(missing_ok=True)
    return written


def _open(file: Path) -> tuple[BinaryIO, Path]:
    handle, path = tempfile.mkstemp(prefix=f".{file.name[:100]}.", suffix=".part", dir=file.parent)
    return os.fdopen(handle, "wb"), Path(path)


def _finish(unfinished: BinaryIO, path: Path, file: Path) -> None:
    unfinished.flush()
    os.fsync(unfinished.fileno())
    unfinished.close()
    # As any new file: readable by whom the user's mask lets.
    mask = os.umask(0)
    os.umask(mask)
    path.chmod(0o666 & ~mask)
    path.replace(file)


def _refused(file: Path, error: OSError) -> CannotWrite:
    return CannotWrite(f"cannot write {file}: {error.strerror or error}")
