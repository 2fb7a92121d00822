"""Walking along a track: at which instants the level of a condition changes, and what the figures are there.

Pure. The decisions are those of the evaluator (`gauge`, `ladder`); only that it looks when somebody looks, and this finds the instant.
Where a figure flows, the instant is the first nanosecond at which the level is another, found by halving: between two jumps what a
gauge shows goes one way, but for the size of a change, which is looked at on either side of the instant at which its sign turns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Final

import msgspec

from tallystick.cancellation import check_cancelled

from .calendar_period import Span
from .gauge import Gauge, GaugeKind, change_units
from .ladder import Ladder
from .preview_track import Track

_CHECK_EVERY: Final = 4_096
_SIZES: Final = {GaugeKind.CHANGE_ANY, GaugeKind.PERCENT_ANY}


class Crossing(msgspec.Struct, frozen=True):
    """At `at` the level becomes another: `before` and `after`, with the figure and that of the period before."""

    at: int
    before: int
    after: int
    figure: int | None
    base: int | None


class Walk(msgspec.Struct, frozen=True):
    """One subject in one period: `until` is the first instant that is not looked at. Without a `base` the figure alone is looked at."""

    gauge: Gauge
    ladder: Ladder
    span: Span
    until: int
    track: Track
    base: Track | None = None
    before: Span | None = None

    def crossings(self) -> Iterator[Crossing]:
        """Yield where the level changes, in order of time; it begins at 0."""
        level = 0
        instants = self._instants()
        for number, (at, following) in enumerate(pairwise([*instants, self.until])):
            if number % _CHECK_EVERY == 0:
                check_cancelled()
            since = at
            for looked_at in self._looks(at, following):
                while self._level_at(looked_at) != level:
                    # At the jump itself; or, past it, at the first instant since the one before, at which the level was this.
                    since = at if looked_at == at else self._first(since, looked_at, level)
                    after = self._level_at(since)
                    yield Crossing(since, level, after, *self._figures_at(since))
                    level = after
                since = looked_at

    def _instants(self) -> list[int]:
        found = {int(each) for each in self.track.instants}
        if self.base is not None and self.before is not None:
            shift = self.span.start - self.before.start
            found.update(each + shift for each in (*self.base.instants, self.before.end))
        return sorted(each for each in found if self.span.start <= each < self.until)

    def _looks(self, at: int, following: int) -> list[int]:
        """Return where between two jumps to look: at the first instant, and where a figure flows at the last, and where a sign turns."""
        last = following - 1
        flows = self.track.flows or (self.base is not None and self.base.flows)
        if not flows or last == at:
            return [at]
        if self.gauge.kind in _SIZES and self._is_rise(at) != self._is_rise(last):
            is_rise = self._is_rise(at)
            turn = _first_where(lambda instant: self._is_rise(instant) != is_rise, at, last)
            return [at, turn - 1, turn, last]
        return [at, last]

    def _is_rise(self, instant: int) -> bool:
        figure, base = self._figures_at(instant)
        return figure is not None and base is not None and figure >= base

    def _first(self, since: int, looked_at: int, level: int) -> int:
        return _first_where(lambda instant: self._level_at(instant) != level, since, looked_at)

    def _level_at(self, instant: int) -> int:
        figure, base = self._figures_at(instant)
        if self.base is not None:
            return self.ladder.height(change_units(self.gauge, figure, base))
        is_down = self.gauge.kind is GaugeKind.FIGURE_DOWN
        return self.ladder.height(-figure if is_down and figure is not None else figure)

    def _figures_at(self, instant: int) -> tuple[int | None, int | None]:
        figure = self.track.units_at(instant)
        if self.base is None or self.before is None:
            return figure, None
        # No further than the period before went: a day of 25 hours is compared with all of one of 24 in its last hour.
        return figure, self.base.units_at(min(self.before.start + (instant - self.span.start), self.before.end))


def _first_where(is_so: Callable[[int], bool], before: int, after: int) -> int:
    """Return the first instant in `(before, after]` at which it is so; it is not before, and is so from then on."""
    while after - before > 1:
        middle = (before + after) // 2
        if is_so(middle):
            after = middle
        else:
            before = middle
    return after
