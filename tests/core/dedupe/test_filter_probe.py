"""Many filters asked at once, by the compiled library and by numpy: no key is missed, and both answer alike."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.dedupe import block_filter
from tallystick.dedupe.block_filter import Words, probe, put
from tallystick.dedupe.identity_hash import Hashes


def arena(word_counts: list[int], keys: list[Hashes]) -> tuple[Words, Hashes, Hashes]:
    """Return filters one after the other that hold these keys, and where each lies."""
    starts = np.cumsum([0, *word_counts[:-1]]).astype(np.uint64)
    words = np.zeros(sum(word_counts), np.uint64)
    for start, count, hashes in zip(starts.tolist(), word_counts, keys, strict=True):
        put(words[start : start + count], hashes)
    return words, np.array(word_counts, np.uint64)[:, None], starts[:, None]


@given(
    word_counts=st.lists(st.integers(1, 300), min_size=1, max_size=5),
    seed=st.integers(0, 2**32 - 1),
    count=st.sampled_from([0, 1, 17, 400]),
)
def test_both_ways_answer_alike_and_find_every_key_that_was_put_in(
    word_counts: list[int], seed: int, count: int
) -> None:
    random = np.random.default_rng(seed)
    keys = [random.integers(0, 2**64, 50, dtype=np.uint64) for _ in word_counts]
    words, counts, starts = arena(word_counts, keys)
    asked = np.concatenate([*keys, random.integers(0, 2**64, count, dtype=np.uint64)])
    found = probe(words, asked, word_counts=counts, starts=starts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(block_filter, "NATIVE", None)
        expected = probe(words, asked, word_counts=counts, starts=starts)
    assert (found == expected).all()
    for place in range(len(keys)):
        assert found[place, 50 * place : 50 * place + 50].all()
