"""Where merges cut: no file too long, hours whole where they can be."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.instant import NS_PER_HOUR
from tallystick.segments.time_cuts import TimeCut, cut_by_hours


def cut(places: list[tuple[int, int]], rows_max: int) -> tuple[list[TimeCut], list[list[tuple[int, int]]]]:
    """Return the cuts, and the places of each file in order."""
    times = np.array([time for time, _ in places], np.int64)
    positions = np.array([position for _, position in places], np.int64)
    cuts = cut_by_hours(times, positions, rows_max=rows_max)
    edges = [(-1, -1), *((one.time, one.position) for one in cuts), (1 << 62, 0)]
    files = [[place for place in sorted(places) if start <= place < end] for start, end in pairwise(edges)]
    return cuts, files


@settings(max_examples=200, deadline=None)
@given(
    hours=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), min_size=1, max_size=60),
    rows_max=st.integers(1, 20),
)
def test_no_file_has_too_many_rows_and_only_too_long_hours_are_split(
    hours: list[tuple[int, int]], rows_max: int
) -> None:
    places = [(hour * NS_PER_HOUR + offset, position) for position, (hour, offset) in enumerate(hours, start=1)]
    cuts, files = cut(places, rows_max)
    assert cuts == sorted(cuts)
    assert all(0 < len(file) <= rows_max for file in files)
    assert sum(len(file) for file in files) == len(places)
    for one in cuts:
        hour = one.time // NS_PER_HOUR
        in_the_hour = sum(time // NS_PER_HOUR == hour for time, _ in places)
        assert one == TimeCut(hour * NS_PER_HOUR) or in_the_hour > rows_max


def test_files_are_of_about_one_size() -> None:
    _, files = cut([(hour * NS_PER_HOUR, hour) for hour in range(120)], 100)
    assert [len(file) for file in files] == [60, 60]
