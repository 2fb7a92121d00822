"""How many distinct values, exact at any size."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import ClassVar, Final

import polars as pl

from tallystick.errors import InvalidDefinition
from tallystick.meter import Meter
from tallystick.usage.event_frames import VALUE
from tallystick.usage.figure import UNITS_PER_ONE, parts_of
from tallystick.usage.operand import Operand, OperandKind, checked_field

from .aggregator import EVENTS

FIELDS_MAX: Final = 8


class Unique:
    """The number of distinct values of the field, or of distinct combinations of several.

    State: a row for each value seen, with how many events had it. No sketch and no hash: two values are one only if their texts are.
    """

    name: ClassVar[str] = "unique"
    summary: ClassVar[str] = "distinct values of the field, or of several fields together"
    options: ClassVar[tuple[str, ...]] = ("fields",)
    nothing: Decimal | None = Decimal(0)

    def __init__(self, meter: Meter) -> None:
        if meter.fields and meter.field != VALUE:
            raise InvalidDefinition("fields", "give either field or fields, not both")
        if len(meter.fields) > FIELDS_MAX:
            raise InvalidDefinition("fields", f"{len(meter.fields)} fields are more than {FIELDS_MAX}")
        if len(set(meter.fields)) < len(meter.fields):
            raise InvalidDefinition("fields", "each field may be named once")
        fields = [checked_field("fields", field) for field in meter.fields] or [checked_field("field", meter.field)]
        self.operands = tuple(Operand(field, OperandKind.TEXT, f"seen {place}") for place, field in enumerate(fields))
        self._seen = [operand.column for operand in self.operands]

    def fold(self, events: pl.LazyFrame, keys: Sequence[str]) -> pl.LazyFrame:
        """List the values seen, each once."""
        return events.group_by([*keys, *self._seen]).agg(pl.len().cast(pl.Int64).alias(EVENTS))

    def merge(self, states: pl.LazyFrame, keys: Sequence[str]) -> pl.LazyFrame:
        """Unite the lists."""
        return states.group_by([*keys, *self._seen]).agg(pl.col(EVENTS).sum())

    def read(self, states: pl.LazyFrame, keys: Sequence[str]) -> pl.LazyFrame:
        """Count the values of each list."""
        distinct = pl.len().cast(pl.Int128) * UNITS_PER_ONE
        return states.group_by(keys).agg(pl.col(EVENTS).sum(), *parts_of(distinct))
