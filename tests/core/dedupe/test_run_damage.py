"""Damaged run files: found at open or when the damaged page is read, never answered from."""

from __future__ import annotations

import stat
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tallystick.dedupe import DedupeIndex, PairsDigest, RunEntry, SealedKeys, check_run, merge_runs, write_run
from tallystick.dedupe.run_header import HEADER_BYTES
from tallystick.dedupe.run_writer import RunWriter
from tallystick.errors import DamagedStore, NewerFormat
from tallystick.instant import Instant

COUNT = 1_000
HASHES = np.random.default_rng(9).integers(0, 1 << 64, COUNT, np.uint64)
POSITIONS = np.arange(COUNT) + 500
DIGEST = PairsDigest().with_pairs(HASHES, POSITIONS)


@pytest.fixture
def entry(tmp_path: Path) -> RunEntry:
    return write_run(
        tmp_path, SealedKeys(HASHES, POSITIONS), number=3, first_received_at=Instant(1), last_received_at=Instant(2)
    )


def ask_for_everything(directory: Path, entry: RunEntry) -> None:
    """Open the run and ask for every key in both ways; wrong answers fail, damage raises."""
    index = DedupeIndex(directory, runs=[entry])
    found = index.candidates(HASHES)
    assert np.array_equal(found.positions, POSITIONS)
    for key, position in zip(HASHES.tolist(), POSITIONS.tolist(), strict=True):
        assert index.find_one(key) == [position]


def test_a_whole_file_answers_and_is_for_its_owner_only(tmp_path: Path, entry: RunEntry) -> None:
    ask_for_everything(tmp_path, entry)
    assert check_run(tmp_path, entry).count == COUNT
    path = tmp_path / entry.file
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.stat().st_size == entry.file_bytes
    assert [each.name for each in tmp_path.iterdir()] == [entry.file]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bit=st.integers(0))
def test_a_flipped_bit_anywhere_is_found_wherever_it_is(tmp_path: Path, entry: RunEntry, bit: int) -> None:
    path = tmp_path / entry.file
    whole = path.read_bytes()
    at, bit_in_byte = divmod(bit % (len(whole) * 8), 8)
    broken = bytearray(whole)
    broken[at] ^= 1 << bit_in_byte
    path.write_bytes(broken)
    try:
        with pytest.raises(DamagedStore) as caught:
            check_run(tmp_path, entry)
        assert caught.value.position == 500
        with pytest.raises(DamagedStore):
            ask_for_everything(tmp_path, entry)
        # A merge makes the filter anew, so it may not notice that the old one is damaged; then what it makes is whole.
        with suppress(DamagedStore):
            assert check_run(tmp_path, merge_runs(tmp_path, [entry], number=4)) == DIGEST
    finally:
        path.write_bytes(whole)


@pytest.mark.parametrize("size", [0, 1, 4_095, 4_096, 4_097, -8, -1])
def test_a_file_cut_short_is_refused_when_it_is_opened(tmp_path: Path, entry: RunEntry, size: int) -> None:
    path = tmp_path / entry.file
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(DamagedStore, match="bytes instead of"):
        DedupeIndex(tmp_path, runs=[entry])


def test_a_file_cut_short_while_it_is_open_is_found_by_the_next_lookup(tmp_path: Path, entry: RunEntry) -> None:
    index = DedupeIndex(tmp_path, runs=[entry])
    with (tmp_path / entry.file).open("r+b") as file:
        file.truncate(HEADER_BYTES + 900)
    with pytest.raises(DamagedStore, match="ends within page"):
        index.candidates(HASHES)
    with pytest.raises(DamagedStore, match="ends within page"):
        index.candidates(HASHES[-1:])


def test_a_missing_file_is_damage_and_not_an_empty_index(tmp_path: Path, entry: RunEntry) -> None:
    (tmp_path / entry.file).unlink()
    with pytest.raises(DamagedStore, match="missing"):
        DedupeIndex(tmp_path, runs=[entry])


def test_another_whole_run_in_place_of_this_one_is_refused(tmp_path: Path, entry: RunEntry) -> None:
    write_run(
        tmp_path, SealedKeys(HASHES, POSITIONS + 1), number=3, first_received_at=Instant(1), last_received_at=Instant(2)
    )
    with pytest.raises(DamagedStore, match="another file"):
        DedupeIndex(tmp_path, runs=[entry])


def test_a_run_of_a_newer_format_is_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tallystick.dedupe.run_writer.FORMAT_VERSION", 2)
    newer = write_run(
        tmp_path, SealedKeys(HASHES, POSITIONS), number=3, first_received_at=Instant(1), last_received_at=Instant(2)
    )
    with pytest.raises(NewerFormat, match="format 2"):
        DedupeIndex(tmp_path, runs=[newer])


def test_a_file_that_is_no_run_is_refused_though_its_checksums_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("tallystick.dedupe.run_header._MAGIC", b"notarun!")
        other = write_run(
            tmp_path, SealedKeys(HASHES, POSITIONS), number=3, first_received_at=Instant(1), last_received_at=Instant(2)
        )
    with pytest.raises(DamagedStore, match="no run of the dedupe index"):
        DedupeIndex(tmp_path, runs=[other])


def small_run(directory: Path, *, hashes: list[int], positions: list[int], count: int = 2) -> RunEntry:
    """Write a run whose entry says positions 10 to 11, whatever keys are in it, added one by one."""
    with RunWriter(
        directory,
        number=1,
        count=count,
        first_position=10,
        last_position=11,
        first_received_at=Instant(0),
        last_received_at=Instant(0),
    ) as writer:
        for key, position in zip(hashes, positions, strict=True):
            writer.add(np.array([key], np.uint64), np.array([position]))
        return writer.finish()


def test_keys_out_of_order_are_found_by_the_check(tmp_path: Path) -> None:
    with pytest.raises(DamagedStore, match="out of order"):
        check_run(tmp_path, small_run(tmp_path, hashes=[5, 3], positions=[10, 11]))


def test_keys_that_belong_to_other_positions_are_found_by_the_check(tmp_path: Path) -> None:
    with pytest.raises(DamagedStore, match="outside its range"):
        check_run(tmp_path, small_run(tmp_path, hashes=[3, 5], positions=[10, 12]))


def test_too_few_keys_make_no_run(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="2 keys were added to a run of 3"):
        small_run(tmp_path, hashes=[3, 5], positions=[10, 11], count=3)
    assert list(tmp_path.iterdir()) == []


def test_an_empty_run_or_one_of_too_many_positions_is_never_written(tmp_path: Path) -> None:
    for count, last in ((0, 1), (1, 1 << 33)):
        with pytest.raises(ValueError, match="cannot be written"):
            RunWriter(
                tmp_path, number=1, count=count, first_position=1, last_position=last,
                first_received_at=Instant(0), last_received_at=Instant(0),
            )  # fmt: skip
    assert list(tmp_path.iterdir()) == []
