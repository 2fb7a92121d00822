"""The digest of pairs: blind to order and cuts, not to content."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tallystick.dedupe import PairsDigest

PAIRS = st.lists(st.tuples(st.integers(0, 2**64 - 1), st.integers(0, 2**40)), max_size=30)


def digest(pairs: list[tuple[int, int]]) -> PairsDigest:
    hashes = np.array([key for key, _ in pairs], np.uint64)
    return PairsDigest().with_pairs(hashes, np.array([position for _, position in pairs], np.int64))


@given(pairs=PAIRS, cut=st.integers(0, 30), random=st.randoms())
def test_neither_order_nor_cuts_matter(pairs: list[tuple[int, int]], cut: int, random: object) -> None:
    shuffled = pairs.copy()
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert digest(shuffled[:cut]).joined(digest(shuffled[cut:])) == digest(pairs)


@given(pairs=PAIRS.filter(bool), where=st.integers(0), bit=st.integers(0, 40))
def test_one_other_position_gives_another_digest(pairs: list[tuple[int, int]], where: int, bit: int) -> None:
    changed = pairs.copy()
    key, position = changed[where % len(pairs)]
    changed[where % len(pairs)] = key, position ^ (1 << bit)
    assert digest(changed) != digest(pairs)


def test_two_keys_that_swapped_positions_give_another_digest() -> None:
    assert digest([(1, 2), (3, 4)]) != digest([(1, 4), (3, 2)])
