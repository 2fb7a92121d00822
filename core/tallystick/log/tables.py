"""The LMDB environment: the log's blocks, and the small tables that follow the log in the same transaction.

Promises: a write transaction is on disk when its `with` ends, or left nothing; whatever LMDB or the system raises then comes out as
`StoreFull` or `StoreFailed`. Reads see one committed state, and never outlive a `reopen`.
A row of every table but the blocks, which have hashes of their own, carries a checksum of key and value: a bit that turned on the disk
is `DamagedStore`, never another answer.
Does not: retry. After a failed fsync the kernel may have dropped the pages it could not write, and a second fsync would answer
"well" for pages that are gone (see Rebello et al., "Can Applications Recover from fsync Failures?", 2020): so `reopen` forgets what
is cached and reads again what is really there.
Caveats kept here: one writer thread; no read held open while anything waits (it would pin freed pages); values copied out with
`bytes`, since a buffer that outlives its transaction silently reads other data.
"""

from __future__ import annotations

import errno
import os
import shutil
import struct
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import lmdb
from xxhash import xxh3_64_digest

from tallystick.durable_files import sync_directory
from tallystick.errors import DamagedStore, Overloaded, StoreFailed, StoreFull, Unavailable
from tallystick.failpoints import hit

from .room_ahead import RoomAhead

# Above every pool that reads, so that a slot is always free: a reader holds its slot for microseconds.
_READERS_MAX: Final = 512
_TABLES: Final = (
    b"blocks",
    b"block_numbers",
    b"catalog",
    b"voids",
    b"remembered",
    b"quarantine",
    b"quarantine_hashes",
    b"duplicates",
    b"signal_states",
    b"signal_steps",
    b"steps_by_signal",
    b"signals_fired",
    b"deliveries",
    b"outbox",
    b"manifest",
)
# Tables that are read into memory as a whole when the store opens, and on which figures, or messages on their way, depend.
COUNTED: Final = (b"catalog", b"voids", b"remembered", b"outbox")
_ROWS_OF: Final = b"rows of "
_COUNT: Final = struct.Struct(">QQ")
_CHECKSUM_BYTES: Final = 8
_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)


