"""Merging: the same pairs in one file, however they were spread, in bounded memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tallystick.dedupe import PairsDigest, RunEntry, SealedKeys, check_run, merge_runs, write_run
from tallystick.dedupe.run_file import RunFile
from tallystick.instant import Instant


def written(directory: Path, sizes: list[int], *, spread: int, seed: int) -> tuple[list[RunEntry], PairsDigest]:
    """Write runs of those sizes with hashes out of `spread` different ones; return their entries and the digest of all pairs."""
    random = np.random.default_rng(seed)
    entries: list[RunEntry] = []
    digest = PairsDigest()
    first = 1
    for number, size in enumerate(sizes):
        hashes = random.integers(0, spread, size, np.uint64) * np.uint64(((1 << 64) - 1) // spread)
        sealed = SealedKeys(hashes, np.arange(first, first + size))
        entries.append(
            write_run(
                directory,
                sealed,
                number=number,
                first_received_at=Instant(first),
                last_received_at=Instant(first + size),
            )
        )
        digest = digest.with_pairs(sealed.hashes, sealed.positions)
        first += size
    return entries, digest


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    sizes=st.lists(st.sampled_from([1, 2, 84, 85, 86, 170, 171, 900]), min_size=1, max_size=5),
    spread=st.sampled_from([1, 2, 7, 1 << 40]),
    pages_at_a_time=st.sampled_from([1, 2, 1_024]),
    seed=st.integers(0, 1 << 32),
)
def test_the_merged_run_holds_exactly_the_pairs_of_the_others(
    tmp_path: Path, sizes: list[int], spread: int, pages_at_a_time: int, seed: int
) -> None:
    entries, digest = written(tmp_path, sizes, spread=spread, seed=seed)
    merged = merge_runs(tmp_path, entries[::-1], number=99, pages_at_a_time=pages_at_a_time)
    assert check_run(tmp_path, merged) == digest
    assert (merged.first_position, merged.last_position) == (1, sum(sizes))
    assert (merged.first_received_at, merged.last_received_at) == (1, sum(sizes) + 1)


@pytest.mark.parametrize("asked", [1, 200])
def test_one_hash_over_many_pages_gives_all_its_positions(tmp_path: Path, asked: int) -> None:
    positions = np.arange(1, 1_001)
    hashes = np.full(1_000, 1 << 40, np.uint64)
    hashes[:50], hashes[-50:] = 5, (1 << 63) + 5
    entry = write_run(
        tmp_path, SealedKeys(hashes, positions), number=1, first_received_at=Instant(0), last_received_at=Instant(0)
    )
    run = RunFile(tmp_path, entry)
    rows, found = run.find(np.full(asked, 1 << 40, np.uint64))
    assert np.array_equal(rows, np.repeat(np.arange(asked), 900))
    assert np.array_equal(np.sort(found[:900]), np.arange(51, 951))
    assert run.find(np.full(asked, 6, np.uint64))[0].size == 0
    assert run.find(np.zeros(asked, np.uint64))[0].size == 0
    assert run.find_one((1 << 63) + 5) == list(range(951, 1_001))
