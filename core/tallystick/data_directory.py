"""The data directory: one folder that holds everything, opened by one process at a time.

    FORMAT      the version of the layout, written once there is a log; a newer one than we know is refused
    lock        held with flock(2) for as long as the process lives, so that a crash leaves nothing to clean up
    log/        LMDB: the log and the small tables that follow it in the same transaction
    segments/   columns for questions, rebuilt from the log
    dedupe/     runs of the dedupe index, rebuilt from the log
    partials/   states of segments, a cache: may be deleted at any time
    RESTORING   there while a backup is restored into it, and after a restore that did not come to its end

Promises: directories are 0700 and files 0600, whatever the umask.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from .durable_files import sync_directory, write_durably
from .errors import DirectoryInUse, NewerFormat, StoreRefused

FORMAT: Final = 1

# What a crash in the very first moments may leave before the stamp is written.
_OURS: Final = {"lock", "log", "segments", "dedupe", "partials", "FORMAT.tmp"}
# A directory without a stamp that holds this has a part of a log, which must not pass for a whole one.
RESTORING: Final = "RESTORING"


class DataDirectory:
    """An opened data directory; `close` lets the next process have it."""

    def __init__(self, path: Path, *, is_restored: bool = False) -> None:
        """Make the directory if it is missing, take its lock and check its stamp, which a new one gets from `stamp`.

        `is_restored`: by whoever restores a backup into it, and has put `RESTORING` there.

        Raises `DirectoryInUse`, `NewerFormat`, or `StoreRefused` for a folder that is not ours or cannot be used.
        """
        self.path = path
        self.log_path = path / "log"
        self.segments_path = path / "segments"
        self.dedupe_path = path / "dedupe"
        self.partials_path = path / "partials"
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            has_stamp = (path / "FORMAT").exists()
            if not has_stamp and not is_restored and (path / RESTORING).exists():
                raise StoreRefused(
                    f"a restore into {path} did not come to its end: remove the directory, and restore the backup again"
                )
            ours = _OURS | {RESTORING} if is_restored else _OURS
            if not has_stamp and (strangers := {entry.name for entry in path.iterdir()} - ours):
                raise StoreRefused(
                    f"{path} is no data directory and holds other things ({min(strangers)}): choose another --data"
                )
            for folder in (self.log_path, self.segments_path, self.dedupe_path, self.partials_path):
                folder.mkdir(mode=0o700, exist_ok=True)
            self._lock = self._locked()
        except OSError as error:
            raise StoreRefused(f"{path} cannot be used as a data directory: {error.strerror}") from error
        try:
            # Whether the directory was never stamped: then there may be no log yet, and nothing in it was acknowledged.
            self.is_fresh = not self._has_stamp()
        except BaseException:
            self.close()
            raise

    def stamp(self) -> None:
        """Say that the directory is whole, once its log was made. Nothing may be acknowledged before."""
        if not self.is_fresh:
            return
        _sync_names_of(self.path)
        try:
            write_durably(self.path / "FORMAT", f"{FORMAT}\n".encode())
        except OSError as error:
            raise StoreRefused(f"{self.path} cannot be used as a data directory: {error.strerror}") from error
        self.is_fresh = False

    def close(self) -> None:
        """Let go of the lock; idempotent."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def free_bytes(self) -> int:
        """How much an unprivileged process may still write on this disk."""
        facts = os.statvfs(self.path)
        return facts.f_bavail * facts.f_frsize

    def _locked(self) -> int:
        handle = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.pread(handle, 64, 0).decode("ascii", "replace").strip()
            os.close(handle)
            raise DirectoryInUse(str(self.path), holder=f"process {holder}" if holder else "unknown") from None
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        return handle

    def _has_stamp(self) -> bool:
        stamp = self.path / "FORMAT"
        try:
            text = stamp.read_bytes().decode("ascii", "replace").strip()
        except FileNotFoundError:
            return False
        if not (text.isascii() and text.isdecimal()):
            raise StoreRefused(f"{stamp} holds {text[:20]!r}, which is no format version: restore it from a backup")
        if int(text) > FORMAT:
            raise NewerFormat(str(self.path), found=int(text), known=FORMAT)
        return True


def _sync_names_of(path: Path) -> None:
    """Make the directory's own name durable, and those of the folders that were made for it: or all in it may go with a power cut."""
    for parent in path.resolve().parents:
        # A folder that may not be read, or cannot be synced, was there before.
        with suppress(OSError):
            sync_directory(parent)
