"""The filter: never forgets, seldom errs, and is the same however it was made."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from xxhash import xxh3_64_intdigest

from tallystick.dedupe.block_filter import FilterStream, filter_word_count, masks_of, put, words_of
from tallystick.dedupe.identity_hash import Hashes

HASHES = st.lists(st.integers(0, 2**64 - 1) | st.sampled_from([0, 1, 2**64 - 1]), min_size=1, max_size=60)


def found(words: Hashes, hashes: Hashes) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    masks = masks_of(hashes)
    return (words[words_of(hashes, np.uint64(words.size)).view(np.int64)] & masks) == masks


@given(keys=HASHES, word_count=st.integers(1, 40), cuts=st.lists(st.integers(0, 60), max_size=4))
def test_a_streamed_filter_is_the_one_made_at_once(keys: list[int], word_count: int, cuts: list[int]) -> None:
    hashes = np.sort(np.array(keys, np.uint64))
    at_once = np.zeros(word_count, np.uint64)
    put(at_once, hashes)
    stream = FilterStream(word_count)
    parts = [stream.push(part) for part in np.split(hashes, sorted(min(cut, len(keys)) for cut in cuts))]
    streamed = np.concatenate([*parts, stream.finish()])
    assert np.array_equal(streamed, at_once)
    assert found(streamed, hashes).all()


@pytest.mark.parametrize(("bits_per_key", "error_max"), [(12, 0.0115), (16, 0.005), (24, 0.0016)])
def test_few_keys_are_found_that_were_never_put_in(bits_per_key: int, error_max: float) -> None:
    random = np.random.default_rng(3)
    words = np.zeros(100_000 * bits_per_key // 64, np.uint64)
    put(words, random.integers(0, 1 << 64, 100_000, np.uint64))
    errors = found(words, random.integers(0, 1 << 64, 100_000, np.uint64)).mean()
    assert errors < error_max


def test_fifty_million_keys_in_one_run_cost_75_megabytes_of_filter() -> None:
    assert filter_word_count(50_000_000) * 8 == 75_000_000
    assert filter_word_count(1) == 1


def test_the_table_of_masks_never_changes_since_filters_are_on_disk() -> None:
    masks = masks_of(np.arange(1 << 15, dtype=np.uint64))
    assert set(np.bitwise_count(masks).tolist()) == {5}
    assert f"{xxh3_64_intdigest(masks.astype('<u8').tobytes()):016x}" == "7d62cf7ec42de9a8"
