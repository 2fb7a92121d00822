"""Gauges: what of a figure a condition looks at, as whole units that only have to be compared with rungs from below.

| gauge | units |
|---|---|
| `figure` | the figure |
| `figure_down` | the figure, negated |
| `change_up`, `change_down`, `change_any` | the figure less that of the period before; its negation; its size |
| `percent_up`, … | the same in percent of the size of the base, whole units rounded down (which moves no comparison with whole units) |
| `silence` | how long nothing came, in nanoseconds |

A change needs both figures. A base of zero has no percent: any change from it is past every rung, and the step says that there was nothing
before. Percent stay quiet while both figures are below the floor.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Final

import msgspec

from tallystick.amount import SCALE
from tallystick.instant import NS_PER_S

from .ladder import UNITS_MAX, Rung, amount_of, units_down_from, units_from
from .signal import Condition, ConditionType, Direction, Op, levels

# Past every rung that a condition of percent can have: they have 26 digits before the point.
FROM_NOTHING: Final = UNITS_MAX + 1


class GaugeKind(StrEnum):
    """What is looked at."""

    FIGURE = "figure"
    FIGURE_DOWN = "figure_down"
    CHANGE_UP = "change_up"
    CHANGE_DOWN = "change_down"
    CHANGE_ANY = "change_any"
    PERCENT_UP = "percent_up"
    PERCENT_DOWN = "percent_down"
    PERCENT_ANY = "percent_any"
    SILENCE = "silence"


class Gauge(msgspec.Struct, frozen=True, order=True):
    """One gauge; conditions that look at the same one share a ladder. `floor_units` belongs to percent."""

    kind: GaugeKind
    floor_units: int | None = None


_CHANGES: Final = {
    Direction.UP: (GaugeKind.CHANGE_UP, GaugeKind.PERCENT_UP),
    Direction.DOWN: (GaugeKind.CHANGE_DOWN, GaugeKind.PERCENT_DOWN),
    Direction.ANY: (GaugeKind.CHANGE_ANY, GaugeKind.PERCENT_ANY),
}
_PERCENT: Final = {GaugeKind.PERCENT_UP, GaugeKind.PERCENT_DOWN, GaugeKind.PERCENT_ANY}


def gauge_of(condition: Condition) -> Gauge:
    """Return what the condition looks at."""
    match condition.type:
        case ConditionType.THRESHOLD:
            is_down = condition.op in (Op.AT_MOST, Op.BELOW)
            return Gauge(GaugeKind.FIGURE_DOWN if is_down else GaugeKind.FIGURE)
        case ConditionType.ABSOLUTE_CHANGE:
            return Gauge(_CHANGES[condition.direction][0])
        case ConditionType.PERCENT_CHANGE:
            floor = None if condition.floor is None else units_from(condition.floor, is_passed_at=True)
            return Gauge(_CHANGES[condition.direction][1], floor)
        case ConditionType.NO_DATA:
            return Gauge(GaugeKind.SILENCE)


def rungs_of(signal: str, condition: Condition) -> list[Rung]:
    """Return the rungs of a signal on the ladder of its gauge, the first for level 1."""
    if condition.type is ConditionType.NO_DATA:
        return [Rung((condition.silence_s or 0) * NS_PER_S, signal, 1)]
    if condition.type is not ConditionType.THRESHOLD:
        return [Rung(units_from(condition.value or Decimal(0), is_passed_at=True), signal, 1)]
    is_passed_at = condition.op in (Op.AT_LEAST, Op.AT_MOST)
    units = units_down_from if condition.op in (Op.AT_MOST, Op.BELOW) else units_from
    return [
        Rung(units(threshold, is_passed_at=is_passed_at), signal, level)
        for level, threshold in enumerate(levels(condition), start=1)
    ]


def change_units(gauge: Gauge, figure: int | None, base: int | None) -> int | None:
    """Return what the gauge shows of a figure and that of the period before, in whole units; None where nothing can be compared."""
    if figure is None or base is None:
        return None
    change = figure - base
    kind, floor = gauge.kind, gauge.floor_units
    if kind in (GaugeKind.CHANGE_DOWN, GaugeKind.PERCENT_DOWN):
        change = -change
    elif kind in (GaugeKind.CHANGE_ANY, GaugeKind.PERCENT_ANY):
        change = abs(change)
    if kind not in _PERCENT:
        return change
    if floor is not None and figure < floor and base < floor:
        return None
    if base == 0:
        return FROM_NOTHING if change > 0 else 0
    return change * 100 * 10**SCALE // abs(base)


def change_shown(condition: Condition, figure: int, base: int) -> Decimal | None:
    """Return the change as a step tells it: in units of the meter or in percent, with its sign; None where there was nothing before."""
    if base == 0:
        return None
    if condition.type is ConditionType.ABSOLUTE_CHANGE:
        return amount_of(figure - base)
    quotient, rest = divmod((figure - base) * 100 * 10**SCALE, abs(base))
    # Half-even to whole units, as every figure is rounded.
    is_up = 2 * rest > abs(base) or (2 * rest == abs(base) and quotient % 2 == 1)
    return amount_of(quotient + is_up)
