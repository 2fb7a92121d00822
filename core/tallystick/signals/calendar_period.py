"""Calendar periods: the hour, day, week or month of a zone that an instant lies in, and the one before.

Promises: periods are cut exactly as windows of usage are (`usage.windows`), daylight saving included: they touch each other, and each
instant lies in one.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Final

import msgspec
import numpy as np

from tallystick.instant import EARLIEST, NS_PER_DAY, NS_PER_HOUR, Instant
from tallystick.usage.question import WindowSize
from tallystick.usage.windows import cut_windows

from .signal import Period

# Longer than any period of the size, moved clocks and dates that were left out included.
_LONGEST_NS: Final = {
    Period.HOUR: 4 * NS_PER_HOUR,
    Period.DAY: 3 * NS_PER_DAY,
    Period.WEEK: 9 * NS_PER_DAY,
    Period.MONTH: 33 * NS_PER_DAY,
}


class Span(msgspec.Struct, frozen=True):
    """One period, `[start, end)`."""

    start: Instant
    end: Instant


@lru_cache(maxsize=4_096)
def span_at(instant: Instant, period: Period, zone: str) -> Span:
    """Return the period that the instant lies in; the first one begins at the first instant there is."""
    longest = _LONGEST_NS[period]
    start, end = Instant(max(instant - longest, EARLIEST)), Instant(instant + longest + 1)
    edges = cut_windows(start, end, WindowSize(period.value), zone).edges
    place = int(np.searchsorted(edges, instant, side="right"))
    return Span(Instant(int(edges[place - 1])), Instant(int(edges[place])))


def span_before(span: Span, period: Period, zone: str) -> Span:
    """Return the period that ends where this one begins; an empty one before the first."""
    if span.start <= EARLIEST:
        return Span(span.start, span.start)
    return span_at(Instant(span.start - 1), period, zone)


def spans_between(first: Instant, last: Instant, period: Period, zone: str) -> Iterator[Span]:
    """Yield the periods from the one that `first` lies in to the one that `last` lies in."""
    span = span_at(first, period, zone)
    while span.end <= last:
        yield span
        span = span_at(span.end, period, zone)
    yield span


def elapsed_before(span: Span, before: Span, until: Instant) -> Span:
    """Return the part of the period before that had gone by when this one was as old as it is at `until`; never past its end.

    Elapsed is time that went by, not what clocks show: an hour after midnight is an hour after midnight, on a day of 23 hours too.
    """
    return Span(before.start, Instant(min(before.start + (min(until, span.end) - span.start), before.end)))
