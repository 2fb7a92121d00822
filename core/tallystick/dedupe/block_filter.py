"""A Bloom filter whose every key lies in one 64-bit word, so that a batch of keys is tested by one gather.

Promises: a key that was put in is always found; of the others about 1 in 100 is "found" at 12 bits a key, 1 in 260 at 16,
1 in 1,000 at 24.
Does not: know how many keys it holds, or forget one.
A key's word is chosen by the upper half of its hash, its five bits in the word by the lowest 15 bits, looked up in a table of masks:
two numpy calls instead of fifteen. The table is part of the file format: it must never change.
Source of the idea: blocked Bloom filters (Putze, Sanders and Singler, 2007), with blocks of one machine word.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from tallystick.native.library import NATIVE

from .identity_hash import Hashes

Words = Hashes

_BITS_PER_KEY_MASK: Final = 5
_MASK_COUNT: Final = 1 << 15
_MASK_INDEX: Final = np.uint64(_MASK_COUNT - 1)
_HALF: Final = np.uint64(32)
# Fewer take less time than giving the interpreter away and getting it back.
_SHORT_PROBES: Final = 1_024

# (keys at most, bits a key): small runs are a small part of all keys, so more bits for them cost little, and spare useless page reads.
# Part of the file format: changing it needs a new format version in `run_header`.
_BITS_BY_SIZE: Final = ((4_194_304, 24), (16_777_216, 16))
_BITS_PER_KEY: Final = 12


def mix64(numbers: Hashes) -> Hashes:
    """Return the numbers with every bit depending on every other (the finaliser of splitmix64)."""
    mixed = numbers ^ (numbers >> np.uint64(30))
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(27)
    mixed *= np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return mixed


def _make_masks() -> Words:
    masks = np.zeros(_MASK_COUNT, np.uint64)
    numbers = np.arange(1, _MASK_COUNT + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    while bool((short := np.bitwise_count(masks) < _BITS_PER_KEY_MASK).any()):
        numbers = mix64(numbers)
        masks[short] |= np.uint64(1) << (numbers[short] & np.uint64(63))
    return masks


_MASKS: Final = _make_masks()


def filter_word_count(key_count: int) -> int:
    """Return how many words the filter of a run of that many keys has; at least one."""
    bits = next((bits for keys_max, bits in _BITS_BY_SIZE if key_count <= keys_max), _BITS_PER_KEY)
    return max(1, (key_count * bits + 63) // 64)


def masks_of(hashes: Hashes) -> Words:
    """Return the five bits that each key sets in its word."""
    return _MASKS[(hashes & _MASK_INDEX).view(np.int64)]


def words_of(hashes: Hashes, word_count: Hashes | np.uint64) -> Hashes:
    """Return in which word of a filter of `word_count` words each key lies; rises with the hash, so sorted keys have sorted words.

    A column of word counts gives a row of words for each.
    """
    words = (hashes >> _HALF) * word_count
    words >>= _HALF
    return words


def probe(words: Words, hashes: Hashes, *, word_counts: Hashes, starts: Hashes) -> npt.NDArray[np.bool_]:
    """Return which filters let which keys through: a row for each filter, a column for each key.

    A filter has its `word_counts` words from its `starts` on, both columns, within `words`. Both ways answer alike: the compiled one
    waits for the words of several keys at once, where numpy goes over all of them six times.
    """
    if NATIVE is None:
        places = words_of(hashes, word_counts)
        places += starts
        masks = masks_of(hashes)
        found = words[places.view(np.int64)]
        found &= masks
        return found == masks
    maybe = np.empty((len(starts), len(hashes)), np.bool_)
    functions = NATIVE.short if maybe.size < _SHORT_PROBES else NATIVE.long
    functions.probe_filters(
        words.ctypes.data,
        word_counts.ctypes.data,
        starts.ctypes.data,
        len(starts),
        np.ascontiguousarray(hashes).ctypes.data,
        len(hashes),
        _MASKS.ctypes.data,
        maybe.ctypes.data,
    )
    return maybe


def put(words: Words, hashes: Hashes) -> None:
    """Put keys into a filter, in any order."""
    index = words_of(hashes, np.uint64(words.size)).view(np.int64)
    np.bitwise_or.at(words, index, masks_of(hashes))


class FilterStream:
    """Makes the words of a filter, first to last, from keys that come in sorted chunks; holds one chunk's words and no more."""

    def __init__(self, word_count: int) -> None:
        self._word_count = word_count
        self._next = 0
        self._open_word = np.uint64(0)

    def push(self, hashes: Hashes) -> Words:
        """Return the words that no later key can change."""
        if not hashes.size:
            return np.empty(0, np.uint64)
        index = words_of(hashes, np.uint64(self._word_count)).view(np.int64)
        starts = np.concatenate(([0], np.flatnonzero(index[1:] != index[:-1]) + 1))
        done = np.zeros(int(index[-1]) - self._next + 1, np.uint64)
        # Sorted keys need no `at`: whole groups are joined by reduceat, which lets other threads run meanwhile.
        done[index[starts] - self._next] = np.bitwise_or.reduceat(masks_of(hashes), starts)
        done[0] |= self._open_word
        self._next = int(index[-1])
        self._open_word = done[-1]
        return done[:-1]

    def finish(self) -> Words:
        """Return the last words."""
        done = np.zeros(self._word_count - self._next, np.uint64)
        done[0] = self._open_word
        return done
