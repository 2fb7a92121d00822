"""A track: a figure through one period, so that it can be looked at at any instant.

A figure at an instant is what usage would answer then, had each event arrived at its own time: of what lies between the period's start and
that instant, the instant's own events included.
Most figures jump when events come and stand still between. Two flow: the area under a level (a duration), and its average over time.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Final, Protocol

import msgspec

from tallystick.instant import NS_PER_S


class Track(Protocol):
    """One figure of one subject in one period, in whole units of 10^-12; None where there is none."""

    @property
    def instants(self) -> Sequence[int]:
        """Return when it may jump, in order."""
        ...

    @property
    def flows(self) -> bool:
        """Whether it may change between two of those instants; it goes one way then."""
        ...

    def units_at(self, instant: int) -> int | None:
        """Return the figure at an instant of the period."""
        ...


class Jumps(msgspec.Struct, frozen=True):
    """A figure that stands still between instants: `units[i]` from `instants[i]` on, `nothing` before the first."""

    instants: Sequence[int]
    units: Sequence[int | None]
    nothing: int | None
    flows: bool = False

    def units_at(self, instant: int) -> int | None:
        """Return the figure at an instant."""
        place = bisect_right(self.instants, instant)
        return self.units[place - 1] if place else self.nothing


class Flow(msgspec.Struct, frozen=True):
    """The area under a level, in seconds, or its average since `start`: the level is `levels[i]` from `instants[i]` on, in units.

    `areas[i]` is the area before `instants[i]`, in units times nanoseconds. The first instant is `start`, and the level stands until `end`.
    Before `there_from` there is no figure.
    """

    start: int
    end: int
    instants: Sequence[int]
    levels: Sequence[int]
    areas: Sequence[int]
    is_average: bool
    there_from: int
    flows: bool = True

    def units_at(self, instant: int) -> int | None:
        """Return the figure at an instant: the level at that very instant counts, but no time."""
        if instant < self.there_from:
            return None
        instant = min(instant, self.end)
        place = bisect_right(self.instants, instant) - 1
        area = self.areas[place] + self.levels[place] * (instant - self.instants[place])
        if not self.is_average:
            return area // NS_PER_S
        width = instant - self.start
        return _half_even(area, width) if width else self.levels[place]


def nothing_in(units: int | None) -> Jumps:
    """Return the track of a period in which nothing happened."""
    return Jumps((), (), units)


def _half_even(dividend: int, divisor: int) -> int:
    quotient, rest = divmod(dividend, divisor)
    return quotient + (2 * rest > divisor or (2 * rest == divisor and quotient % 2 == 1))


NOTHING: Final = nothing_in(None)
