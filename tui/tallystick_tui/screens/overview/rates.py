"""Rates from counters that are asked for every second, kept for an hour: what the moving graph is drawn from.

Promises: takes the same memory from the first second on (`SAMPLES_MAX` figures in place); a gap, while nobody asked, has the mean rate of
its time, which is right; counters that start again (the appliance was restarted) give no rate rather than a wrong one.
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tallystick_tui.connection.status import Counts

SAMPLES_MAX: Final = 3_700
# What is newest counts for the figure that people read: 3 s are steadier than one, and still now.
_NOW_S: Final = 3.0
# Of so many of the newest the counters themselves are kept; asked once a second, they reach back far enough.
_RECENT: Final = 16


@dataclass(frozen=True, slots=True)
class Rates:
    """Events a second."""

    accepted: float
    duplicates: float
    conflicts: float
    rejected: float


@dataclass(frozen=True, slots=True)
class _Sample:
    at_s: float
    ticks_s: float
    counts: Counts
    rates: Rates | None


class _Ring:
    """Instants and figures, the newest `SAMPLES_MAX`: 16 bytes each, where objects would take half a kilobyte."""

    def __init__(self) -> None:
        self._at_s, self._figures = (array("d", bytes(8 * SAMPLES_MAX)) for _ in range(2))
        self._count = 0

    def add(self, at_s: float, figure: float) -> None:
        place = self._count % SAMPLES_MAX
        self._at_s[place], self._figures[place] = at_s, figure
        self._count += 1

    def __iter__(self) -> Iterator[tuple[float, float]]:
        """Yield what is kept, oldest first."""
        for number in range(max(0, self._count - SAMPLES_MAX), self._count):
            place = number % SAMPLES_MAX
            yield self._at_s[place], self._figures[place]


class RateHistory:
    """The last hour. `at_s` is the viewer's clock, which graphs show; `ticks_s` is one that never jumps, by which rates are computed."""

    def __init__(self) -> None:
        self._recent: deque[_Sample] = deque(maxlen=_RECENT)
        self._accepted, self._refused = _Ring(), _Ring()

    def add(self, counts: Counts, *, at_s: float, ticks_s: float) -> None:
        """Take the counters as they were just answered."""
        last = self._recent[-1] if self._recent else None
        if last is not None and ticks_s <= last.ticks_s:
            return
        rates = None if last is None else _between(last, counts, ticks_s)
        self._recent.append(_Sample(at_s, ticks_s, counts, rates))
        if rates is not None:
            self._accepted.add(at_s, rates.accepted)
            self._refused.add(at_s, rates.duplicates + rates.rejected)

    def now(self) -> Rates | None:
        """Return the rates of the last seconds; None until two answers came."""
        if not self._recent or self._recent[-1].rates is None:
            return None
        last = self._recent[-1]
        for sample in reversed(self._recent):
            if sample.rates is None or last.ticks_s - sample.ticks_s >= _NOW_S:
                return _between(sample, last.counts, last.ticks_s) or last.rates
        return last.rates

    def accepted(self, span_s: float, points_max: int) -> tuple[tuple[float, float], ...]:
        """Return accepted events a second over the last `span_s`, as means of equal stretches, at most so many."""
        return self._means(self._accepted, span_s, points_max)

    def refused(self, span_s: float, points_max: int) -> tuple[tuple[float, float], ...]:
        """Return the same of events that were not accepted: duplicates and rejected ones."""
        return self._means(self._refused, span_s, points_max)

    def _means(self, points: _Ring, span_s: float, points_max: int) -> tuple[tuple[float, float], ...]:
        end_s = self._recent[-1].at_s if self._recent else 0.0
        step_s = span_s / points_max
        means: dict[int, tuple[int, float]] = {}
        for at_s, rate in points:
            if end_s - at_s <= span_s:
                place = int(at_s / step_s)
                count, total = means.get(place, (0, 0.0))
                means[place] = (count + 1, total + rate)
        return tuple((place * step_s, total / count) for place, (count, total) in means.items())


def _between(before: _Sample, counts: Counts, ticks_s: float) -> Rates | None:
    passed_s = ticks_s - before.ticks_s
    old = before.counts
    if passed_s <= 0 or counts.accepted < old.accepted or counts.commits < old.commits:
        return None
    return Rates(
        accepted=(counts.accepted - old.accepted) / passed_s,
        duplicates=max(counts.duplicates - old.duplicates, 0) / passed_s,
        conflicts=max(counts.conflicts - old.conflicts, 0) / passed_s,
        rejected=max(counts.rejected - old.rejected, 0) / passed_s,
    )
