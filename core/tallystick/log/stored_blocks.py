"""Blocks as they are stored, for whoever copies a log: some MiB at a time, each piece out of one short look at the tables."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any, Final, Protocol

import lmdb

from .tables import open_row

# A piece holds at least one block, and no further one past this.
PIECE_BYTES: Final = 4 * 1024 * 1024
_KEY: Final = struct.Struct(">Q")


class ReadTables(Protocol):
    """The tables of a log, as far as they are read."""

    @property
    def tables(self) -> Mapping[bytes, Any]:  # Any: LMDB's own handle
        """The handle of each table."""
        ...

    def read(self) -> AbstractContextManager[lmdb.Transaction]:
        """One consistent state, to be read and left at once."""
        ...


def stored_blocks(tables: ReadTables, *, after: int, piece_bytes: int = PIECE_BYTES) -> list[bytes]:
    """Return the next blocks behind block number `after` (0: from the first), as they are stored; none past the head.

    Raises `DamagedStore`.
    """
    found: list[bytes] = []
    with tables.read() as txn:
        number = _KEY.pack(after + 1)
        stored = txn.get(number, db=tables.tables[b"block_numbers"])
        if stored is None:
            return found
        with txn.cursor(db=tables.tables[b"blocks"]) as cursor:
            is_there = cursor.set_key(open_row(number, stored))
            left = piece_bytes
            while is_there and (not found or left > 0):
                block = bytes(cursor.value())
                found.append(block)
                left -= len(block)
                is_there = cursor.next()
    return found
