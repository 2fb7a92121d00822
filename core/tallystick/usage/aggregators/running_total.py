"""A level that events move up and down."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

import polars as pl

from tallystick.usage.event_frames import TIME
from tallystick.usage.figure import HIGH, LOW, parts_of, units_of

from .aggregator import EVENTS
from .series_aggregator import FIRST, LAST, NUMBER, RESETS, SeriesAggregator

_SERIES: Final = "series"
_RUN: Final = "run"


class RunningTotal(SeriesAggregator):
    """The field of each event is added to the level of its series; events of one instant are added at once.

    Without a timeout nothing resets, and a state is a plain sum. With one, the level falls to 0 where the next event comes later than that.
    """

    name: ClassVar[str] = "running_total"
    summary: ClassVar[str] = "a level moved up and down by the field"

    @property
    def is_one_series(self) -> bool:
        """Return whether there is no timeout: then all there is to do is add up."""
        return self.timeout_ns is None

    @property
    def is_fold_small(self) -> bool:
        """Return whether there is no timeout: with one, events have to be looked at in order."""
        return self.timeout_ns is None

    def fold(self, events: pl.LazyFrame, keys: Sequence[str]) -> pl.LazyFrame:
        """Add up what each instant adds, and then the instants."""
        high, low = parts_of(units_of(pl.col(NUMBER)))
        instants = list(keys) if self._only_adds_up(keys) else [*keys, TIME]
        states = events.group_by(instants).agg(
            pl.len().cast(pl.Int64).alias(EVENTS),
            high.sum(),
            low.sum(),
            *([] if TIME in instants else [pl.col(TIME).min().alias(FIRST), pl.col(TIME).max().alias(LAST)]),
        )
        if TIME in instants:
            states = states.with_columns(pl.col(TIME).alias(FIRST), pl.col(TIME).alias(LAST))
        columns = [*keys, EVENTS, HIGH, LOW, FIRST, LAST]
        states = states.select(*columns, pl.lit(value=False).alias(RESETS))
        return states if self._only_adds_up(keys) else self.merge(states, keys)

    def merge(self, states: pl.LazyFrame, keys: Sequence[str]) -> pl.LazyFrame:
        """Add up the stretches after the last one before which the level had fallen to 0."""
        kept = pl.col(HIGH, LOW).sum()
        if not self._only_adds_up(keys):
            states = self._with_runs(states, keys)
            # What came before the last reset no longer matters, but for the events that it counts.
            kept = pl.col(HIGH, LOW).filter(pl.col(_RUN) == pl.col(_RUN).max()).sum()
        return states.group_by(keys).agg(
            pl.col(EVENTS).sum(), kept, pl.col(FIRST).min(), pl.col(LAST).max(), pl.col(RESETS).any()
        )

    def _only_adds_up(self, keys: Sequence[str]) -> bool:
        return self.timeout_ns is None or TIME in keys

    def _with_runs(self, states: pl.LazyFrame, keys: Sequence[str]) -> pl.LazyFrame:
        """Give a number to each run of stretches that begins at 0; a run that is not the first of its series `resets`."""
        is_late = pl.col(FIRST) - pl.col(LAST).shift(1) > self.timeout_ns
        is_same = pl.col(_SERIES) == pl.col(_SERIES).shift(1)
        return (
            states.sort(*keys, FIRST)
            .with_columns(pl.struct(keys).rle_id().alias(_SERIES))
            .with_columns(pl.col(RESETS) | (is_late & is_same).fill_null(value=False))
            .with_columns(pl.col(RESETS).cum_sum().alias(_RUN))
        )
