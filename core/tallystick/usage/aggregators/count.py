"""How many events."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import ClassVar

import polars as pl

from tallystick.meter import Meter
from tallystick.usage.figure import UNITS_PER_ONE, parts_of
from tallystick.usage.operand import Operand, OperandKind, checked_field

from .aggregator import EVENTS


class Count:
    """The number of events that have the meter's field; by default that is every event. State: the number."""

    name: ClassVar[str] = "count"
    summary: ClassVar[str] = "how many events"
    options: ClassVar[tuple[str, ...]] = ()
    nothing: Decimal | None = Decimal(0)

    def __init__(self, meter: Meter) -> None:
        self.operands = (Operand(checked_field("field", meter.field), OperandKind.TEXT, "counted"),)

    def fold(self, events: pl.LazyFrame, keys: Sequence[str]) -> pl.LazyFrame:
        """Count the events of each combination of the keys."""
        return events.group_by(keys).agg(pl.len().cast(pl.Int64).alias(EVENTS))

    def merge(self, states: pl.LazyFrame, keys: Sequence[str]) -> pl.LazyFrame:
        """Add up the counts."""
        return states.group_by(keys).agg(pl.col(EVENTS).sum())

    def read(self, states: pl.LazyFrame, keys: Sequence[str]) -> pl.LazyFrame:
        """Return the counts as figures."""
        return states.select(*keys, EVENTS, *parts_of(pl.col(EVENTS).cast(pl.Int128) * UNITS_PER_ONE))
