"""The index against a dict of lists: the same positions for every hash, whatever was sealed, written, merged, dropped or reopened."""

from __future__ import annotations

import tempfile
from itertools import count
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tallystick.dedupe import (
    DedupeIndex,
    PairsDigest,
    RunEntry,
    SealedKeys,
    check_run,
    merge_runs,
    plan_merge,
    remove_runs,
    remove_unlisted,
    write_run,
)
from tallystick.instant import Instant

# So few that most batches hold equal hashes, with the ends of the range, where an off-by-one would hide.
HASHES = [0, 1, 2, 255, 1 << 15, (1 << 32) - 1, 1 << 32, 1 << 63, 2**64 - 2, 2**64 - 1]
KEYS = st.sampled_from(HASHES) | st.integers(0, 2**64 - 1)


class IndexAgainstDict(RuleBasedStateMachine):
    """The model is a list of (position, hash, received at); the clock is the position, so runs age as they do in use."""

    def __init__(self) -> None:
        super().__init__()
        self._temporary = tempfile.TemporaryDirectory(prefix="dedupe-")
        self.directory = Path(self._temporary.name)
        self.index = DedupeIndex(self.directory, runs=[])
        self.manifest: tuple[RunEntry, ...] = ()
        self.numbers = count(1)
        self.pairs: list[tuple[int, int]] = []
        self.next_position = 1
        self.sealed: SealedKeys | None = None

    def teardown(self) -> None:
        self._temporary.cleanup()

    @rule(batch=st.lists(KEYS, min_size=1, max_size=12), repeat=st.sampled_from([1, 1, 1, 40]))
    def add(self, batch: list[int], repeat: int) -> None:
        keys = batch * repeat  # 40 of one hash fill more than two pages together with others
        positions = np.arange(self.next_position, self.next_position + len(keys))
        self.index.add(np.array(keys, np.uint64), positions)
        self.pairs += zip(positions.tolist(), keys, strict=True)
        self.next_position += len(keys)

    @precondition(lambda self: self.sealed is None)
    @rule()
    def seal(self) -> None:
        before = self.index.active_count
        self.sealed = self.index.seal()
        assert (self.sealed is None) == (before == 0)
        assert self.index.active_count == 0

    @precondition(lambda self: self.sealed is not None)
    @rule()
    def write_and_adopt(self) -> None:
        assert self.sealed is not None
        first, last = int(self.sealed.positions[0]), int(self.sealed.positions[-1])
        entry = write_run(
            self.directory,
            self.sealed,
            number=next(self.numbers),
            first_received_at=Instant(first),
            last_received_at=Instant(last),
        )
        self.index.adopt(self.index.open_run(entry), self.sealed)
        self.manifest = (*self.manifest, entry)
        self.sealed = None

    @precondition(lambda self: len(self.manifest) > 1)
    @rule(start=st.integers(0, 5), size=st.integers(2, 5))
    def merge(self, start: int, size: int) -> None:
        start = min(start, len(self.manifest) - 2)
        old = plan_merge(self.index.runs) or self.manifest[start : start + size]
        new = merge_runs(self.directory, old, number=next(self.numbers))
        self.index.replace(old, self.index.open_run(new))
        kept = [entry for entry in self.manifest if entry not in old]
        self.manifest = tuple(sorted([*kept, new], key=lambda entry: entry.first_position))
        remove_runs(self.directory, old)

    @rule(age=st.integers(0, 200))
    def drop_old_runs(self, age: int) -> None:
        bound = Instant(self.next_position - age)
        gone = self.index.drop_before(bound)
        assert gone == tuple(entry for entry in self.manifest if entry.last_received_at < bound)
        self.manifest = tuple(entry for entry in self.manifest if entry not in gone)
        remove_runs(self.directory, gone)
        end = max((entry.last_position for entry in gone), default=0)
        self.pairs = [(position, key) for position, key in self.pairs if position > end]

    @rule()
    def reopen_and_replay_the_tail(self) -> None:
        assert remove_unlisted(self.directory, self.manifest) == []
        self.index = DedupeIndex(self.directory, runs=self.manifest)
        self.sealed = None
        covered = max((entry.last_position for entry in self.manifest), default=0)
        tail = [(position, key) for position, key in self.pairs if position > covered]
        self.index.add(
            np.array([key for _, key in tail], np.uint64), np.array([position for position, _ in tail], np.int64)
        )

    @rule(asked=st.lists(KEYS, max_size=8), repeat=st.sampled_from([1, 20]))
    def ask(self, asked: list[int], repeat: int) -> None:
        hashes = np.array(asked * repeat, np.uint64)
        found = self.index.candidates(hashes)
        expected = [
            (row, position) for row, key in enumerate(hashes.tolist()) for position in sorted(self.positions(key))
        ]
        assert list(zip(found.rows.tolist(), found.positions.tolist(), strict=True)) == expected
        for key in asked:
            assert self.index.find_one(key) == sorted(self.positions(key))

    @invariant()
    def the_hashes_with_most_positions_are_all_there(self) -> None:
        assert self.index.runs == self.manifest
        assert self.index.key_count == len(self.pairs)
        found = self.index.candidates(np.array(HASHES, np.uint64))
        assert len(found) == sum(key in HASHES for _, key in self.pairs)

    @invariant()
    def digests_agree_with_the_log(self) -> None:
        found = self.index.recent_digest
        for entry in self.manifest:
            found = found.joined(check_run(self.directory, entry))
        keys = np.array([key for _, key in self.pairs], np.uint64)
        assert found == PairsDigest().with_pairs(keys, np.array([position for position, _ in self.pairs], np.int64))

    def positions(self, key: int) -> list[int]:
        return [position for position, stored in self.pairs if stored == key]


