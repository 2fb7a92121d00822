"""Aggregations in which order matters: each event moves or sets a level, which stands until the next one.

Events form *series*: those of one customer, one value of the meter's `series` property, and one value of each grouped property. Within a
series they are in order of time. The level of a group is the sum of its series, instant by instant; `usage.lines` draws it, and
`usage.line_figures` reads windows from it.

They keep the three functions of `aggregator`, so their states can be stored and merged like any other. Two things are their own:
- What happened before a range counts in it, so a question folds the past into one state a series, and the range into one state
  a series *and instant*: time is then one of the keys. States of single instants merge in any order; with time among the keys nothing
  needs to be adjacent.
- The figure of a window is no matter of its states alone, since a level stands where nothing happens. So windows are none of their keys,
  and `read` gives the level after the last event.

State of a series over a stretch of time: its `first` and `last` event, the level it leads to (`figure.HIGH`, `figure.LOW`), and
whether that `resets`, that is, holds whatever the level was before: always where events set the level; where they move it, if it fell to 0
within the stretch.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar, Final

import polars as pl

from tallystick.errors import InvalidDefinition
from tallystick.event import PROPERTY_NAME_LENGTH_MAX
from tallystick.instant import NS_PER_S
from tallystick.meter import Meter
from tallystick.usage.event_filter import is_text
from tallystick.usage.figure import HIGH, LOW, carried
from tallystick.usage.operand import FIELD_PREFIX, number_operand

from .aggregator import EVENTS

FIRST: Final = "first"
LAST: Final = "last"
RESETS: Final = "resets"
NUMBER: Final = "number"

TIMEOUT_S_MAX: Final = 10 * 366 * 86_400


class Statistic(StrEnum):
    """What of a level is a window's figure; `seconds`, the area under it, is what durations are, and no meter's choice."""

    PEAK = "peak"
    LOW = "low"
    CLOSING = "closing"
    AVERAGE = "average"
    SECONDS = "seconds"


STATISTICS: Final = (Statistic.PEAK, Statistic.LOW, Statistic.CLOSING, Statistic.AVERAGE)


class SeriesAggregator(ABC):
    """What the aggregations of series have in common; each says how it folds, and what it makes of the level."""

    name: ClassVar[str]
    summary: ClassVar[str]
    options: ClassVar[tuple[str, ...]] = ("series", "timeout", "statistic")
    nothing: Decimal | None = Decimal(0)

    def __init__(self, meter: Meter) -> None:
        self.operands = (number_operand(meter, NUMBER),)
        self.series = _checked_series(meter.series)
        self.timeout_ns = _checked_timeout(meter.timeout)
        self.statistic = _checked_statistic(meter.statistic)

    @property
    def is_one_series(self) -> bool:
        """Return whether it makes no difference which events form a series: the level of a group is the same as that of all its events."""
        return False

    @property
    def is_fold_small(self) -> bool:
        """Return whether folding takes memory for each state alone, and not for each event."""
        return True

    @property
    def memory_ns(self) -> int | None:
        """Return for how long an event matters after it happened; None: for ever."""
        return None

    @abstractmethod
    def fold(self, events: pl.LazyFrame, keys: Sequence[str]) -> pl.LazyFrame:
        """Return the states of the events; see the module."""

    @abstractmethod
    def merge(self, states: pl.LazyFrame, keys: Sequence[str]) -> pl.LazyFrame:
        """Return one state for each combination of the keys; see the module."""

    def read(self, states: pl.LazyFrame, keys: Sequence[str]) -> pl.LazyFrame:
        """Return the level after the last event."""
        return states.select(*keys, EVENTS, *carried(pl.col(HIGH), pl.col(LOW)))


def _checked_series(series: str | None) -> str | None:
    """Return the property's bare name; `properties.NAME` is the same, as in `field`."""
    if series is None:
        return None
    name = series.removeprefix(FIELD_PREFIX)
    if not is_text(name, PROPERTY_NAME_LENGTH_MAX):
        raise InvalidDefinition(
            "series", f"{series[:64]!a} is no property name: it has 1 to {PROPERTY_NAME_LENGTH_MAX} characters"
        )
    return name


def _checked_timeout(timeout_s: int | None) -> int | None:
    if timeout_s is None:
        return None
    if not 1 <= timeout_s <= TIMEOUT_S_MAX:
        raise InvalidDefinition("timeout", f"{timeout_s} is not between 1 second and {TIMEOUT_S_MAX:,} (ten years)")
    return timeout_s * NS_PER_S


def _checked_statistic(statistic: str | None) -> Statistic:
    if statistic is None:
        return Statistic.PEAK
    if statistic not in STATISTICS:
        raise InvalidDefinition("statistic", f"{statistic[:64]!a} is none of {', '.join(STATISTICS)}")
    return Statistic(statistic)
