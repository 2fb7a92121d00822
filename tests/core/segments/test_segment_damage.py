"""A segment that is not what was written is refused by every question, and a crash while one is written leaves nothing behind."""

from __future__ import annotations

import stat
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.failpoints import CrashedHere, FailpointHit, armed, crash, fail, was_reached
from tallystick.segments import (
    DamagedSegment,
    MergePlan,
    SegmentEntry,
    SegmentSet,
    check_files,
    merge_segments,
    remove_unlisted,
    write_segments,
)
from tests.core.segments.recorded import NOON, Recorded, answered, as_columns, expected

FOR_EVER = 1 << 62
EVENTS = [
    Recorded(
        position=position,
        type="api_call",
        customer=f"customer-{position % 7}",
        time=NOON + position,
        value=Decimal(position),
        properties={"region": "eu", "tokens": Decimal(position)},
    )
    for position in range(1, 500)
]
STEPS = ("begin", "written", "synced", "renamed", "directory_synced")


@pytest.fixture
def written(tmp_path: Path) -> SegmentEntry:
    (entry,) = write_segments(tmp_path, as_columns(EVENTS), next_number=7)
    return entry


def question(directory: Path, entry: SegmentEntry) -> list[pl.LazyFrame]:
    return SegmentSet(directory, [entry]).frames(event_type="api_call", start=0, end=FOR_EVER)


def assert_refused(directory: Path, entry: SegmentEntry) -> None:
    segments = SegmentSet(directory, [entry])
    with pytest.raises(DamagedSegment, match=entry.file):
        segments.frames(event_type="api_call", start=0, end=FOR_EVER)
    with pytest.raises(DamagedSegment):
        segments.newest(limit=1)
    with pytest.raises(DamagedSegment):
        segments.customers(limit=1)
    with pytest.raises(DamagedSegment):
        merge_segments(directory, MergePlan((entry,), 1), next_number=100)
    assert [damaged.file for damaged in check_files(directory, [entry])] == [entry.file]


@settings(max_examples=60, deadline=None)
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_one_bit_flipped_anywhere_is_refused(tmp_path_factory: pytest.TempPathFactory, place: float, bit: int) -> None:
    directory = tmp_path_factory.mktemp("flipped")
    (entry,) = write_segments(directory, as_columns(EVENTS[:50]), next_number=1)
    content = bytearray((directory / entry.file).read_bytes())
    content[int(place * len(content))] ^= 1 << bit
    (directory / entry.file).write_bytes(content)
    with pytest.raises(DamagedSegment):
        question(directory, entry)


def test_a_missing_file_is_refused(tmp_path: Path, written: SegmentEntry) -> None:
    (tmp_path / written.file).unlink()
    assert_refused(tmp_path, written)


@pytest.mark.parametrize("change", [-1, 1, -1_000_000])
def test_a_file_cut_short_or_grown_is_refused(tmp_path: Path, written: SegmentEntry, change: int) -> None:
    content = (tmp_path / written.file).read_bytes()
    (tmp_path / written.file).write_bytes(content[: max(0, len(content) + change)] if change < 0 else content + b"x")
    assert_refused(tmp_path, written)


def test_another_segment_under_the_same_name_is_refused(tmp_path: Path, written: SegmentEntry) -> None:
    write_segments(tmp_path, as_columns(EVENTS[:100]), next_number=7)
    assert_refused(tmp_path, written)


def test_a_file_cut_after_it_was_verified_is_refused_too(tmp_path: Path, written: SegmentEntry) -> None:
    segments = SegmentSet(tmp_path, [written])
    segments.frames(event_type="api_call", start=0, end=FOR_EVER)
    with (tmp_path / written.file).open("r+b") as file:
        file.truncate(100)
    with pytest.raises(DamagedSegment):
        segments.frames(event_type="api_call", start=0, end=FOR_EVER)


def test_a_sound_file_passes_the_check(tmp_path: Path, written: SegmentEntry) -> None:
    assert check_files(tmp_path, [written]) == []
    assert stat.S_IMODE((tmp_path / written.file).stat().st_mode) == 0o600


@pytest.mark.parametrize("step", STEPS)
def test_a_crash_while_a_segment_is_written_leaves_a_directory_that_can_be_written_again(
    tmp_path: Path, step: str
) -> None:
    with armed(f"segments.{step}", crash), pytest.raises(CrashedHere):
        write_segments(tmp_path, as_columns(EVENTS), next_number=1)
    assert was_reached(f"segments.{step}")
    remove_unlisted(tmp_path, [])
    assert list(tmp_path.iterdir()) == []
    (entry,) = write_segments(tmp_path, as_columns(EVENTS), next_number=1)
    assert answered(question(tmp_path, entry)) == expected(EVENTS, [])


@pytest.mark.parametrize("step", STEPS)
def test_a_disk_that_fails_raises_and_keeps_no_temporary_file(tmp_path: Path, step: str) -> None:
    with armed(f"segments.{step}", fail), pytest.raises(FailpointHit):
        write_segments(tmp_path, as_columns(EVENTS), next_number=1)
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".tmp"] == []


def test_a_crash_between_two_files_of_a_merge_leaves_its_inputs_alone(tmp_path: Path, written: SegmentEntry) -> None:
    with armed("segments.merge_file", crash), pytest.raises(CrashedHere):
        merge_segments(tmp_path, MergePlan((written,), 1), next_number=8, file_rows_max=100)
    assert answered(question(tmp_path, written)) == expected(EVENTS, [])


def test_only_segments_that_nobody_lists_are_removed(tmp_path: Path, written: SegmentEntry) -> None:
    (tmp_path / "000000000009.parquet").write_bytes(b"left behind")
    (tmp_path / "000000000010.parquet.tmp").write_bytes(b"torn")
    (tmp_path / "notes.txt").write_text("not ours")
    assert remove_unlisted(tmp_path, [written]) == ["000000000009.parquet", "000000000010.parquet.tmp"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [written.file, "notes.txt"]
