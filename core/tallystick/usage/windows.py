"""Windows: a range of time cut along the local calendar, as UTC instants.

Promises: the windows of `[start, end)` touch each other, cover the range exactly and none is empty; the first and the last are cut
by the range. Days, weeks and months begin where `LocalCalendar.day_start` says, so a day has 23, 24 or 25 hours.
Hours and minutes begin where the local clock shows a full one, and where the clock is moved: the hour that comes twice in autumn is two
windows, and where clocks move by half an hour (Australia/Lord_Howe) so long is the window beside the move.
Does not: build more than `WINDOWS_MAX` windows; asks for a narrower question instead.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl

from tallystick.errors import InvalidQuestion
from tallystick.instant import NS_PER_DAY, NS_PER_HOUR, NS_PER_S, Instant

from .local_calendar import LocalCalendar
from .question import WindowSize

WINDOWS_MAX: Final = 1_000_000

# Windows of questions that come again are remembered, if they are few: 4 MB at most.
_CUT_BEFORE_MAX: Final = 512
_FEW_WINDOWS_MAX: Final = 1_000

_NS_PER_MINUTE: Final = 60 * NS_PER_S
# The shortest time between two starts, for the estimate that refuses a question before anything is built.
_SHORTEST_NS: Final = {
    WindowSize.MINUTE: _NS_PER_MINUTE,
    WindowSize.HOUR: NS_PER_HOUR,
    WindowSize.DAY: NS_PER_DAY,
    WindowSize.WEEK: 7 * NS_PER_DAY,
    WindowSize.MONTH: 28 * NS_PER_DAY,
}


class Windows(msgspec.Struct, frozen=True, eq=False):
    """Windows that touch: window `i` is `[edges[i], edges[i + 1])`; no windows where the range is empty."""

    edges: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return max(len(self.edges) - 1, 0)

    def instants(self) -> list[Instant]:
        """Return the edges as instants."""
        return [Instant(edge) for edge in self.edges.tolist()]

    def index_of(self, time: pl.Expr) -> pl.Expr:
        """Return an Int32 expression: the window of each instant in a column of instants that all lie in the range.

        Costs 4 ns an event where the windows inside are of one width, 10 ns otherwise (10 M events, two cores).
        """
        if len(self) <= 1:
            return pl.lit(0, dtype=pl.Int32)
        width = self._width()
        if width is not None:
            return ((time - (int(self.edges[1]) - width)) // width).cast(pl.Int32)
        edges = self.edges

        def place(times: pl.Series) -> pl.Series:
            return pl.Series((np.searchsorted(edges, times.to_numpy(), side="right") - 1).astype(np.int32))

        return time.map_batches(place, return_dtype=pl.Int32, is_elementwise=True)

    def _width(self) -> int | None:
        """Return the width of the windows if it is one: those inside are equal, the cut ones at both ends no longer."""
        widths = np.diff(self.edges)
        inside = widths[1:-1]
        width = int(inside[0]) if len(inside) else int(widths.max())
        if (inside == width).all() and widths[0] <= width and widths[-1] <= width:
            return width
        return None


def cut_windows(start: Instant, end: Instant, size: WindowSize, zone_name: str) -> Windows:
    """Cut `[start, end)` along the calendar of the zone.

    Raises `InvalidQuestion` naming `timezone` for an unknown zone, `window` where there would be more than `WINDOWS_MAX`.
    """
    if (end - start) // _SHORTEST_NS.get(size, NS_PER_DAY) > _FEW_WINDOWS_MAX:
        return _cut(start, end, size, zone_name)
    return _cut_before(start, end, size, zone_name)


@lru_cache(maxsize=_CUT_BEFORE_MAX)
def _cut_before(start: Instant, end: Instant, size: WindowSize, zone_name: str) -> Windows:
    """Remember the windows: cutting a month by day takes longer than looking up a customer's states."""
    windows = _cut(start, end, size, zone_name)
    windows.edges.flags.writeable = False
    return windows


def _cut(start: Instant, end: Instant, size: WindowSize, zone_name: str) -> Windows:
    calendar = LocalCalendar(zone_name)
    if start >= end:
        return Windows(np.empty(0, np.int64))
    if size is WindowSize.TOTAL:
        return Windows(np.array([start, end], np.int64))
    count = (end - start) // _SHORTEST_NS[size]
    if count > WINDOWS_MAX:
        raise InvalidQuestion(
            "window",
            f"the range has about {count:,} windows of a {size}, and an answer at most {WINDOWS_MAX:,}: "
            "ask for a longer window or a shorter range",
        )
    if size is WindowSize.MINUTE:
        starts = _clock_starts(calendar, start, end, _NS_PER_MINUTE)
    elif size is WindowSize.HOUR:
        starts = _clock_starts(calendar, start, end, NS_PER_HOUR)
    else:
        starts = _calendar_starts(calendar, start, end, size)
    inside = starts[(starts > start) & (starts < end)]
    return Windows(np.unique(np.concatenate([np.array([start, end], np.int64), inside])))


def _clock_starts(calendar: LocalCalendar, start: Instant, end: Instant, width: int) -> npt.NDArray[np.int64]:
    """Return the instants at which the local clock shows a full hour or minute, or is moved."""
    pieces: list[npt.NDArray[np.int64]] = []
    for stretch in calendar.stretches(start, end):
        first = -(-(stretch.start + stretch.offset_ns) // width) * width - stretch.offset_ns
        pieces += [np.array([stretch.start], np.int64), np.arange(first, stretch.end, width, dtype=np.int64)]
    return np.concatenate(pieces)


def _calendar_starts(calendar: LocalCalendar, start: Instant, end: Instant, size: WindowSize) -> npt.NDArray[np.int64]:
    """Return the first instants of the days, weeks or months; a date that was left out shares its instant with the next."""
    day = _first_day(calendar.local_date(start), size)
    # A day further than the last: where a clock goes back over midnight, the next day has begun though the old date shows again.
    last = calendar.local_date(end) + timedelta(days=1)
    starts: list[int] = []
    while day <= last:
        starts.append(calendar.day_start(day))
        day = _next_first_day(day, size)
    return np.array(starts, np.int64)


def _first_day(day: date, size: WindowSize) -> date:
    if size is WindowSize.WEEK:
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if size is WindowSize.MONTH else day


def _next_first_day(day: date, size: WindowSize) -> date:
    if size is WindowSize.MONTH:
        return (day + timedelta(days=31)).replace(day=1)
    return day + timedelta(days=7 if size is WindowSize.WEEK else 1)
