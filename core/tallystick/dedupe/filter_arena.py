"""One stretch of memory with the filters of all runs in it, so that a batch of hashes is tested against every run by the same few calls.

Promises: a place once given stays where it is until it is given back; what was never filled, or was given back, takes no memory.
Does not: run out in a way that matters: a filter that finds no room gets the place `ALWAYS`, where every key is "found", so that its
run is searched each time, which is slow and right.
The stretch is reserved address space, given in page steps; huge pages, because a gather over 75 MB then takes half the time
(14 instead of 23 ns a key: the processor finds the page in its own table).
"""

from __future__ import annotations

import mmap
from threading import Lock
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from .block_filter import Words

_STEP_WORDS: Final = mmap.PAGESIZE // 8
RESERVED_BYTES_MIN: Final = 1 << 30


class FilterPlace(msgspec.Struct, frozen=True):
    """Where a filter lies in the arena, in words."""

    start: int
    word_count: int


ALWAYS: Final = FilterPlace(0, 1)


class FilterArena:
    """The memory of all filters. Places are taken and given back under a lock; words are read without one."""

    def __init__(self, *, reserved_bytes: int = RESERVED_BYTES_MIN) -> None:
        reserved_bytes += -reserved_bytes % mmap.PAGESIZE
        self._map = mmap.mmap(-1, reserved_bytes, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        if hasattr(mmap, "MADV_HUGEPAGE"):
            self._map.madvise(mmap.MADV_HUGEPAGE)
        self.words: npt.NDArray[np.uint64] = np.frombuffer(self._map, np.uint64)
        self.words[0] = np.uint64((1 << 64) - 1)
        self._lock = Lock()
        # Free stretches as (start, end) in words, ascending, never touching.
        self._free: list[tuple[int, int]] = [(_STEP_WORDS, self.words.size)]

    def take(self, word_count: int) -> FilterPlace:
        """Return a place of that many words, all zero, or `ALWAYS` when there is none."""
        size = word_count + -word_count % _STEP_WORDS
        with self._lock:
            for number, (start, end) in enumerate(self._free):
                if end - start >= size:
                    self._free[number : number + 1] = [(start + size, end)] if end - start > size else []
                    place = FilterPlace(start, word_count)
                    break
            else:
                return ALWAYS
        self.at(place)[:] = 0
        return place

    def at(self, place: FilterPlace) -> Words:
        """Return the words of a place; for writing only by who took it."""
        return self.words[place.start : place.start + place.word_count]

    def give_back(self, place: FilterPlace) -> None:
        """Free a place that no reader tests any more."""
        if place == ALWAYS:
            return
        size = place.word_count + -place.word_count % _STEP_WORDS
        if hasattr(mmap, "MADV_DONTNEED"):
            self._map.madvise(mmap.MADV_DONTNEED, place.start * 8, size * 8)
        with self._lock:
            merged: list[tuple[int, int]] = []
            for start, end in sorted([*self._free, (place.start, place.start + size)]):
                if merged and merged[-1][1] == start:
                    merged[-1] = (merged[-1][0], end)
                else:
                    merged.append((start, end))
            self._free = merged
