"""Crashes and failures at each step of writing a run: the old state stays whole, and what was left behind is swept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tallystick.dedupe import DedupeIndex, SealedKeys, check_run, merge_runs, remove_runs, remove_unlisted, write_run
from tallystick.failpoints import CrashedHere, FailpointHit, armed, crash, fail, was_reached
from tallystick.instant import Instant

WRITE_STEPS = ["dedupe.run_written", "dedupe.run_synced", "dedupe.run_renamed", "dedupe.run_durable"]
MERGE_STEPS = ["dedupe.merge_started", "dedupe.merge_chunk", *WRITE_STEPS]
NOW = Instant(1)


def keys(first: int) -> SealedKeys:
    """Return 500 keys whose hashes lie between those of any other 500."""
    positions = np.arange(first, first + 500)
    return SealedKeys(positions.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15), positions)


@pytest.mark.parametrize("step", WRITE_STEPS)
def test_after_a_crash_while_a_checkpoint_is_written_it_is_written_anew(tmp_path: Path, step: str) -> None:
    with armed(step, crash), pytest.raises(CrashedHere):
        write_run(tmp_path, keys(1), number=1, first_received_at=NOW, last_received_at=NOW)
    assert was_reached(step)
    left = [path.name for path in tmp_path.iterdir()]
    assert len(left) == 1
    assert remove_unlisted(tmp_path, []) == left
    entry = write_run(tmp_path, keys(1), number=1, first_received_at=NOW, last_received_at=NOW)
    assert check_run(tmp_path, entry).count == 500


@pytest.mark.parametrize("step", MERGE_STEPS)
def test_after_a_crash_while_runs_are_merged_the_old_ones_still_answer(tmp_path: Path, step: str) -> None:
    old = [
        write_run(tmp_path, keys(1 + number * 500), number=number, first_received_at=NOW, last_received_at=NOW)
        for number in range(3)
    ]
    with armed(step, crash), pytest.raises(CrashedHere):
        merge_runs(tmp_path, old, number=9)
    assert was_reached(step)
    remove_unlisted(tmp_path, old)
    assert sorted(path.name for path in tmp_path.iterdir()) == [entry.file for entry in old]
    index = DedupeIndex(tmp_path, runs=old)
    assert np.array_equal(index.candidates(keys(501).hashes).positions, np.arange(501, 1_001))
    assert check_run(tmp_path, merge_runs(tmp_path, old, number=9)).count == 1_500


@pytest.mark.parametrize("step", WRITE_STEPS[:2])
def test_a_failure_leaves_no_partial_file_and_the_keys_searched(tmp_path: Path, step: str) -> None:
    index = DedupeIndex(tmp_path, runs=[])
    index.add(keys(1).hashes, keys(1).positions)
    sealed = index.seal()
    assert sealed is not None
    with armed(step, fail), pytest.raises(FailpointHit):
        write_run(tmp_path, sealed, number=1, first_received_at=NOW, last_received_at=NOW)
    # Once the file is closed it is left to the sweep; before, it is removed at once.
    assert remove_unlisted(tmp_path, []) == []
    assert len(index.candidates(keys(1).hashes)) == 500
    entry = write_run(tmp_path, sealed, number=1, first_received_at=NOW, last_received_at=NOW)
    index.adopt(index.open_run(entry), sealed)
    assert len(index.candidates(keys(1).hashes)) == 500


def test_files_of_others_and_listed_runs_are_never_swept(tmp_path: Path) -> None:
    entry = write_run(tmp_path, keys(1), number=1, first_received_at=NOW, last_received_at=NOW)
    stray = write_run(tmp_path, keys(1), number=2, first_received_at=NOW, last_received_at=NOW)
    (tmp_path / "segment-1").touch()
    assert remove_unlisted(tmp_path, [entry]) == [stray.file]
    assert sorted(path.name for path in tmp_path.iterdir()) == [entry.file, "segment-1"]


def test_a_crash_while_old_runs_are_removed_is_finished_by_the_sweep(tmp_path: Path) -> None:
    old = [
        write_run(tmp_path, keys(1 + number * 500), number=number, first_received_at=NOW, last_received_at=NOW)
        for number in range(2)
    ]
    merged = merge_runs(tmp_path, old, number=9)
    with armed("dedupe.run_removed", crash), pytest.raises(CrashedHere):
        remove_runs(tmp_path, old)
    assert remove_unlisted(tmp_path, [merged]) == [entry.file for entry in old]
