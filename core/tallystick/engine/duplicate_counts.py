"""How often each event was sent again: a fold over the blocks of kind `DUPLICATES`.

Counts since the last checkpoint are in memory; older ones in a table with one row for each 4,096 positions, since a re-sent file
touches neighbours: a million re-sent events are 250 rows to write rather than a million.
"""

from __future__ import annotations

import struct
import threading
from typing import Final

import lmdb
import numpy as np
import numpy.typing as npt
import zstandard

from tallystick.log.tables import Tables

Int64s = npt.NDArray[np.int64]

_BUCKET_POSITIONS: Final = 4_096
_KEY: Final = struct.Struct(">Q")


class PendingDuplicates:
    """Positions sent again since a checkpoint, each as often as it was."""

    def __init__(self) -> None:
        self._pieces: list[Int64s] = []
        self.count = 0

    def __bool__(self) -> bool:
        return bool(self._pieces)

    def add(self, positions: Int64s) -> None:
        """Count each position once more."""
        self._pieces.append(positions)
        self.count += len(positions)

    def counted(self) -> tuple[Int64s, Int64s]:
        """Return the distinct positions, sorted, and how often each came."""
        if len(self._pieces) > 1:
            self._pieces = [np.concatenate(self._pieces)]
        positions = self._pieces[0] if self._pieces else np.empty(0, np.int64)
        distinct, counts = np.unique(positions, return_counts=True)
        return distinct, counts.astype(np.int64)

    def of(self, position: int) -> int:
        """Return how often one position came."""
        return sum(int(np.count_nonzero(piece == position)) for piece in list(self._pieces))


class DuplicateCounts:
    """The fold. All but `of` belong to the writer's thread."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._guard = threading.Lock()
        self.active = PendingDuplicates()
        self._sealed = PendingDuplicates()

    def add(self, positions: Int64s) -> None:
        """Count re-sends that are on disk."""
        if len(positions):
            self.active.add(positions)

    @property
    def has_pending(self) -> bool:
        """Whether re-sends were counted that no checkpoint has written."""
        return bool(self.active)

    def seal(self) -> None:
        """Begin a checkpoint: what was counted so far is to be written, what comes now is not."""
        with self._guard:
            self._sealed, self.active = self.active, PendingDuplicates()

    def write_sealed(self, txn: lmdb.Transaction) -> None:
        """Add the sealed counts to the table."""
        positions, counts = self._sealed.counted()
        buckets = positions // _BUCKET_POSITIONS
        starts = np.flatnonzero(np.diff(buckets, prepend=-1))
        ends = np.append(starts[1:], len(positions))[: len(starts)]
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
            key = _KEY.pack(int(buckets[start]))
            total = _unpacked(self._tables.get_within(txn, b"duplicates", key))
            total[positions[start:end] % _BUCKET_POSITIONS] += counts[start:end].astype(np.uint32)
            self._tables.put(txn, b"duplicates", key, zstandard.ZstdCompressor(level=1).compress(total.tobytes()))

    def adopt_sealed(self) -> None:
        """End a checkpoint: the sealed counts are in the table now."""
        with self._guard:
            self._sealed = PendingDuplicates()

    def of(self, position: int) -> int:
        """Return how often the event at a position was sent again."""
        with self._guard:
            stored = self._tables.get(b"duplicates", _KEY.pack(position // _BUCKET_POSITIONS))
            kept = int(_unpacked(stored)[position % _BUCKET_POSITIONS])
            return kept + self._sealed.of(position) + self.active.of(position)

    def reset(self) -> None:
        """Forget what is pending, before the log is replayed."""
        with self._guard:
            self.active, self._sealed = PendingDuplicates(), PendingDuplicates()


def _unpacked(stored: bytes | memoryview | None) -> npt.NDArray[np.uint32]:
    if stored is None:
        return np.zeros(_BUCKET_POSITIONS, np.uint32)
    return np.frombuffer(zstandard.ZstdDecompressor().decompress(stored), np.uint32).copy()


def same_counts(left: bytes, right: bytes) -> bool:
    """Whether two stored rows hold the same counts, however they were packed."""
    try:
        return np.array_equal(_unpacked(left), _unpacked(right))
    except (zstandard.ZstdError, ValueError):
        return False
