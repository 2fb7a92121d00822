"""Bars of block characters, in eighths of a cell: along a line, or standing in a column."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

_EIGHTHS_ACROSS: Final = " ▏▎▍▌▋▊▉█"
_EIGHTHS_UP: Final = " ▁▂▃▄▅▆▇█"


def lying_bars(values: Sequence[Decimal | None], width: int) -> list[str]:
    """Return a bar for each value, the largest size `width` cells long. Below zero it is drawn in shade, and a null has none."""
    largest = max((abs(value) for value in values if value is not None), default=Decimal(0))
    return [_lying(value, largest, width) for value in values]


def standing_bars(values: Sequence[Decimal | None], *, top: Decimal, bottom: Decimal, height: int) -> list[str]:
    """Return the lines of a chart, from the top: one cell wide for each value, from zero up or down; a null has none.

    `bottom` is zero or below, `top` zero or above, and `height` cells lie between them; the line of zero lies between two cells.
    """
    span = top - bottom
    below = 0 if not span else int((height * -bottom / span).to_integral_value())
    below = min(max(below, 1), height - 1) if bottom < 0 < top else (height if bottom < 0 else 0)
    above = height - below
    columns = [_standing(value, top=top, bottom=bottom, above=above, below=below) for value in values]
    return ["".join(column[line] for column in columns) for line in range(height)]


def _lying(value: Decimal | None, largest: Decimal, width: int) -> str:
    if not value or not largest:
        return ""
    eighths = max(int(abs(value) * width * 8 / largest), 1)
    if value < 0:
        return "░" * max(eighths // 8, 1)
    whole, rest = divmod(eighths, 8)
    return "█" * whole + (_EIGHTHS_ACROSS[rest] if rest else "")


def _standing(value: Decimal | None, *, top: Decimal, bottom: Decimal, above: int, below: int) -> list[str]:
    up = down = 0
    if value and value > 0:
        up = max(int(value * above * 8 / top), 1)
    elif value:
        down = max(int(value * below * 2 / bottom), 1)
    cells = [_EIGHTHS_UP[min(max(up - 8 * (above - 1 - line), 0), 8)] for line in range(above)]
    # Blocks that hang from above come in halves only.
    return cells + [" ▀█"[min(max(down - 2 * line, 0), 2)] for line in range(below)]
