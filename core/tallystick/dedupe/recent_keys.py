"""The keys since the last checkpoint, in memory: a filter for the many that are new, chains of buckets for the few that are not.

Promises: a key that was added is found by the next lookup; adding costs some 30 ns a key, since new keys only touch the filter and the ends
of two arrays. They are put into the chains many at a time, when a lookup that gets past the filter finds too many to look through.
Does not: slow down sharply past the expected number of keys; chains grow and the filter lets more through.
One thread adds and looks up; `find_one` may be called from any thread meanwhile.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from .block_filter import Words, put
from .identity_hash import Hashes, Positions

Rows = npt.NDArray[np.int64]

KEYS_EXPECTED: Final = 262_144
# 64 bits a key: one new key in 50,000 gets past the filter, so that a sender who never repeats himself never pays for chains.
FILTER_WORDS: Final = KEYS_EXPECTED
_BUCKETS_LOG2: Final = 19
_BUCKET_SHIFT: Final = np.uint64(64 - _BUCKETS_LOG2)
# A look through so many keys takes as long as a dozen of numpy's calls; putting a key into its chain takes 35 ns.
_LOOKED_THROUGH_MAX: Final = 16_384
_NONE: Final = -1


class RecentKeys:
    """Keys in the order of their arrival; `filter_words` lie in the index's arena."""

    def __init__(self, filter_words: Words) -> None:
        self._filter = filter_words
        self._hashes = np.empty(KEYS_EXPECTED * 2, np.uint64)
        self._positions = np.empty(KEYS_EXPECTED * 2, np.int64)
        # Entry `i` is followed in its chain by entry `_next[i]`; `_heads[bucket]` is where a chain starts.
        self._next = np.empty(KEYS_EXPECTED * 2, np.int32)
        self._heads = np.full(1 << _BUCKETS_LOG2, _NONE, np.int32)
        self._count = 0
        self._linked = 0

    def __len__(self) -> int:
        return self._count

    def pairs(self) -> tuple[Hashes, Positions]:
        """Return hashes and positions in the order in which they were added; not to be written to."""
        count = self._count
        return self._hashes[:count], self._positions[:count]

    def add(self, hashes: Hashes, positions: Positions) -> None:
        """Add keys, equal ones too."""
        start, end = self._count, self._count + hashes.size
        if end > self._hashes.size:
            self._grow(end)
        self._hashes[start:end] = hashes
        self._positions[start:end] = positions
        put(self._filter, hashes)
        self._count = end

    def find(self, hashes: Hashes) -> tuple[Rows, Positions]:
        """Return for each key with one of the hashes the row of the hash, and the position, in no order."""
        self.link_all()
        rows = np.arange(hashes.size)
        entries = self._heads[_buckets_of(hashes)]
        found_rows: list[Rows] = []
        found: list[Positions] = []
        while (linked := entries >= 0).any():
            rows, entries = rows[linked], entries[linked]
            equal = self._hashes[entries] == hashes[rows]
            if equal.any():
                found_rows.append(rows[equal])
                found.append(self._positions[entries[equal]])
            entries = self._next[entries]
        if not found:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        return np.concatenate(found_rows), np.concatenate(found)

    def find_while_adding(self, key: int) -> list[int]:
        """Do as `find_one`; on the thread that adds, which may put keys into chains first if there are many to look through."""
        if self._count - self._linked > _LOOKED_THROUGH_MAX:
            self.link_all()
        return self.find_one(key)

    def find_one(self, key: int) -> list[int]:
        """Return the positions of one hash, ascending; from any thread.

        `_linked` is read before the chains, and entries after it are searched one by one: an entry on its way into a chain is not missed.
        """
        linked, count = self._linked, self._count
        entries: set[int] = set()
        entry = int(self._heads[key >> (64 - _BUCKETS_LOG2)])
        hashes, positions, following = self._hashes, self._positions, self._next
        while entry >= 0:
            if hashes[entry] == key:
                entries.add(entry)
            entry = int(following[entry])
        entries.update((np.flatnonzero(hashes[linked:count] == key) + linked).tolist())
        return sorted(int(positions[entry]) for entry in entries)

    def link_all(self) -> None:
        """Put the entries since the last time into their chains."""
        left = np.arange(self._linked, self._count, dtype=np.int32)
        buckets = _buckets_of(self._hashes[self._linked : self._count])
        while left.size:
            # Of several entries in one bucket the last assignment wins; the others see that they lost, and try again on top of it.
            self._next[left] = self._heads[buckets]
            self._heads[buckets] = left
            lost = self._heads[buckets] != left
            left, buckets = left[lost], buckets[lost]
        self._linked = self._count

    def _grow(self, count: int) -> None:
        # New arrays rather than resized ones: another thread may be reading the old ones, which stay right for what they hold.
        more = max(count, self._hashes.size * 2) - self._hashes.size
        self._hashes = np.concatenate((self._hashes, np.empty(more, np.uint64)))
        self._positions = np.concatenate((self._positions, np.empty(more, np.int64)))
        self._next = np.concatenate((self._next, np.empty(more, np.int32)))


def _buckets_of(hashes: Hashes) -> Rows:
    return (hashes >> _BUCKET_SHIFT).view(np.int64)