class Tables:
    """The open environment. `write` belongs to one thread; `read` to any."""

    def __init__(self, directory: Path, *, map_bytes_max: int, may_create: bool = True) -> None:
        """Open the environment below `directory`, or make it if it `may_create` one.

        Raises `DamagedStore` if the file is no environment, or if there is none where there must be.
        """
        self._directory = directory
        self._map_bytes_max = map_bytes_max
        self._readers = 0
        self._gate = threading.Condition()
        self._is_reopening = False
        self._is_open = False
        # Why the last write found no room; empty after any other, and once opened anew.
        self._no_room = ""
        if may_create:
            self._make()
        elif not self._file.exists():
            raise DamagedStore(0, f"log: {self._file} is missing, and with it every event")
        self._open()

    @property
    def _file(self) -> Path:
        return self._directory / "data.mdb"

    def _make(self) -> None:
        """Make an environment that is there whole or not at all: LMDB neither syncs its first pages at once nor ever its name."""
        if not self._file.exists():
            new = self._directory / "new"
            try:
                shutil.rmtree(new, ignore_errors=True)
                new.mkdir(mode=0o700)
                self._environment(new).close()
                (new / "data.mdb").rename(self._file)
                shutil.rmtree(new)
            except (lmdb.Error, OSError) as error:
                raise _failure(error) from error
        # Each time, since a start may have ended between the rename and this line.
        sync_directory(self._directory)

    def _environment(self, directory: Path) -> lmdb.Environment:
        environment = lmdb.open(
            str(directory),
            map_size=self._map_bytes_max,
            max_dbs=len(_TABLES),
            max_readers=_READERS_MAX,
            mode=0o600,
            subdir=True,
            # The lock file would let other processes in; our own flock keeps them out, but threads need its reader table.
            lock=True,
            # Read-ahead would fill memory with blocks around each receipt that is asked for.
            readahead=False,
        )
        # The last of these commits syncs the first pages with it.
        self.tables = {name: environment.open_db(name) for name in _TABLES}
        return environment

    def _open(self) -> None:
        try:
            self._env = self._environment(self._directory)
            self._env.reader_check()
            self._page_bytes: int = self._env.stat()["psize"]
            self._room = RoomAhead(self._file)
            self._is_open, self._no_room = True, ""
        except lmdb.Error as error:
            raise _failure(error) if _is_disk_trouble(error) else DamagedStore(0, f"log: {error}") from error

    @contextmanager
    def read(self) -> Generator[lmdb.Transaction]:
        """One consistent state, to be read and left at once."""
        with self._gate:
            while self._is_reopening:
                self._gate.wait()
            if not self._is_open:
                # Nothing is damaged: after a failed write the file could not be opened again yet, or the store was closed.
                raise StoreFailed("the log is not open; ask again in a moment")
            self._readers += 1
        try:
            with self._env.begin(buffers=True) as txn:
                yield txn
        except lmdb.ReadersFullError as error:
            raise Overloaded("too many reads at once; ask again in a moment") from error
        except lmdb.Error as error:
            raise DamagedStore(0, f"the log's tables cannot be read: {error}") from error
        finally:
            with self._gate:
                self._readers -= 1
                self._gate.notify_all()

    @contextmanager
    def write(self) -> Generator[lmdb.Transaction]:
        """Put changes on disk together when the `with` ends, or none of them. Raises `StoreFull`, `StoreFailed`."""
        try:
            if self._room.keep(self.used_bytes()):
                hit("log.room_made")
            txn = self._env.begin(write=True)
            try:
                yield txn
                hit("log.before_commit")
            except BaseException:
                txn.abort()
                raise
            txn.commit()
        except lmdb.PanicError as error:
            # What could not be used from some write on cannot say why; that write did.
            raise StoreFull(self._no_room, must_reopen=True) if self._no_room else _failure(error) from error
        except (lmdb.Error, OSError) as error:
            failure = _failure(error)
            self._no_room = str(failure) if isinstance(failure, StoreFull) else ""
            raise failure from error
        self._no_room = ""
        hit("log.committed")

    def rows(self, txn: lmdb.Transaction, table: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Yield copies of a table's rows, by key. Raises `DamagedStore`."""
        with txn.cursor(db=self.tables[table]) as cursor:
            for key, stored in cursor:
                yield bytes(key), open_row(key, stored)

    def get(self, table: bytes, key: bytes) -> bytes | None:
        """Return a copy of one value. Raises `DamagedStore`."""
        with self.read() as txn:
            return self.get_within(txn, table, key)

    def get_within(self, txn: lmdb.Transaction, table: bytes, key: bytes) -> bytes | None:
        """Return a copy of one value as a transaction sees it. Raises `DamagedStore`."""
        stored = txn.get(key, db=self.tables[table])
        return None if stored is None else open_row(key, stored)

    def put(
        self,
        txn: lmdb.Transaction,
        table: bytes,
        key: bytes,
        value: bytes,
        *,
        overwrite: bool = True,
        append: bool = False,
    ) -> None:
        """Put a row with its checksum; without `overwrite`, a row that is there stays as it is."""
        stored = seal_row(key, value)
        if table not in COUNTED:
            txn.put(key, stored, db=self.tables[table], overwrite=overwrite, append=append)
            return
        before = txn.get(key, db=self.tables[table])
        if before is None or overwrite:
            self._count(txn, table, gone=before, come=stored)
            txn.put(key, stored, db=self.tables[table])

    def delete(self, txn: lmdb.Transaction, table: bytes, key: bytes) -> None:
        """Delete a row, if it is there."""
        before = txn.get(key, db=self.tables[table])
        if before is not None:
            if table in COUNTED:
                self._count(txn, table, gone=before, come=None)
            txn.delete(key, db=self.tables[table])

    def clear(self, txn: lmdb.Transaction, table: bytes) -> None:
        """Delete all rows of a table."""
        txn.drop(self.tables[table], delete=False)
        txn.delete(_ROWS_OF + table, db=self.tables[b"manifest"])

    def check_rows(self, table: bytes) -> None:
        """Raise `DamagedStore` unless the table holds exactly the rows that were put: a damaged tree may hide some without an error."""
        count = checksums = 0
        with self.read() as txn:
            with txn.cursor(db=self.tables[table]) as cursor:
                for _, stored in cursor:
                    count, checksums = count + 1, checksums ^ _checksum_of(stored)
            if (count, checksums) != self._counted(txn, table):
                raise DamagedStore(
                    0, f"table {table.decode()} does not hold the rows that were written: run `tallystick rebuild`"
                )

    def _count(
        self, txn: lmdb.Transaction, table: bytes, *, gone: bytes | memoryview | None, come: bytes | None
    ) -> None:
        """Keep how many rows a table has, and the XOR of their checksums, whatever their order."""
        count, checksums = self._counted(txn, table)
        if gone is not None:
            count, checksums = count - 1, checksums ^ _checksum_of(gone)
        if come is not None:
            count, checksums = count + 1, checksums ^ _checksum_of(come)
        self.put(txn, b"manifest", _ROWS_OF + table, _COUNT.pack(count, checksums))

    def _counted(self, txn: lmdb.Transaction, table: bytes) -> tuple[int, int]:
        stored = self.get_within(txn, b"manifest", _ROWS_OF + table)
        return (0, 0) if stored is None else _COUNT.unpack(stored)

    def reopen(self) -> None:
        """Close, drop what the kernel caches of the file, and open again: the truth is what the disk holds.

        Waits for readers. Raises `StoreFailed` if the file cannot be opened now; call it again then.
        """
        with self._gate:
            self._is_reopening = True
            while self._readers:
                self._gate.wait()
        try:
            self._close_file()
            handle = os.open(self._file, os.O_RDONLY | os.O_CLOEXEC)
            try:
                os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
            finally:
                os.close(handle)
            self._open()
        except OSError as error:
            raise _failure(error) from error
        finally:
            with self._gate:
                self._is_reopening = False
                self._gate.notify_all()

    def used_bytes(self) -> int:
        """How much of the file the tree uses; the file itself keeps freed pages for reuse."""
        return (self._env.info()["last_pgno"] + 1) * self._page_bytes

    def close(self) -> None:
        """Release the file; reads that come later raise."""
        with self._gate:
            self._is_reopening = True
            while self._readers:
                self._gate.wait()
            self._close_file()
            self._is_reopening = False
            self._gate.notify_all()

    def _close_file(self) -> None:
        if self._is_open:
            self._room.close()
        self._is_open = False
        self._env.close()


def seal_row(key: bytes, value: bytes) -> bytes:
    """Return what is stored of a row: a checksum, then the value."""
    return xxh3_64_digest(key + value) + value


def open_row(key: bytes | memoryview, stored: bytes | memoryview) -> bytes:
    """Return a copy of the value of a stored row. Raises `DamagedStore` if key, value or checksum are not what was written."""
    checksum, value = bytes(stored[:_CHECKSUM_BYTES]), bytes(stored[_CHECKSUM_BYTES:])
    if checksum != xxh3_64_digest(bytes(key) + value):
        raise DamagedStore(0, "a row of a table that follows the log is not what was written: run `tallystick rebuild`")
    return value


def _checksum_of(stored: bytes | memoryview) -> int:
    return int.from_bytes(stored[:_CHECKSUM_BYTES])


def _is_disk_trouble(error: lmdb.Error) -> bool:
    return isinstance(error, lmdb.DiskError | lmdb.MapFullError) or not type(error).__name__.startswith(
        ("Corrupted", "Invalid", "Version", "PageNotFound", "Panic")
    )


def _failure(error: Exception) -> Unavailable:
    """Return what a caller should be told. LMDB carries the system's error as text only."""
    text = str(error)
    if isinstance(error, lmdb.MapFullError) or (isinstance(error, OSError) and error.errno in _FULL):
        return StoreFull(f"no room to write: {text}")
    if any(os.strerror(number) in text for number in _FULL):
        return StoreFull(f"no room to write: {text}")
    return StoreFailed(f"the write failed: {text}")
