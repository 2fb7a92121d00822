"""In which corner of a graph a legend hides the least."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise

# The box around the names: its border, and the mark of each series with the space behind it.
_FRAME_CELLS = 2
_MARK_CELLS = 4


class Corner(Enum):
    """The corners, by whether they are at the right and at the top; named as the plot library names them."""

    TOPRIGHT = (True, True)
    TOPLEFT = (False, True)
    BOTTOMRIGHT = (True, False)
    BOTTOMLEFT = (False, False)


@dataclass(frozen=True, slots=True)
class Canvas:
    """What is drawn on: where its axes begin and end, and how many cells it has."""

    first: float
    last: float
    low: float
    high: float
    columns: int
    rows: int


def along(points: Sequence[tuple[float, float]], *, step: float) -> list[tuple[float, float]]:
    """Return a line's points, and between them as many as stand at most `step` apart: what is drawn between counts as well."""
    found = list(points[:1])
    for (at, figure), (next_at, next_figure) in pairwise(points):
        count = max(1, math.ceil((next_at - at) / step)) if step > 0 else 1
        found += [
            (at + (next_at - at) * part / count, figure + (next_figure - figure) * part / count)
            for part in range(1, count + 1)
        ]
    return found


def free_corner(
    names: Sequence[str], points: Sequence[tuple[float, float]], canvas: Canvas, *, is_filled: bool
) -> Corner:
    """Return the corner where the fewest points lie below the legend, the first of `Corner` among equals.

    `is_filled`: everything from a point down to the axis is drawn, as in bars.
    """
    width = (max(map(len, names), default=0) + _MARK_CELLS + _FRAME_CELLS) / max(canvas.columns, 1)
    height = (len(names) + _FRAME_CELLS) / max(canvas.rows, 1)

    def hidden(corner: Corner) -> int:
        is_right, is_top = corner.value
        count = 0
        for at, figure in points:
            across = (at - canvas.first) / (canvas.last - canvas.first)
            up = (figure - canvas.low) / (canvas.high - canvas.low)
            is_beside = across > 1 - width if is_right else across < width
            is_behind = up > 1 - height if is_top else is_filled or up < height
            count += is_beside and is_behind
        return count

    return min(Corner, key=hidden)
