"""The level of each group over a stretch of time, as a line of steps: the sum of the levels of its series.

Promises: exact. A step is half-open and never empty: what holds for no time at all, such as a level of two events at one instant, is not on
the line. Each group's steps touch, and cover `[start, end)`.
How: what a series does is a list of changes, each a number and an instant; the sum of many series is a running sum over their changes in
order of time, however many there are.
"""

from __future__ import annotations

import msgspec
import numpy as np
import polars as pl

from tallystick.instant import Instant

from .aggregators.series_aggregator import FIRST
from .exact_numbers import Numbers
from .series_levels import GROUP, Int64s, SeriesLevels, order_by, sums_since


class Lines(msgspec.Struct, frozen=True, eq=False):
    """Steps by group, then time: from `starts[i]` to `ends[i]` the level of `groups[i]` is `levels[i]` times `unit` units.

    `events` says how many happened within: columns `group`, `first` (their time) and `events`.
    """

    groups: Int64s
    starts: Int64s
    ends: Int64s
    levels: Numbers
    unit: int
    events: pl.DataFrame

    def of_groups(self, wanted: Int64s) -> Lines:
        """Return the lines of some groups."""
        kept = np.isin(self.groups, wanted)
        return Lines(
            groups=self.groups[kept],
            starts=self.starts[kept],
            ends=self.ends[kept],
            levels=self.levels[kept],
            unit=self.unit,
            events=self.events.filter(pl.col(GROUP).is_in(pl.Series(wanted).implode())),
        )


def draw_lines(of: SeriesLevels, *, group_count: int, start: Instant, end: Instant) -> Lines:
    """Draw the line of each group over `[start, end)`; there is none where that is empty."""
    if start >= end:
        return _no_lines(of)
    rises = of.levels.copy()
    rises[1:] -= np.where(of.continues[1:], of.levels[:-1], 0)
    # A level falls where its interval ends and the next of its series does not begin.
    falls = of.ends < end
    falls[:-1] &= ~of.continues[1:]
    every_group = np.arange(group_count)
    groups = np.concatenate([every_group, of.groups, of.groups[falls]])
    times = np.concatenate([np.full(group_count, start), of.starts, of.ends[falls]])
    numbers = np.concatenate([np.zeros(group_count, rises.dtype), rises, -of.levels[falls]])
    # What happened before the range is as if it happened at its start.
    groups, times, numbers = _in_order(groups, np.maximum(times, start), numbers)

    is_first = np.ones(len(groups), np.bool_)
    is_first[1:] = groups[1:] != groups[:-1]
    is_last_of_instant = np.ones(len(groups), np.bool_)
    is_last_of_instant[:-1] = is_first[1:] | (times[1:] != times[:-1])
    levels = sums_since(numbers, is_first)[is_last_of_instant]
    groups, starts = groups[is_last_of_instant], times[is_last_of_instant]
    ends = np.full(len(starts), int(end))
    is_followed = groups[1:] == groups[:-1]
    ends[:-1][is_followed] = starts[1:][is_followed]
    return Lines(
        groups=groups,
        starts=starts,
        ends=ends,
        levels=levels,
        unit=of.unit,
        events=of.events.filter(pl.col(FIRST) >= start),
    )


def _no_lines(of: SeriesLevels) -> Lines:
    nothing = np.empty(0, np.int64)
    return Lines(groups=nothing, starts=nothing, ends=nothing, levels=nothing, unit=1, events=of.events.clear())


def _in_order(groups: Int64s, times: Int64s, numbers: Numbers) -> tuple[Int64s, Int64s, Numbers]:
    order = order_by(groups, times).to_numpy()
    return groups[order], times[order], numbers[order]
