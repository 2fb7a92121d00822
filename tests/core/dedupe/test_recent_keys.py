"""Keys in memory: found as soon as added, from any thread, however many share a hash."""

from __future__ import annotations

from threading import Event, Thread

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tallystick.dedupe.recent_keys import FILTER_WORDS, KEYS_EXPECTED, RecentKeys

# Few hashes in few buckets: the upper bits choose the bucket.
CROWDED = st.sampled_from([0, 1, 2, 3 << 45, (3 << 45) + 1, 2**64 - 1])


def new_keys() -> RecentKeys:
    return RecentKeys(np.zeros(FILTER_WORDS, np.uint64))


@given(batches=st.lists(st.tuples(st.lists(CROWDED, min_size=1, max_size=20), st.booleans()), max_size=8))
def test_every_position_is_found_whether_in_a_chain_or_not(batches: list[tuple[list[int], bool]]) -> None:
    keys = new_keys()
    model: dict[int, list[int]] = {}
    for batch, linked in batches:
        start = len(keys)
        keys.add(np.array(batch, np.uint64), np.arange(start, start + len(batch)) * 10)
        for place, key in enumerate(batch):
            model.setdefault(key, []).append((start + place) * 10)
        if linked:
            keys.link_all()
        assert {key: keys.find_one(key) for key in model} == model
    asked = np.array(sorted(model), np.uint64)
    rows, positions = keys.find(asked)
    answer: dict[int, list[int]] = {}
    for row, position in zip(rows.tolist(), positions.tolist(), strict=True):
        answer.setdefault(int(asked[row]), []).append(position)
    assert {key: sorted(found) for key, found in answer.items()} == model


def test_more_keys_than_expected_are_all_found() -> None:
    keys = new_keys()
    hashes = np.random.default_rng(1).integers(0, 1 << 64, KEYS_EXPECTED * 3, np.uint64)
    for part in np.array_split(np.arange(hashes.size), 7):
        keys.add(hashes[part], part)
    rows, positions = keys.find(hashes)
    assert rows.size == hashes.size
    assert np.array_equal(rows, positions)


def test_a_reader_on_another_thread_never_misses_a_key_that_was_added() -> None:
    keys = new_keys()
    hashes = np.random.default_rng(2).integers(0, 1 << 64, KEYS_EXPECTED * 3, np.uint64)
    missed: list[int] = []
    done = Event()

    def read() -> None:
        random = np.random.default_rng(3)
        while not done.is_set():
            count = len(keys)
            if count:
                asked = int(random.integers(0, count))
                if asked not in keys.find_one(int(hashes[asked])):
                    missed.append(asked)

    reader = Thread(target=read)
    reader.start()
    for start in range(0, hashes.size, 3_000):
        part = np.arange(start, min(start + 3_000, hashes.size))
        keys.add(hashes[part], part)
        keys.find_while_adding(int(hashes[0]))
    done.set()
    reader.join()
    assert missed == []
