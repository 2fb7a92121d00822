"""The smallest number."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import ClassVar

import polars as pl

from tallystick.meter import Meter
from tallystick.usage.figure import parts_of, units_of
from tallystick.usage.operand import number_operand

from .aggregator import EVENTS

_SMALLEST = "smallest"


class Min:
    """The smallest value of the field; no figure without an event. State: the smallest so far."""

    name: ClassVar[str] = "min"
    summary: ClassVar[str] = "smallest value of the field"
    options: ClassVar[tuple[str, ...]] = ()
    nothing: Decimal | None = None

    def __init__(self, meter: Meter) -> None:
        self.operands = (number_operand(meter, _SMALLEST),)

    def fold(self, events: pl.LazyFrame, keys: Sequence[str]) -> pl.LazyFrame:
        """Take the smallest number."""
        return events.group_by(keys).agg(pl.len().cast(pl.Int64).alias(EVENTS), pl.col(_SMALLEST).min())

    def merge(self, states: pl.LazyFrame, keys: Sequence[str]) -> pl.LazyFrame:
        """Take the smallest of the smallest."""
        return states.group_by(keys).agg(pl.col(EVENTS).sum(), pl.col(_SMALLEST).min())

    def read(self, states: pl.LazyFrame, keys: Sequence[str]) -> pl.LazyFrame:
        """Return the smallest as a figure."""
        return states.select(*keys, EVENTS, *parts_of(units_of(pl.col(_SMALLEST))))
