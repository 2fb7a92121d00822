"""Buckets: the local days or hours into which states are cut, so that windows are made of whole ones.

Promises: every window of a question is made of whole buckets, but for what `from` and `to` cut off at both ends: days, weeks and months
begin where a local day does, and hours are buckets themselves. The buckets of two ranges agree wherever both are.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from tallystick.errors import InvalidQuestion
from tallystick.instant import EARLIEST, LATEST, NS_PER_DAY, Instant
from tallystick.usage.question import WindowSize
from tallystick.usage.windows import cut_windows

# A local day and the one that a zone left out beside it: what is on either side of an instant has a bucket's edge within.
_REACH_NS = 3 * NS_PER_DAY

_REMEMBERED_MAX: Final = 512

Edges = npt.NDArray[np.int64]


@lru_cache(maxsize=_REMEMBERED_MAX)
def bucket_edges(first: int, last: int, cut: WindowSize, timezone: str) -> Edges | None:
    """Return the edges of the buckets that hold the instants `[first, last]`: the first edge at or before, the last one after.

    None where there would be too many, or no calendar.
    """
    start, end = Instant(max(EARLIEST, first - _REACH_NS)), Instant(min(LATEST, last + _REACH_NS))
    try:
        edges = cut_windows(start, end, cut, timezone).edges
    except InvalidQuestion:
        return None
    # The ends are those of the range looked at, not of a bucket; but nothing lies before the earliest instant.
    inner = edges[0 if start == EARLIEST else 1 : -1]
    lower = int(np.searchsorted(inner, first, side="right")) - 1
    upper = int(np.searchsorted(inner, last, side="right"))
    if lower < 0 or upper >= len(inner):
        return None
    return inner[lower : upper + 1]


@lru_cache(maxsize=_REMEMBERED_MAX)
def whole_buckets(start: Instant, end: Instant, cut: WindowSize, timezone: str) -> tuple[int, int] | None:
    """Return where the whole buckets within `[start, end)` begin and end; None where there is none."""
    if start >= end:
        return None
    around_start = bucket_edges(start, start, cut, timezone)
    around_end = bucket_edges(end, end, cut, timezone)
    if around_start is None or around_end is None:
        return None
    lower = start if int(around_start[0]) == start else int(around_start[-1])
    upper = int(around_end[0])
    return (lower, upper) if lower < upper else None


def end_of_bucket(instant: Instant, cut: WindowSize, timezone: str) -> Instant:
    """Return the end of the bucket that begins before an instant and reaches up to it or beyond; the instant where there is none."""
    # Looked up by its day, so that the answer for now is mostly there from a moment ago.
    day = instant - instant % NS_PER_DAY
    edges = bucket_edges(day, min(day + NS_PER_DAY - 1, LATEST), cut, timezone)
    return instant if edges is None else Instant(int(edges[np.searchsorted(edges, instant, side="left")]))
