"""At which height figures and changes are, for whole columns: by floating point where that is certain, else by whole numbers.

Promises: the heights that `Ladder.height` gives of a figure, or of `gauge.change_units`. What floating point says is taken only where the
answer is the same at both ends of its error; the few figures that lie within it of a rung are decided exactly.
Costs some 30 ns a figure.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from tallystick.amount import SCALE
from tallystick.usage.figure import LIMB

from .gauge import Gauge, GaugeKind, change_units
from .ladder import Ladder

Int64s = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
# Some roundings of 2^-53 each, taken together with room to spare.
_ERROR: Final = 1e-15
_DOWN: Final = (GaugeKind.CHANGE_DOWN, GaugeKind.PERCENT_DOWN)
_ANY: Final = (GaugeKind.CHANGE_ANY, GaugeKind.PERCENT_ANY)
_ABSOLUTE: Final = (GaugeKind.CHANGE_UP, GaugeKind.CHANGE_DOWN, GaugeKind.CHANGE_ANY)


def figure_heights(ladder: Ladder, gauge: Gauge, figure: tuple[Int64s, Int64s]) -> npt.NDArray[np.int32]:
    """Return the height of each figure, given as its two parts (`usage.figure`)."""
    units, size = _floats(figure)
    is_down = gauge.kind is GaugeKind.FIGURE_DOWN
    heights, is_close = _heights(ladder, -units if is_down else units, size * _ERROR)
    for row in np.flatnonzero(is_close).tolist():
        whole = _whole(figure, row)
        heights[row] = ladder.height(-whole if is_down else whole)
    return heights


def change_heights(
    ladder: Ladder, gauge: Gauge, figure: tuple[Int64s, Int64s], base: tuple[Int64s, Int64s]
) -> npt.NDArray[np.int32]:
    """Return the height of each change; figures and bases are given as their two parts."""
    (now, now_size), (was, was_size) = _floats(figure), _floats(base)
    change = was - now if gauge.kind in _DOWN else now - was
    change = np.abs(change) if gauge.kind in _ANY else change
    error = (now_size + was_size) * _ERROR
    is_close = np.zeros(len(now), np.bool_)
    if gauge.kind not in _ABSOLUTE:
        is_from_nothing = _is_zero(base)
        # Where the base is near zero, or no percent can be told, whole numbers decide.
        is_close = np.where(is_from_nothing, ~_is_zero(figure), was_size * _ERROR * 2 > np.abs(was))
        size = np.where(is_close | is_from_nothing, 1.0, np.abs(was))
        # The base's own error makes that of the quotient wider.
        error = (error + np.abs(change) * (was_size * _ERROR / size) * 2) / size * (100 * 10.0**SCALE)
        change = change / size * (100 * 10.0**SCALE)
        change[is_from_nothing] = 0
        if gauge.floor_units is not None:
            # Below it on both sides nothing is told; where that is not certain, whole numbers decide.
            floor = float(gauge.floor_units)
            bound = (now_size + was_size + abs(floor)) * _ERROR
            is_below = (now + bound < floor) & (was + bound < floor)
            is_above = (now - bound >= floor) | (was - bound >= floor)
            is_close = (is_close & ~is_below) | ~(is_below | is_above)
            change[is_below], error[is_below] = -np.inf, 0
    error += np.where(np.isfinite(change), np.abs(change), 0) * _ERROR
    heights, is_within = _heights(ladder, change, error)
    for row in np.flatnonzero(is_close | is_within).tolist():
        units = change_units(gauge, _whole(figure, row), _whole(base, row))
        heights[row] = ladder.height(units)
    return heights


def _heights(ladder: Ladder, units: Floats, error: Floats) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.bool_]]:
    """Return heights, and where they are not certain."""
    rungs = np.array([float(each) for each in ladder.units])
    heights = np.searchsorted(rungs, units - error, side="right").astype(np.int32)
    return heights, heights != np.searchsorted(rungs, units + error, side="right")


def _floats(parts: tuple[Int64s, Int64s]) -> tuple[Floats, Floats]:
    """Return figures, and what their error is in proportion to: of small negative ones, both parts are large."""
    high, low = (part.astype(np.float64) for part in parts)
    return high * LIMB + low, np.abs(high) * LIMB + low


def _is_zero(parts: tuple[Int64s, Int64s]) -> npt.NDArray[np.bool_]:
    return (parts[0] == 0) & (parts[1] == 0)


def _whole(parts: tuple[Int64s, Int64s], row: int) -> int:
    return int(parts[0][row]) * LIMB + int(parts[1][row])
