"""A level that events set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

import polars as pl

from tallystick.usage.event_frames import POSITION, TIME
from tallystick.usage.figure import HIGH, LOW, parts_of, units_of

from .aggregator import EVENTS
from .latest import recency
from .series_aggregator import FIRST, LAST, NUMBER, RESETS, SeriesAggregator

_RECENCY: Final = "recency"


class Level(SeriesAggregator):
    """The field of each event becomes the level of its series; of several at one instant, that with the greatest log position."""

    name: ClassVar[str] = "level"
    summary: ClassVar[str] = "a level set by the field"

    @property
    def memory_ns(self) -> int | None:
        """Return the timeout: what was set longer ago has fallen to 0, whatever came before it."""
        return self.timeout_ns

    def level_units(self) -> pl.Expr:
        """Return the units of the level that an event sets, as Int128."""
        return units_of(pl.col(NUMBER))

    def fold(self, events: pl.LazyFrame, keys: Sequence[str]) -> pl.LazyFrame:
        """Take the level that the newest event set."""
        states = (
            events.with_columns(
                self.level_units().alias(NUMBER), recency(pl.col(TIME), pl.col(POSITION)).alias(_RECENCY)
            )
            .group_by(keys)
            .agg(
                pl.len().cast(pl.Int64).alias(EVENTS),
                pl.col(NUMBER).max_by(_RECENCY),
                pl.col(_RECENCY).max(),
                *([] if TIME in keys else [pl.col(TIME).min().alias(FIRST), pl.col(TIME).max().alias(LAST)]),
            )
        )
        if TIME in keys:
            states = states.with_columns(pl.col(TIME).alias(FIRST), pl.col(TIME).alias(LAST))
        return states.select(
            *keys, EVENTS, *parts_of(pl.col(NUMBER)), FIRST, LAST, pl.lit(value=True).alias(RESETS), _RECENCY
        )

    def merge(self, states: pl.LazyFrame, keys: Sequence[str]) -> pl.LazyFrame:
        """Take the newest of the newest."""
        return states.group_by(keys).agg(
            pl.col(EVENTS).sum(),
            pl.col(HIGH, LOW).max_by(_RECENCY),
            pl.col(FIRST).min(),
            pl.col(LAST).max(),
            pl.col(RESETS).any(),
            pl.col(_RECENCY).max(),
        )
