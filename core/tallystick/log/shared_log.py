"""The log of a directory that another process may have open: read only, beside it.

LMDB lets processes share an environment by its lock file, whose table of readers keeps pages from being written again while somebody reads
them. The data directory's own lock is not taken: it says who may write.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Self

import lmdb

from tallystick.errors import DamagedStore, Overloaded, StoreRefused
from tallystick.log_head import EMPTY_HEAD, LogHead

from .block import open_block
from .stored_blocks import stored_blocks

_TABLES: Final = (b"blocks", b"block_numbers")


class SharedLog:
    """The blocks of a log; close it, or use it in a `with`. May be copied from (see `backup.take_backup`)."""

    def __init__(self, data_directory: Path) -> None:
        """Open the log below a data directory. Raises `StoreRefused` if there is none, `DamagedStore`."""
        folder = data_directory / "log"
        if not (data_directory / "FORMAT").exists() or not (folder / "data.mdb").exists():
            raise StoreRefused(f"{data_directory} is no data directory: it has no log")
        try:
            self._env = lmdb.open(str(folder), readonly=True, lock=True, max_dbs=len(_TABLES), readahead=True)
            self.tables = {name: self._env.open_db(name, create=False) for name in _TABLES}
        except lmdb.Error as error:
            raise DamagedStore(0, f"log: {error}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def read(self) -> Generator[lmdb.Transaction]:
        """One consistent state, to be read and left at once. Raises `Overloaded`, `DamagedStore`."""
        try:
            with self._env.begin(buffers=True) as txn:
                yield txn
        except lmdb.MapResizedError:
            raise Overloaded("the log grew past what was mapped; ask again") from None
        except lmdb.ReadersFullError as error:
            raise Overloaded("too many reads at once; ask again in a moment") from error
        except lmdb.Error as error:
            raise DamagedStore(0, f"the log's tables cannot be read: {error}") from error

    def log_head(self) -> LogHead:
        """Return where the log ends. Raises `BrokenChain`, `DamagedStore`."""
        with self.read() as txn, txn.cursor(db=self.tables[b"blocks"]) as cursor:
            if not cursor.last():
                return EMPTY_HEAD
            position, stored = int.from_bytes(bytes(cursor.key())), bytes(cursor.value())
        return open_block(stored, position=position).head

    def stored_blocks(self, *, after: int) -> list[bytes]:
        """Return some MiB of blocks behind block number `after`, as they are stored. Raises `DamagedStore`."""
        return stored_blocks(self, after=after)

    def close(self) -> None:
        """Release the file."""
        self._env.close()
