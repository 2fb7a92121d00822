"""Verifying finds whatever makes segments differ from the log, and names the first position."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.segments import MergePlan, SegmentEntry, merge_segments, verify_segments, write_segments
from tests.core.segments.recorded import NOON, Recorded, as_columns, cut_columns, recorded_events


def event(position: int, **properties: str) -> Recorded:
    return Recorded(
        position=position,
        type="api_call",
        customer="acme",
        time=NOON + position,
        value=Decimal(position),
        properties={"region": "eu", "n" * 70: str(position), **properties},
    )


LOG = [event(position) for position in range(1, 9_001)]


def write(directory: Path, events: Sequence[Recorded], cuts: Sequence[int] = ()) -> list[SegmentEntry]:
    entries: list[SegmentEntry] = []
    for part in cut_columns(events, cuts):
        entries += write_segments(directory, part, next_number=len(entries) + 1)
    return entries


@settings(max_examples=25, deadline=None)
@given(events=recorded_events(), cuts=st.lists(st.integers(0, 40), max_size=4), rewrites=st.integers(0, 1))
def test_segments_made_from_the_log_agree_with_it(
    tmp_path_factory: pytest.TempPathFactory, events: list[Recorded], cuts: list[int], rewrites: int
) -> None:
    directory = tmp_path_factory.mktemp("verified")
    entries = write(directory, events, cuts)
    if rewrites and entries:
        entries = merge_segments(directory, MergePlan(tuple(entries), 1), next_number=100, file_rows_max=7)
    assert verify_segments(directory, entries, iter(as_columns(events))) is None


@pytest.mark.parametrize(
    ("stored", "position", "detail"),
    [
        ([*LOG[:4_999], *LOG[5_000:]], 5_000, "in no segment"),
        (LOG[:8_990], 8_991, "in no segment"),
        ([*LOG, event(9_001)], 9_001, "does not have"),
        ([*LOG, event(20_000)], 20_000, "does not have"),
        ([*LOG[:4_999], event(5_000, region="us"), *LOG[5_000:]], 5_000, "another event"),
        ([*LOG[:4_999], event(5_000, new="us"), *LOG[5_000:]], 5_000, "another event"),
        ([*LOG[:4_999], event(5_000, **{"n" * 70: "0"}), *LOG[5_000:]], 5_000, "another event"),
        ([*LOG[:4_999], msgspec.structs.replace(LOG[4_999], customer="b"), *LOG[5_000:]], 5_000, "another event"),
        ([*LOG[:4_999], msgspec.structs.replace(LOG[4_999], time=NOON), *LOG[5_000:]], 5_000, "another event"),
        ([*LOG[:4_999], msgspec.structs.replace(LOG[4_999], value=Decimal(1)), *LOG[5_000:]], 5_000, "another event"),
    ],
)
def test_a_difference_is_named_by_its_position(
    tmp_path: Path, stored: list[Recorded], position: int, detail: str
) -> None:
    difference = verify_segments(tmp_path, write(tmp_path, stored, [3_000]), iter(as_columns(LOG)))
    assert difference is not None
    assert (difference.position, detail in difference.detail) == (position, True)


def test_an_event_in_two_segments_is_found(tmp_path: Path) -> None:
    entries = write(tmp_path, LOG)
    entries += write_segments(tmp_path, as_columns(LOG[99:100]), next_number=2)
    difference = verify_segments(tmp_path, entries, iter(as_columns(LOG)))
    assert difference is not None
    assert (difference.position, difference.detail) == (100, "the event is in the segments 2 times")


def test_two_events_that_swapped_their_places_are_found(tmp_path: Path) -> None:
    swapped = [*LOG]
    swapped[10], swapped[11] = (
        msgspec.structs.replace(LOG[11], position=11),
        msgspec.structs.replace(LOG[10], position=12),
    )
    difference = verify_segments(tmp_path, write(tmp_path, swapped), iter(as_columns(LOG)))
    assert difference is not None
    assert difference.position == 11


@pytest.mark.parametrize(
    "lie",
    [
        {"rows": 8_999},
        {"rows": 9_001},
        {"first_position": 2},
        {"last_position": 8_999},
        {"first_time": NOON + 2},
        {"last_time": NOON},
        {"types": ("other",)},
        {"has_rest": False},
    ],
)
def test_an_entry_that_would_prune_wrongly_is_found(tmp_path: Path, lie: dict[str, object]) -> None:
    (entry,) = write(tmp_path, LOG)
    difference = verify_segments(tmp_path, [msgspec.structs.replace(entry, **lie)], iter(as_columns(LOG)))
    assert difference is not None
    assert next(iter(lie)) in difference.detail
