"""Readings: the figures of a watch's subjects as columns, and at which height of each ladder they are.

A frame has the key columns of its watch (`group 0` and so on, or `EVERYTHING`), and by what the watch reads:
`figure`: `HIGH`, `LOW`; `change`: those and `BASE_HIGH`, `BASE_LOW`; `silence`: `LAST`, an instant.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

import msgspec
import polars as pl

from tallystick.instant import Instant
from tallystick.usage.figure import HIGH, LIMB, LOW, figure
from tallystick.usage.figure_table import EVERYTHING

from .gauge import Gauge, GaugeKind, change_units
from .ladder import UNITS_MAX
from .step import Subject
from .watch import Reading, Scope, Watch, WatchKey

BASE_HIGH: Final = "base high"
BASE_LOW: Final = "base low"
LAST: Final = "last"
# The column of customers, where subjects are customers.
CUSTOMER_KEY: Final = "group 0"
_HIGH_MAX: Final = UNITS_MAX // LIMB
_COLUMNS: Final = {
    Reading.FIGURE: (HIGH, LOW),
    Reading.CHANGE: (HIGH, LOW, BASE_HIGH, BASE_LOW),
    Reading.SILENCE: (LAST,),
}


class Evidence(msgspec.Struct, frozen=True):
    """What one subject's reading says; None: nothing."""

    figure: Decimal | None = None
    base: Decimal | None = None
    last_event_at: Instant | None = None


def group_names(key: WatchKey) -> tuple[str, ...]:
    """Return the names that a watch's subjects are told apart by, the customer first."""
    return key.group_by if key.scope is Scope.TOGETHER else ("customer", *key.group_by)


def key_columns(key: WatchKey) -> list[str]:
    """Return the columns of a watch's subjects."""
    return [f"group {place}" for place, _ in enumerate(group_names(key))] or [EVERYTHING]


def customer_column(key: WatchKey) -> str | None:
    """Return the column of customers; None where all are together."""
    return None if key.scope is Scope.TOGETHER else CUSTOMER_KEY


def subject_of(key: WatchKey, values: Sequence[str | None]) -> Subject:
    """Return the subject of a row's key columns."""
    if key.scope is Scope.TOGETHER:
        return Subject(None, tuple(zip(key.group_by, values, strict=False)))
    return Subject(values[0], tuple(zip(key.group_by, values[1:], strict=True)))


def values_of(key: WatchKey, subject: Subject) -> list[str | None]:
    """Return the key columns' values of a subject."""
    groups = [value for _, value in subject.group]
    if key.scope is Scope.TOGETHER:
        return groups or [""]
    return [subject.customer, *groups]


def evidence_columns(reading: Reading) -> tuple[str, ...]:
    """Return the columns beside the keys."""
    return _COLUMNS[reading]


def evidence_of(reading: Reading, values: Sequence[Any]) -> Evidence:  # Any: what rows of a frame hold
    """Return what a row's evidence columns say."""
    if reading is Reading.SILENCE:
        return Evidence(last_event_at=None if values[0] is None else Instant(values[0]))
    return Evidence(figure(values[0], values[1]), None if reading is Reading.FIGURE else figure(values[2], values[3]))


def heights_of(watch: Watch, gauge: Gauge, readings: pl.DataFrame, *, now: Instant) -> pl.Series:
    """Return the height of every row on the ladder of its subject."""
    if watch.key.scope is Scope.NAMED:
        customers = readings[CUSTOMER_KEY].to_list()
        units = _whole_units(gauge, readings, now)
        heights = [watch.ladder(gauge, customer).height(each) for customer, each in zip(customers, units, strict=True)]
        return pl.Series(heights, dtype=pl.Int32)
    ladder = watch.ladder(gauge, None)
    if gauge.kind in (GaugeKind.FIGURE, GaugeKind.FIGURE_DOWN) and not ladder.is_wide:
        return ladder.heights_of(_clipped_units(gauge, readings))
    return ladder.heights(_whole_units(gauge, readings, now))


def _clipped_units(gauge: Gauge, readings: pl.DataFrame) -> pl.Series:
    limit = pl.lit(_HIGH_MAX, dtype=pl.Int128)
    high = pl.max_horizontal(pl.min_horizontal(pl.col(HIGH), limit), -limit - 1)
    units = pl.when(pl.col(HIGH).is_not_null()).then(high * LIMB + pl.col(LOW))
    nought = pl.lit(0, dtype=pl.Int128)
    return readings.select(nought - units if gauge.kind is GaugeKind.FIGURE_DOWN else units).to_series()


def _whole_units(gauge: Gauge, readings: pl.DataFrame, now: Instant) -> list[int | None]:
    """Return what the gauge shows as Python numbers, which have no bounds; holds the interpreter for half a microsecond a row."""
    if gauge.kind is GaugeKind.SILENCE:
        return [None if last is None else now - last for last in readings[LAST].to_list()]
    figures = _joined(readings, HIGH, LOW)
    if gauge.kind is GaugeKind.FIGURE:
        return figures
    if gauge.kind is GaugeKind.FIGURE_DOWN:
        return [None if each is None else -each for each in figures]
    bases = _joined(readings, BASE_HIGH, BASE_LOW)
    return [change_units(gauge, figure, base) for figure, base in zip(figures, bases, strict=True)]


def _joined(readings: pl.DataFrame, high: str, low: str) -> list[int | None]:
    parts = zip(readings[high].to_list(), readings[low].to_list(), strict=True)
    return [None if above is None or below is None else above * LIMB + below for above, below in parts]
