"""The hash of an identity: what the dedupe index keeps in place of (`source`, `id`).

Promises: the same identity and seed give the same hash for ever, in whatever batch it comes; different identities have different hashes
but for chance, since a source never flows into an id: the hash of a source that is not empty is the seed of the hashes of its ids.
Does not: decide anything. Two identities may share a hash; the log tells them apart. The seed is secret and drawn at random for each
data directory, so that a sender who chooses ids cannot make them collide on purpose; if one could, it would cost time, never a count.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import repeat

import numpy as np
import numpy.typing as npt
from xxhash import xxh3_64_intdigest

Hashes = npt.NDArray[np.uint64]
Positions = npt.NDArray[np.int64]


def identity_hashes(sources: Sequence[str], ids: Sequence[str], *, seed: int) -> Hashes:
    """Return one hash for each identity, in order; costs a twentieth of a microsecond each where all sources are equal.

    `seed` is an unsigned 64-bit number. Neither text may hold lone surrogates: they have no UTF-8.
    """
    if len(sources) != len(ids):
        raise ValueError(f"{len(sources)} sources for {len(ids)} ids")
    if not ids:
        return np.empty(0, np.uint64)
    first = sources[0]
    seeds: Iterable[int]
    # Counting compares pointers before texts, so a batch of one source, the common case, pays almost nothing for the question.
    if sources.count(first) == len(sources):
        seeds = repeat(_seed_of(first, seed))
    else:
        seed_by_source = {source: _seed_of(source, seed) for source in set(sources)}
        seeds = map(seed_by_source.__getitem__, sources)
    return np.fromiter(map(xxh3_64_intdigest, map(str.encode, ids), seeds), np.uint64, len(ids))


def _seed_of(source: str, seed: int) -> int:
    return xxh3_64_intdigest(source.encode(), seed) if source else seed
