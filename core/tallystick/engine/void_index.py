"""Which events no longer count, since which position of the log, and which will not when they come.

A fold over the blocks of kind `VOIDS`, kept in the tables of the log in the same transaction.
Voids are corrections: some thousands, not millions. All positions are held in memory, 16 bytes each.
"""

from __future__ import annotations

import struct
from typing import Final

import lmdb
import msgspec
import numpy as np
import numpy.typing as npt

from tallystick.identity import Identity
from tallystick.log.records import VoidRecord
from tallystick.log.tables import Tables

Int64s = npt.NDArray[np.int64]

_POSITION: Final = struct.Struct(">Q")
# 2^16 identities a record, so that the key of each is unique and still sorts by position.
_PLACE_BITS: Final = 16
_encode: Final = msgspec.msgpack.Encoder().encode
_decode_identity: Final = msgspec.msgpack.Decoder(Identity).decode


class Voids(msgspec.Struct, frozen=True):
    """A snapshot: `targets` are sorted positions that do not count, `since` the log position that said so of each."""

    targets: Int64s
    since: Int64s

    def as_of(self, position: int) -> Int64s:
        """Return the positions that did not count when the log ended at `position`."""
        return self.targets[self.since <= position]

    def since_of(self, position: int) -> int | None:
        """Return the log position that said that the event at `position` does not count; None if it does."""
        place = int(np.searchsorted(self.targets, position))
        is_target = place < len(self.targets) and int(self.targets[place]) == position
        return int(self.since[place]) if is_target else None

    def __contains__(self, position: int) -> bool:
        return self.since_of(position) is not None


NO_VOIDS: Final = Voids(np.empty(0, np.int64), np.empty(0, np.int64))


class VoidIndex:
    """The fold. `apply` and `fold` belong to the writer's thread; `voids` may be read by any."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self.voids = NO_VOIDS
        self.remembered: dict[tuple[str, str], int] = {}

    def reload(self) -> None:
        """Read the tables again."""
        remembered: dict[tuple[str, str], int] = {}
        with self._tables.read() as txn:
            pairs = b"".join(key + value for key, value in self._tables.rows(txn, b"voids"))
            for key, value in self._tables.rows(txn, b"remembered"):
                identity = _decode_identity(value)
                remembered[identity.source, identity.id] = _POSITION.unpack(key)[0] >> _PLACE_BITS
        numbers = np.frombuffer(pairs, ">u8").astype(np.int64).reshape(-1, 2)
        self.voids = Voids(numbers[:, 0].copy(), numbers[:, 1].copy())
        self.remembered = remembered

    def apply(self, txn: lmdb.Transaction, record: VoidRecord, position: int) -> None:
        """Write what the record at `position` changes. A target voided before stays as it was."""
        since = _POSITION.pack(position)
        for target in record.targets:
            self._tables.put(txn, b"voids", _POSITION.pack(target), since, overwrite=False)
        for place, identity in enumerate(record.remembered):
            key = _POSITION.pack((position << _PLACE_BITS) | place)
            self._tables.put(txn, b"remembered", key, _encode(identity))

    def fold(self, record: VoidRecord, position: int) -> None:
        """Take the record into memory, once it is on disk."""
        fresh = np.setdiff1d(np.array(record.targets, np.int64), self.voids.targets)
        if len(fresh):
            targets = np.concatenate([self.voids.targets, fresh])
            since = np.concatenate([self.voids.since, np.full(len(fresh), position, np.int64)])
            order = np.argsort(targets)
            self.voids = Voids(targets[order], since[order])
        for identity in record.remembered:
            self.remembered.setdefault((identity.source, identity.id), position)
