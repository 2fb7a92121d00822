"""A trend in one row of characters: eight heights, the highest figure the full one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

_HEIGHTS: Final = "▁▂▃▄▅▆▇█"
_NONE: Final = " "


def sparkline(figures: Sequence[float | None]) -> str:
    """Return a character a figure; zero and less are the lowest line, no figure is a blank."""
    top = max((figure for figure in figures if figure is not None), default=0.0)
    return "".join(_NONE if figure is None else _height(figure, top) for figure in figures)


def _height(figure: float, top: float) -> str:
    if top <= 0 or figure <= 0:
        return _HEIGHTS[0]
    return _HEIGHTS[min(len(_HEIGHTS) - 1, max(0, round(figure / top * (len(_HEIGHTS) - 1))))]
