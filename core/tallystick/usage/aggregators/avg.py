"""The mean of a number: its exact total divided by how many there were."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import ClassVar

import polars as pl

from tallystick.meter import Meter
from tallystick.usage.figure import HIGH, LOW, carried, divided, parts_of, units_of
from tallystick.usage.operand import number_operand

from .aggregator import EVENTS

_ADDED = "added"


class Avg:
    """The total divided by the number of events, rounded half-even to 12 decimals; no figure without an event.

    State: the total, as `Sum` keeps it. Only the last step rounds, so the figure of a range is never a mean of means.
    """

    name: ClassVar[str] = "avg"
    summary: ClassVar[str] = "total of the field divided by the number of events"
    options: ClassVar[tuple[str, ...]] = ()
    nothing: Decimal | None = None

    def __init__(self, meter: Meter) -> None:
        self.operands = (number_operand(meter, _ADDED),)

    def fold(self, events: pl.LazyFrame, keys: Sequence[str]) -> pl.LazyFrame:
        """Add up both parts of the units."""
        high, low = parts_of(units_of(pl.col(_ADDED)))
        return events.group_by(keys).agg(pl.len().cast(pl.Int64).alias(EVENTS), high.sum(), low.sum())

    def merge(self, states: pl.LazyFrame, keys: Sequence[str]) -> pl.LazyFrame:
        """Add up the parts of the states."""
        return states.group_by(keys).agg(pl.col(EVENTS, HIGH, LOW).sum())

    def read(self, states: pl.LazyFrame, keys: Sequence[str]) -> pl.LazyFrame:
        """Divide by the number of events."""
        totals = states.select(*keys, EVENTS, *carried(pl.col(HIGH), pl.col(LOW)))
        return totals.select(*keys, EVENTS, *divided(pl.col(HIGH), pl.col(LOW), pl.col(EVENTS)))
