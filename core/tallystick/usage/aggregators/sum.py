"""The exact total of a number."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import ClassVar

import polars as pl

from tallystick.meter import Meter
from tallystick.usage.figure import HIGH, LOW, carried, parts_of, units_of
from tallystick.usage.operand import number_operand

from .aggregator import EVENTS

_ADDED = "added"


class Sum:
    """The total, negative values allowed, exact whatever its size. State: the two parts of `figure`, each added up on its own."""

    name: ClassVar[str] = "sum"
    summary: ClassVar[str] = "exact total of the field"
    options: ClassVar[tuple[str, ...]] = ()
    nothing: Decimal | None = Decimal(0)

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
        """Carry from the low part to the high one."""
        return states.select(*keys, EVENTS, *carried(pl.col(HIGH), pl.col(LOW)))
