"""A backup: a folder with the blocks of a log from its first to some later one, in files that are only ever added to.

    00000001.blocks …   frames of blocks (see `block_frames`), a new file once one has 256 MiB
    HEAD                JSON: up to which block, and up to which byte of the last file, everything is on disk
    lock                held with flock(2) by whoever adds

Promises: what `HEAD` names is on disk and is one chain from the first block; blocks that do not continue it are refused, and what a crash
left behind it is dropped when the next one adds. Directories are 0700 and files 0600.
Does not: hold anything that follows from the log (tables, columns, index), nor the key that channels' secrets are sealed with.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Self

import msgspec

from tallystick.durable_files import sync_directory, write_all, write_durably
from tallystick.errors import BrokenChain, DamagedBackup, DamagedStore, OtherLog, StoreRefused
from tallystick.event import Position
from tallystick.failpoints import hit
from tallystick.log.block import Block, open_block
from tallystick.log_head import EMPTY_HEAD, LogHead

from .block_frames import LENGTH_BYTES, framed, length_of

FORMAT: Final = 1
FILE_BYTES_MAX: Final = 256 * 1024 * 1024
_HEAD: Final = "HEAD"
_ENDING: Final = ".blocks"
# Longer than any block the log holds; a length that says more is damage, and must not fill the memory.
_BLOCK_BYTES_MAX: Final = 256 * 1024 * 1024


class BackupHead(msgspec.Struct, frozen=True, kw_only=True):
    """What `HEAD` says. `files` counts them, `last_file_bytes` is how much of the last one is meant; `kept_at` is milliseconds."""

    format: int
    position: int
    block: int
    hash: str
    files: int
    last_file_bytes: int
    bytes: int
    kept_at: int


class BackupFolder:
    """An opened backup. Made by `opened` to read, by `adding` to add to."""

    def __init__(self, path: Path, head: BackupHead | None, *, file_bytes_max: int = FILE_BYTES_MAX) -> None:
        self.path, self._file_bytes_max = path, file_bytes_max
        self.kept = head
        self.head = EMPTY_HEAD if head is None else _log_head(head)
        self._files = 0 if head is None else head.files
        self._at = 0 if head is None else head.last_file_bytes
        self._bytes = 0 if head is None else head.bytes
        self._descriptor = -1

    @classmethod
    def opened(cls, path: Path) -> Self:
        """Return a backup to be read. Raises `StoreRefused` if it is none, `DamagedBackup`."""
        head = _read_head(path)
        if head is None:
            raise StoreRefused(f"{path} is no backup: it has no file {_HEAD}")
        return cls(path, head)

    @classmethod
    @contextmanager
    def adding(cls, path: Path, *, file_bytes_max: int = FILE_BYTES_MAX) -> Generator[Self]:
        """Make the folder if it is missing, and hold it alone. Raises `StoreRefused` if it is something else or in use, `DamagedBackup`."""
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            head = _read_head(path)
            if head is None and (strangers := {entry.name for entry in path.iterdir() if not _is_ours(entry.name)}):
                raise StoreRefused(f"{path} holds other things ({min(strangers)}): choose an empty or a new folder")
            lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreRefused(f"{path} cannot hold a backup: {error.strerror}") from error
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise StoreRefused(f"{path} is being written by another process: wait for it") from None
            # Read again: whoever held it meanwhile may have added.
            folder = cls(path, _read_head(path), file_bytes_max=file_bytes_max)
            try:
                folder._begin()
                yield folder
            finally:
                folder._close_file()
        finally:
            os.close(lock)

    def add(self, blocks: Sequence[bytes]) -> None:
        """Write blocks behind the last one; on disk with the next `keep`. Raises `OtherLog`, `BrokenChain`, `OSError`."""
        head = self.head
        for stored in blocks:
            try:
                block = open_block(stored, position=head.position + 1)
            except BrokenChain:
                raise
            except DamagedStore as stranger:
                # It hashes to what it says, and says another place.
                raise OtherLog(str(self.path), block=head.block) from stranger
            if not block.follows(head):
                raise OtherLog(str(self.path), block=head.block)
            head = block.head
        content = framed(blocks)
        if self._descriptor < 0 or self._at >= self._file_bytes_max:
            self._next_file()
        write_all(self._descriptor, content, at=self._at)
        self._at += len(content)
        self._bytes += len(content)
        self.head = head

    @property
    def unkept_bytes(self) -> int:
        """How much was added since the last `keep`."""
        return self._bytes - (0 if self.kept is None else self.kept.bytes)

    def keep(self, *, at_ms: int) -> BackupHead:
        """Put on disk what was added, and then say so in `HEAD`, which is returned. Raises `OSError`."""
        if self._descriptor >= 0:
            os.fsync(self._descriptor)
            sync_directory(self.path)
        hit("backup.synced")
        self.kept = BackupHead(
            format=FORMAT, position=self.head.position, block=self.head.block, hash=self.head.hash.hex(),
            files=self._files, last_file_bytes=self._at, bytes=self._bytes, kept_at=at_ms,
        )  # fmt: skip
        write_durably(self.path / _HEAD, msgspec.json.encode(self.kept) + b"\n")
        hit("backup.kept")
        return self.kept

    def blocks(self) -> Iterator[tuple[Block, bytes]]:
        """Yield all blocks up to the head, each with the bytes that the log stores. Raises `DamagedBackup` where one is not what it was."""
        head = EMPTY_HEAD
        for number in range(1, self._files + 1):
            for stored in self._frames(number):
                try:
                    block = open_block(stored, position=head.position + 1)
                except DamagedStore as damage:
                    raise DamagedBackup(str(self.path), file=_name(number), position=head.position + 1) from damage
                if not block.follows(head):
                    raise DamagedBackup(str(self.path), file=_name(number), position=head.position + 1)
                head = block.head
                yield block, stored
        if head != self.head:
            raise DamagedBackup(str(self.path), file=_name(self._files), position=head.position + 1)

    def _frames(self, number: int) -> Iterator[bytes]:
        end = self._at if number == self._files else None
        try:
            with (self.path / _name(number)).open("rb") as file:
                while end is None or file.tell() < end:
                    length = file.read(LENGTH_BYTES)
                    if not length and end is None:
                        return
                    size = length_of(length) if len(length) == LENGTH_BYTES else _BLOCK_BYTES_MAX + 1
                    stored = file.read(size) if size <= _BLOCK_BYTES_MAX else b""
                    if len(stored) != size:
                        raise DamagedBackup(str(self.path), file=_name(number), position=0)
                    yield stored
        except OSError as error:
            raise DamagedBackup(str(self.path), file=f"{_name(number)} ({error.strerror})", position=0) from error

    def _begin(self) -> None:
        """Drop what was written behind what `HEAD` says, and go on in the last file."""
        for entry in self.path.iterdir():
            if entry.name.endswith(_ENDING) and entry.name > _name(self._files):
                entry.unlink()
        if self._files:
            last = self.path / _name(self._files)
            try:
                self._descriptor = os.open(last, os.O_WRONLY | os.O_CLOEXEC)
            except FileNotFoundError:
                raise DamagedBackup(str(self.path), file=f"{last.name} (missing)", position=0) from None
            if os.fstat(self._descriptor).st_size < self._at:
                raise DamagedBackup(str(self.path), file=f"{last.name} (cut)", position=0)
            os.ftruncate(self._descriptor, self._at)

    def _next_file(self) -> None:
        if self._descriptor >= 0:
            os.fsync(self._descriptor)
        self._close_file()
        self._files, self._at = self._files + 1, 0
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
        self._descriptor = os.open(self.path / _name(self._files), flags, 0o600)
        hit("backup.file_begun")

    def _close_file(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _read_head(path: Path) -> BackupHead | None:
    try:
        head = msgspec.json.decode((path / _HEAD).read_bytes(), type=BackupHead)
        is_hash = len(bytes.fromhex(head.hash)) == len(EMPTY_HEAD.hash)
    except FileNotFoundError:
        return None
    except NotADirectoryError:
        raise StoreRefused(f"{path} is a file: name a folder") from None
    except (msgspec.MsgspecError, ValueError):
        raise DamagedBackup(str(path), file=_HEAD, position=0) from None
    if head.format > FORMAT:
        raise StoreRefused(f"{path} has format {head.format}, and this program knows formats up to {FORMAT}")
    if not is_hash:
        raise DamagedBackup(str(path), file=_HEAD, position=0)
    return head


def _log_head(head: BackupHead) -> LogHead:
    return LogHead(position=Position(head.position), block=head.block, hash=bytes.fromhex(head.hash))


def _is_ours(name: str) -> bool:
    return name == "lock" or name.endswith(_ENDING) or name == f"{_HEAD}.tmp"


def _name(number: int) -> str:
    return f"{number:08}{_ENDING}"
