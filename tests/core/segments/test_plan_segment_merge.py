"""Which segments are merged: few files for a question, and a bounded number of rewrites, whatever order events come in."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.instant import NS_PER_DAY, NS_PER_HOUR
from tallystick.segments.plan_merge import FAN_IN, MERGE_FILES_MAX, MERGE_ROWS_MAX, is_settled, plan_merge
from tallystick.segments.segment_entry import SegmentEntry
from tallystick.segments.segment_layout import FILE_ROWS_MAX

# One simulated row stands for so many, to keep a simulation of 50 million events in a second.
SCALE = 4_096
CHECKPOINT_ROWS = 262_144


def entry(file: str, times: Iterable[int], *, level: int = 0, rows: int | None = None) -> SegmentEntry:
    sorted_times = sorted(times)
    return SegmentEntry(
        file=file,
        rows=rows if rows is not None else len(sorted_times) * SCALE,
        level=level,
        first_position=1,
        last_position=1,
        first_time=sorted_times[0],
        last_time=sorted_times[-1],
        file_bytes=1,
        checksum=b"",
        types=("a",),
        properties=(),
        has_rest=False,
        time_unit_ns=1,
    )


class Simulation:
    """Checkpoints and merges of times alone."""

    def __init__(self) -> None:
        self.times: dict[str, np.ndarray[tuple[int], np.dtype[np.int64]]] = {}
        self.entries: dict[str, SegmentEntry] = {}
        self.rows_written = 0
        self.rows_taken = 0

    def checkpoint(self, times: np.ndarray[tuple[int], np.dtype[np.int64]]) -> None:
        self.rows_taken += len(times)
        self._add(times, level=0)
        while plan := plan_merge(self.entries.values()):
            assert FAN_IN <= len(plan.entries) <= MERGE_FILES_MAX
            gathered = np.sort(np.concatenate([self.times.pop(one.file) for one in plan.entries]))
            for one in plan.entries:
                del self.entries[one.file]
            for part in self._cut(gathered):
                self._add(part, level=plan.level)

    def overlap(self) -> int:
        """How many files the most crowded hour is in."""
        hours = sorted({int(time) for times in self.times.values() for time in (times[0], times[-1])})
        ranges = [(int(times[0]), int(times[-1])) for times in self.times.values()]
        return max(sum(first <= hour <= last for first, last in ranges) for hour in hours)

    def rewrites(self) -> float:
        return self.rows_written / self.rows_taken

    def _add(self, times: np.ndarray[tuple[int], np.dtype[np.int64]], *, level: int) -> None:
        file = f"{len(self.times)}-{self.rows_written}-{self.rows_taken}"
        self.rows_written += len(times)
        self.times[file] = np.sort(times)
        self.entries[file] = entry(file, (int(times.min()), int(times.max())), level=level, rows=len(times) * SCALE)

    @staticmethod
    def _cut(times: np.ndarray[tuple[int], np.dtype[np.int64]]) -> list[np.ndarray[tuple[int], np.dtype[np.int64]]]:
        files = -(-len(times) * SCALE // FILE_ROWS_MAX)
        return [part for part in np.array_split(times, files) if len(part)]


Times = np.ndarray[tuple[int], np.dtype[np.int64]]
ROWS = CHECKPOINT_ROWS // SCALE
CHECKPOINTS = 190  # 50 million events


def in_order(random: np.random.Generator, number: int) -> Times:
    return random.integers(number * 600, (number + 1) * 600, ROWS) * 1_000_000_000


def in_no_order(random: np.random.Generator, number: int) -> Times:
    del number
    return random.integers(0, 365 * NS_PER_DAY, ROWS)


def now_and_some_late(random: np.random.Generator, number: int) -> Times:
    times = in_order(random, number) + 30 * NS_PER_DAY
    times[:3] -= random.integers(0, 30 * NS_PER_DAY, 3)
    return times


def all_at_one_instant(random: np.random.Generator, number: int) -> Times:
    del random, number
    return np.full(ROWS, NS_PER_DAY, np.int64)


def small_checkpoints(random: np.random.Generator, number: int) -> Times:
    return random.integers(number * 300, (number + 1) * 300, 2) * 1_000_000_000


@pytest.mark.parametrize(
    ("arrival", "files_max", "rewrites_max", "overlap_max"),
    [
        (in_order, 80, 2, 5),
        (in_no_order, 80, 3, 20),
        (now_and_some_late, 80, 3, 15),
        (all_at_one_instant, 80, 2, 80),
        (small_checkpoints, 20, 3, 3),
    ],
)
def test_files_stay_few_and_rewrites_bounded(
    arrival: Callable[[np.random.Generator, int], Times], files_max: int, rewrites_max: float, overlap_max: int
) -> None:
    random = np.random.default_rng(1)
    simulation = Simulation()
    for number in range(CHECKPOINTS):
        simulation.checkpoint(arrival(random, number))
    assert len(simulation.entries) <= files_max
    assert simulation.rewrites() <= rewrites_max
    assert simulation.overlap() <= overlap_max


def test_nothing_is_planned_below_the_fan_in() -> None:
    assert plan_merge([entry(str(n), (0, NS_PER_DAY)) for n in range(FAN_IN - 1)]) is None


def test_files_of_different_levels_are_not_merged() -> None:
    assert plan_merge([entry(str(n), (0, NS_PER_DAY), level=n % 2) for n in range(2 * FAN_IN - 2)]) is None


def test_a_full_file_within_an_hour_is_left_as_it_is() -> None:
    full = [entry(str(n), (0, NS_PER_HOUR - 1), rows=FILE_ROWS_MAX) for n in range(2 * FAN_IN)]
    assert all(is_settled(one) for one in full)
    assert plan_merge(full) is None


def test_full_files_that_follow_one_another_are_left_as_they_are() -> None:
    days = [(day * NS_PER_DAY, (day + 1) * NS_PER_DAY - 1) for day in range(100)]
    assert plan_merge([entry(str(day), range_, rows=FILE_ROWS_MAX) for day, range_ in enumerate(days)]) is None


def test_small_neighbours_are_merged_rather_than_distant_ones() -> None:
    far = [entry(f"far{n}", (n * NS_PER_DAY, n * NS_PER_DAY + 1)) for n in range(5)]
    near = [entry(f"near{n}", (100 * NS_PER_DAY + n, 100 * NS_PER_DAY + n)) for n in range(FAN_IN)]
    plan = plan_merge([*far, *near])
    assert plan is not None
    assert {one.file for one in plan.entries} == {one.file for one in near}


@settings(max_examples=200, deadline=None)
@given(
    files=st.lists(
        st.tuples(st.integers(0, 50), st.integers(0, 50), st.integers(1, FILE_ROWS_MAX), st.integers(0, 3)),
        max_size=60,
    ),
    order=st.integers(),
)
def test_a_plan_is_within_its_limits_and_the_same_for_any_order(
    files: list[tuple[int, int, int, int]], order: int
) -> None:
    entries = [
        entry(str(n), (first * NS_PER_HOUR, (first + hours) * NS_PER_HOUR), rows=rows, level=level)
        for n, (first, hours, rows, level) in enumerate(files)
    ]
    plan = plan_merge(entries)
    Random(order).shuffle(entries)
    assert plan_merge(entries) == plan
    if plan is not None:
        assert FAN_IN <= len(plan.entries) == len({one.file for one in plan.entries}) <= MERGE_FILES_MAX
        assert {one.level for one in plan.entries} == {plan.level - 1}
        assert sum(one.rows for one in plan.entries[:-1]) <= max(MERGE_ROWS_MAX, FAN_IN * FILE_ROWS_MAX)
