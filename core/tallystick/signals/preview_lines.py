"""Levels and durations through their periods, from the lines that usage reads them from.

The figure of a level at an instant is what its statistic says of the stretch from the period's start to then: the highest level so far, the
lowest, the present one, or the average. A duration is the area so far.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import accumulate
from typing import Final

import msgspec

from tallystick.cancellation import check_cancelled
from tallystick.usage.aggregators.series_aggregator import Statistic
from tallystick.usage.lines import Lines

from .preview_track import Flow, Jumps, Track

_Step = tuple[int, int, int]


class Presence(msgspec.Struct, frozen=True):
    """In which `periods` of a group there is anything to say, and when the first event of each came that has events."""

    periods: AbstractSet[int]
    first_events: Mapping[int, int]


_ABSENT: Final = Presence(frozenset(), {})


def tracks_by_group(
    lines: Lines,
    edges: Sequence[int],
    statistic: Statistic,
    *,
    presences: Mapping[int, Presence],
    is_zero_before: bool,
) -> Iterator[tuple[int, dict[int, Track]]]:
    """Yield each group with its tracks by period; period `i` is `[edges[i], edges[i + 1])`.

    A level of 0 without an event is nothing that usage has a row for: until the first event or level of a period there is no figure, or
    (`is_zero_before`) it is 0.
    """
    cutting = _Cutting(edges, statistic, is_zero_before=is_zero_before)
    group: int | None = None
    steps: list[_Step] = []
    columns = (lines.groups.tolist(), lines.starts.tolist(), lines.ends.tolist(), lines.levels.tolist())
    for number, start, end, level in zip(*columns, strict=True):
        if number != group:
            if group is not None:
                yield group, cutting.tracks(steps, presences.get(group, _ABSENT))
            group, steps = number, []
        steps.append((start, end, level * lines.unit))
    if group is not None:
        yield group, cutting.tracks(steps, presences.get(group, _ABSENT))


class _Cutting(msgspec.Struct, frozen=True):
    """How the steps of a line become tracks."""

    edges: Sequence[int]
    statistic: Statistic
    is_zero_before: bool

    def tracks(self, steps: Sequence[_Step], presence: Presence) -> dict[int, Track]:
        """Return the tracks of one group by period."""
        found: dict[int, Track] = {}
        first = 0
        for period in sorted(presence.periods):
            check_cancelled()
            start, end = self.edges[period], self.edges[period + 1]
            while first < len(steps) and steps[first][1] <= start:
                first += 1
            cut: list[_Step] = []
            place = first
            while place < len(steps) and steps[place][0] < end:
                since, until, level = steps[place]
                cut.append((max(since, start), min(until, end), level))
                place += 1
            if cut:
                found[period] = self._track(cut, presence.first_events.get(period))
        return found

    def _track(self, steps: list[_Step], first_event: int | None) -> Track:
        start, end = steps[0][0], steps[-1][1]
        there_from = start
        if not self.is_zero_before:
            known = [since for since, _, level in steps if level][:1] + ([] if first_event is None else [first_event])
            there_from = min(known, default=start)
        place = bisect_right([since for since, _, _ in steps], there_from) - 1
        since, until, level = steps[place]
        if since < there_from:
            # The level was 0 before, and is: what begins is that there is something to say.
            steps = [*steps[:place], (since, there_from, level), (there_from, until, level), *steps[place + 1 :]]
        instants, levels = [since for since, _, _ in steps], [level for _, _, level in steps]
        if self.statistic in (Statistic.AVERAGE, Statistic.SECONDS):
            areas = list(accumulate(((until - since) * level for since, until, level in steps), initial=0))[:-1]
            is_average = self.statistic is Statistic.AVERAGE
            return Flow(start, end, instants, levels, areas, is_average=is_average, there_from=there_from)
        if self.statistic is Statistic.PEAK:
            levels = list(accumulate(levels, max))
        elif self.statistic is Statistic.LOW:
            levels = list(accumulate(levels, min))
        units = [level if instant >= there_from else None for instant, level in zip(instants, levels, strict=True)]
        return Jumps(instants, units, None)
