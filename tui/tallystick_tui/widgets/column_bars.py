"""Bars that stand on whole columns of the terminal: none is lost between two of them, and none leaves a gap that would look like a zero.

Where there are more bars than columns, each column shows the highest of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

# Bars at least so many columns wide keep a gap between them, as the plot library draws them.
GAPS_FROM_COLUMNS = 3


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
    if step * per_unit >= GAPS_FROM_COLUMNS:
        return [Bar(at, figure, step * 0.8) for at, figure in points]
    highest: dict[tuple[int, int], float] = {}
    for at, figure in points:
        begin = min(max(_nearest((at - step / 2 - first) * per_unit), 0), columns - 1)
        end = min(max(_nearest((at + step / 2 - first) * per_unit), begin + 1), columns)
        before = highest.get((begin, end))
        if before is None or abs(figure) > abs(before):
            highest[begin, end] = figure
    return [
        Bar(first + (begin + end) / 2 / per_unit, figure, (end - begin) / per_unit)
        for (begin, end), figure in sorted(highest.items())
    ]


def _nearest(columns: float) -> int:
    # Halves always up, so that one bar ends where the next begins.
    return int(columns + 0.5) if columns > 0 else 0
