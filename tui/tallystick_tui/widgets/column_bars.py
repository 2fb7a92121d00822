"""Bars that stand on whole columns of the terminal: none is lost between two of them, and none leaves a gap that would look like a zero.

Where there are more bars than columns, each column shows the highest of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

# Where a step has at least so many columns, bars keep a gap between them: a fifth of it, in whole columns, one at least.
GAPS_FROM_COLUMNS = 3
_GAP = 0.2
_TIE = 1e-6


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar about `centre`, so wide, both in units of the axis."""

    centre: float
    figure: float
    width: float


def column_bars(
    points: Sequence[tuple[float, float]], *, step: float, first: float, last: float, columns: int
) -> list[Bar]:
    """Return the bars of points that stand for `step` units each, on an axis from `first` to `last` that so many columns show."""
    if columns < 1 or last <= first:
        return []
    per_unit = columns / (last - first)
    gap = max(1, round(step * per_unit * _GAP)) if step * per_unit >= GAPS_FROM_COLUMNS else 0
    highest: dict[tuple[int, int], float] = {}
    for at, figure in points:
        begin = min(max(_nearest((at - step / 2 - first) * per_unit) + gap // 2, 0), columns - 1)
        end = min(max(_nearest((at + step / 2 - first) * per_unit) - (gap - gap // 2), begin + 1), columns)
        before = highest.get((begin, end))
        if before is None or abs(figure) > abs(before):
            highest[begin, end] = figure
    return [
        Bar(first + (begin + end) / 2 / per_unit, figure, (end - begin) / per_unit)
        for (begin, end), figure in sorted(highest.items())
    ]


def fit_side_by_side(count: int, *, step: float, axis: tuple[float, float], columns: int) -> bool:
    """Return whether each step has a column for the bar of each of `count` series, and one for a gap; a single bar always fits."""
    first, last = axis
    return count <= 1 or columns * step >= (last - first) * (count + 1)


def side_by_side(
    points: Sequence[tuple[float, float]], *, step: float, place: int, count: int
) -> tuple[tuple[float, float], ...]:
    """Return the points of one of `count` series where its bars stand beside the others' (`place` from 0), with room for a gap."""
    shift = (place + 1) * step / (count + 1) - step / 2
    return tuple((at + shift, figure) for at, figure in points)


def _nearest(columns: float) -> int:
    # Halves always up, also those that floating point has a little below: so one bar ends where the next begins.
    return int(columns + 0.5 + _TIE) if columns > 0 else 0
