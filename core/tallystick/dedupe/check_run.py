"""Checks a whole run file, for `verify`: every byte, every rule, and a digest of what it holds."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tallystick.errors import DamagedStore

from .block_filter import FilterStream
from .identity_hash import Hashes
from .pairs_digest import PairsDigest
from .run_entry import RunEntry
from .run_file import RunFile
from .run_header import KEYS_PER_PAGE

_PAGES_AT_A_TIME = 4_096


def check_run(directory: Path, entry: RunEntry) -> PairsDigest:
    """Return the digest of the run's pairs, to be compared with that of the log's pairs from its first to its last position.

    Raises `DamagedStore` if a checksum fails, keys are out of order, a fence is wrong, a position lies outside the entry's range,
    or the filter is not the one that these keys make.
    """
    run = RunFile(directory, entry)
    stored_filter = np.empty(run.layout.filter_words, np.uint64)
    run.read_filter(stored_filter)
    stream = FilterStream(run.layout.filter_words)
    word = 0
    digest = PairsDigest()
    before = np.uint64(0)
    page = 0
    for hashes, positions in run.chunks(_PAGES_AT_A_TIME):
        if hashes[0] < before or bool((hashes[1:] < hashes[:-1]).any()):
            raise _broken(entry, "its keys are out of order")
        before = hashes[-1]
        if positions.min() < entry.first_position or positions.max() > entry.last_position:
            raise _broken(entry, "it names positions outside its range")
        firsts = hashes[::KEYS_PER_PAGE]
        if not np.array_equal(firsts, run.fences[page : page + firsts.size]):
            raise _broken(entry, "its page table does not fit its pages")
        page += firsts.size
        word = _compare(entry, stored_filter, stream.push(hashes), word)
        digest = digest.with_pairs(hashes, positions)
    word = _compare(entry, stored_filter, stream.finish(), word)
    if digest.count != entry.count:
        raise _broken(entry, f"it holds {digest.count} keys instead of {entry.count}")
    return digest


def _compare(entry: RunEntry, stored: Hashes, made: Hashes, word: int) -> int:
    """Compare the next words of the filter with those made from the keys; returns the place after them."""
    if not np.array_equal(stored[word : word + made.size], made):
        raise _broken(entry, "its filter does not fit its keys")
    return word + made.size


def _broken(entry: RunEntry, detail: str) -> DamagedStore:
    return DamagedStore(entry.first_position, f"the dedupe index's {entry.file}: {detail}")
