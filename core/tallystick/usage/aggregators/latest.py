"""The field of the newest event."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import ClassVar, Final

import polars as pl

from tallystick.meter import Meter
from tallystick.usage.event_frames import POSITION, TIME
from tallystick.usage.figure import parts_of, units_of
from tallystick.usage.operand import number_operand

from .aggregator import EVENTS

_NEWEST: Final = "newest"
RECENCY: Final = "recency"
_POSITIONS: Final = 2**63


def recency(time: pl.Expr, position: pl.Expr) -> pl.Expr:
    """Return an Int128 expression by which events compare: the greater time, and of equal times the greater log position."""
    return time.cast(pl.Int128) * _POSITIONS + position


def parts_of_recency(recency: int) -> tuple[int, int]:
    """Return the time and the position that a recency was made of."""
    return divmod(recency, _POSITIONS)


class Latest:
    """The field of the event with the greatest time, of several with the greatest log position; no figure without an event.

    State: that value, with what it won by (`recency`).
    """

    name: ClassVar[str] = "latest"
    summary: ClassVar[str] = "field of the event with the greatest time"
    options: ClassVar[tuple[str, ...]] = ()
    nothing: Decimal | None = None

    def __init__(self, meter: Meter) -> None:
        self.operands = (number_operand(meter, _NEWEST),)

    def fold(self, events: pl.LazyFrame, keys: Sequence[str]) -> pl.LazyFrame:
        """Take the newest event's number."""
        return (
            events.with_columns(recency(pl.col(TIME), pl.col(POSITION)).alias(RECENCY))
            .group_by(keys)
            .agg(pl.len().cast(pl.Int64).alias(EVENTS), pl.col(_NEWEST).max_by(RECENCY), pl.col(RECENCY).max())
        )

    def merge(self, states: pl.LazyFrame, keys: Sequence[str]) -> pl.LazyFrame:
        """Take the newest of the newest."""
        return states.group_by(keys).agg(pl.col(EVENTS).sum(), pl.col(_NEWEST).max_by(RECENCY), pl.col(RECENCY).max())

    def read(self, states: pl.LazyFrame, keys: Sequence[str]) -> pl.LazyFrame:
        """Return the newest as a figure."""
        return states.select(*keys, EVENTS, *parts_of(units_of(pl.col(_NEWEST))))