IndexAgainstDict.TestCase.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
test_the_index_answers_as_a_dict_of_lists_does = IndexAgainstDict.TestCase


def test_a_batch_of_any_size_finds_each_key_in_memory_sealed_or_on_disk(tmp_path: Path) -> None:
    index = DedupeIndex(tmp_path, runs=[])
    hashes = np.random.default_rng(5).integers(0, 1 << 64, 60_000, np.uint64)
    numbers = count(1)
    for start in range(0, 50_000, 10_000):
        part = np.arange(start, start + 10_000)
        index.add(hashes[part], part)
        sealed = index.seal()
        assert sealed is not None
        if start < 40_000:
            entry = write_run(
                tmp_path, sealed, number=next(numbers), first_received_at=Instant(0), last_received_at=Instant(1)
            )
            index.adopt(index.open_run(entry), sealed)
    index.add(hashes[50_000:], np.arange(50_000, 60_000))
    found = index.candidates(hashes)
    assert np.array_equal(found.rows, np.arange(60_000))
    assert np.array_equal(found.positions, np.arange(60_000))
    assert len(index.candidates(hashes[:70])) == 70
    assert len(index.candidates(hashes[:3])) == 3
    assert len(index.candidates(hashes ^ np.uint64(1 << 20))) == 0


def test_a_run_that_finds_no_room_for_its_filter_is_searched_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tallystick.dedupe.dedupe_index.RESERVED_BYTES_MIN", 1 << 12)
    index = DedupeIndex(tmp_path, runs=[])
    hashes = np.random.default_rng(6).integers(0, 1 << 64, 3_000, np.uint64)
    index.add(hashes, np.arange(3_000))
    sealed = index.seal()
    assert sealed is not None
    assert len(index.candidates(hashes)) == 3_000
    entry = write_run(tmp_path, sealed, number=1, first_received_at=Instant(0), last_received_at=Instant(1))
    run = index.open_run(entry)
    index.adopt(run, sealed)
    assert len(index.candidates(hashes)) == 3_000
    assert len(index.candidates(hashes + np.uint64(1))) == 0


def test_keys_are_sealed_again_only_after_the_last_ones_were_adopted(tmp_path: Path) -> None:
    index = DedupeIndex(tmp_path, runs=[])
    assert index.seal() is None
    index.add(np.array([7], np.uint64), np.array([1]))
    sealed = index.seal()
    assert sealed is not None
    with pytest.raises(RuntimeError, match="not adopted"):
        index.seal()
    entry = write_run(tmp_path, sealed, number=1, first_received_at=Instant(0), last_received_at=Instant(0))
    run = index.open_run(entry)
    with pytest.raises(RuntimeError, match="not the keys"):
        index.adopt(run, SealedKeys(sealed.hashes, sealed.positions))
    index.adopt(run, sealed)
    with pytest.raises(RuntimeError, match="not in the index"):
        index.replace([msgspec.structs.replace(entry, file="another")], run)


def test_a_dropped_run_is_readable_until_the_last_reader_is_done(tmp_path: Path) -> None:
    index = DedupeIndex(tmp_path, runs=[])
    index.add(np.array([7, 8], np.uint64), np.array([1, 2]))
    sealed = index.seal()
    assert sealed is not None
    entry = write_run(tmp_path, sealed, number=1, first_received_at=Instant(5), last_received_at=Instant(6))
    run = index.open_run(entry)
    index.adopt(run, sealed)
    assert index.drop_before(Instant(6)) == ()
    assert index.drop_before(Instant(7)) == (entry,)
    remove_runs(tmp_path, [entry, entry])
    assert run.file.find_one(8) == [2]
    assert index.find_one(8) == []
