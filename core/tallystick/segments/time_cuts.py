"""Where a merge cuts its rows into files: between hours where it can, within an hour where one alone has too many rows.

Rows are thought of in the order of time and position; a cut is the first place that belongs to the next file.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from tallystick.instant import NS_PER_HOUR


class TimeCut(msgspec.Struct, frozen=True, order=True):
    """The place (time, position) at which a file begins."""

    time: int
    position: int = 0


def cut_by_hours(times: npt.NDArray[np.int64], positions: npt.NDArray[np.int64], *, rows_max: int) -> list[TimeCut]:
    """Return the cuts, rising, that leave no file with more than `rows_max` rows, and files of about one size where hours allow.

    `times` and `positions` belong together and come in any order; both are copied once.
    """
    hours, counts = np.unique(times // NS_PER_HOUR, return_counts=True)
    target = -(-len(times) // max(1, -(-len(times) // rows_max)))
    cuts: list[TimeCut] = []
    rows = 0
    for hour, count in zip(hours.tolist(), counts.tolist(), strict=True):
        if rows and (rows >= target or rows + count > rows_max):
            cuts.append(TimeCut(hour * NS_PER_HOUR))
            rows = 0
        rows += count
        if count > rows_max:
            within = times // NS_PER_HOUR == hour
            cuts += _cut_evenly(times[within], positions[within], rows_max=rows_max)
            rows = rows_max
    return cuts


def _cut_evenly(times: npt.NDArray[np.int64], positions: npt.NDArray[np.int64], *, rows_max: int) -> list[TimeCut]:
    order = np.lexsort((positions, times))
    files = -(-len(order) // rows_max)
    starts: Sequence[int] = [len(order) * number // files for number in range(1, files)]
    return [TimeCut(int(times[order[start]]), int(positions[order[start]])) for start in starts]
