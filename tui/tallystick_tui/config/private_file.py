"""A small file that its owner alone may read, replaced as a whole or not at all.

Promises: written with mode 0600 in a folder made with mode 0700, on disk before it takes the place of the one before, so that a crash
leaves the old or the new one; two processes that change it take turns. A file that others may read is closed to them when it is read, and
that is said; one that belongs to somebody else, or is a link, is refused. What cannot be understood is set aside under another name,
never written over.
Does not: encrypt. Whoever can read the user's files as the user, or as root, can read this one.
"""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Callable, Generator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Final

from .failure import ConfigFailure

_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_SET_ASIDE_MAX: Final = 20

Say = Callable[[str], None]


class PrivateFile:
    """One file; `say` takes a line for its user about what was found and mended."""

    def __init__(self, path: Path, *, say: Say, bytes_max: int) -> None:
        self.path = path
        self._say, self._bytes_max = say, bytes_max

    def read(self) -> bytes | None:
        """Return the content, None where there is no file. Raises `ConfigFailure` for one that cannot be trusted or read."""
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
        except FileNotFoundError:
            return None
        except OSError as error:
            link = "; it is a link, and must be a file" if self.path.is_symlink() else ""
            raise ConfigFailure(f"{self.path}: {error.strerror}{link}") from error
        try:
            self._close_to_others(descriptor)
            with open(descriptor, "rb", closefd=False) as file:
                return file.read(self._bytes_max + 1)
        finally:
            os.close(descriptor)

    def write(self, body: bytes) -> None:
        """Replace the content. Raises `ConfigFailure`; the file is then as it was."""
        if len(body) > self._bytes_max:
            raise ConfigFailure(
                f"{self.path}: {len(body):,} bytes are more than the {self._bytes_max:,} that it may have"
            )
        temporary = self.path.with_name(f".{self.path.name}.{os.getpid()}.tmp")
        try:
            temporary.unlink(missing_ok=True)
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor, made with its mode
                file.write(body)
                file.flush()
                os.fsync(descriptor)
            temporary.replace(self.path)
            _sync_folder(self.path.parent)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise ConfigFailure(f"{self.path}: {error.strerror}") from error

    def set_aside(self, why: str) -> None:
        """Rename a file that cannot be understood, and say so."""
        names = (self.path.with_name(f"{self.path.name}.damaged-{number}") for number in count(1))
        for _, name in zip(range(_SET_ASIDE_MAX), names, strict=False):
            if not name.exists():
                break
        else:
            raise ConfigFailure(
                f"{self.path}: {why}, and {_SET_ASIDE_MAX} such files lie beside it already; remove them"
            )
        try:
            self.path.rename(name)
        except OSError as error:
            raise ConfigFailure(f"{self.path}: {why}, and it cannot be set aside: {error.strerror}") from error
        self._say(f"{self.path}: {why}; it is set aside as {name.name}, and a new one begins")

    @contextmanager
    def turn(self) -> Generator[None]:
        """Hold off other processes while the file is read, changed and written."""
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(self.path.with_name(f".{self.path.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise ConfigFailure(f"{self.path.parent}: {error.strerror}") from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _close_to_others(self, descriptor: int) -> None:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise ConfigFailure(f"{self.path}: is no file")
        if found.st_uid != os.geteuid():
            raise ConfigFailure(
                f"{self.path}: belongs to another user (id {found.st_uid}), who could change it; remove it"
            )
        if found.st_mode & _OTHERS:
            os.fchmod(descriptor, 0o600)
            self._say(
                f"{self.path}: others could read it (mode {stat.S_IMODE(found.st_mode):04o}); its mode is 0600 now. "
                "If it holds keys that somebody may have seen, replace them"
            )


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
