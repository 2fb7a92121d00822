"""The intervals behind a level or a duration, in order of time, a page at a time.

An interval is a series at one level other than 0; states that change nothing, such as signs of life of a machine that is on, do not cut it.
Cost: as the figure itself, each page anew, and a look at the instants at which the page's intervals begin and end.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

import msgspec
import numpy as np
import polars as pl

from tallystick.amount import EXACT
from tallystick.cancellation import collected
from tallystick.instant import Instant
from tallystick.meter import Meter

from .aggregators import SeriesAggregator
from .aggregators.series_aggregator import FIRST, LAST
from .counted_events import counted_events
from .event_frames import POSITION, TIME, EventFrames
from .exact_numbers import parts_of_numbers
from .explanation import CAUSES_MAX, Ending
from .figure import HIGH, LOW
from .level_table import levels_of, series_columns
from .question import UsageQuestion
from .series_levels import SERIES, SeriesLevels

START: Final = "start"
END: Final = "end"
OPENED_AT: Final = "opened at"
CLOSED_AT: Final = "closed at"
ENDING: Final = "ending"
_COUNT: Final = "count"


class CausesFound(msgspec.Struct, frozen=True):
    """How many events a series had at one instant, and the greatest of their positions."""

    count: int
    positions: list[int]


def explained_intervals(
    frames: EventFrames,
    meter: Meter,
    question: UsageQuestion,
    *,
    aggregator: SeriesAggregator,
    now: Instant,
    offset: int,
    count: int,
) -> pl.DataFrame:
    """Return the next intervals after the first `offset`: columns as named here, the level's parts, and those that tell series apart."""
    names = series_columns(question, aggregator)
    levels, _ = levels_of(frames, meter, question, aggregator=aggregator, names=names, now=now)
    intervals = _intervals(levels, start=question.start, end=min(question.end, now), is_over=question.end <= now)
    named = intervals.join(levels.series.select(SERIES, *names), on=SERIES)
    return named.sort(START, *names, nulls_last=True).slice(offset, count)


def causes(
    frames: EventFrames, meter: Meter, question: UsageQuestion, *, aggregator: SeriesAggregator, page: pl.DataFrame
) -> Mapping[tuple[object, ...], CausesFound]:
    """Return what happened at the instants at which intervals of the page begin and end, by the series' texts and the instant."""
    names = series_columns(question, aggregator)
    wanted = pl.concat(
        [page.select(*names, pl.col(column).alias(TIME)) for column in (OPENED_AT, CLOSED_AT)]
    ).drop_nulls(TIME)
    if wanted.is_empty():
        return {}
    first, last = wanted.select(pl.col(TIME).min().alias(START), pl.col(TIME).max().alias(END)).row(0)
    on = [*names, TIME]
    found = collected(
        counted_events(
            frames,
            meter,
            question,
            keys=names,
            operands=aggregator.operands,
            start=Instant(first),
            end=Instant(last + 1),
        )
        .join(wanted.lazy().unique(), on=on, how="semi", nulls_equal=True)
        .group_by(on)
        .agg(pl.len().alias(_COUNT), pl.col(POSITION).top_k(CAUSES_MAX).sort(descending=True))
    )
    return {tuple(row[:-2]): CausesFound(row[-2], row[-1]) for row in found.select(*on, _COUNT, POSITION).iter_rows()}


def seconds_between(start: int, end: int) -> Decimal:
    """Return the seconds between two instants, to the nanosecond."""
    return Decimal(end - start).scaleb(-9, EXACT)


def _intervals(levels: SeriesLevels, *, start: Instant, end: Instant, is_over: bool) -> pl.DataFrame:
    """Join what changes nothing, and cut what lies outside the range."""
    size = len(levels.starts)
    is_first = np.ones(size, np.bool_)
    is_first[1:] = ~levels.continues[1:] | np.asarray(levels.levels[1:] != levels.levels[:-1], np.bool_)
    begins = np.flatnonzero(is_first)
    lasts = np.append(begins[1:], size)[: len(begins)] - 1
    is_closed = np.zeros(len(begins), np.bool_)
    is_closed[:-1] = levels.continues[begins[1:]]
    high, low = parts_of_numbers(levels.levels[begins], levels.unit)
    first, last = levels.rows[FIRST].to_numpy(), levels.rows[LAST].to_numpy()
    beyond = Ending.RANGE if is_over else Ending.NOW
    return (
        pl.DataFrame(
            {
                SERIES: levels.rows[SERIES].to_numpy()[begins],
                START: np.maximum(levels.starts[begins], start),
                END: np.minimum(levels.ends[lasts], end),
                OPENED_AT: last[begins],
                CLOSED_AT: first[np.minimum(lasts + 1, size - 1)] if size else first,
                ENDING: np.where(levels.ends[lasts] > end, beyond, np.where(is_closed, Ending.EVENT, Ending.TIMEOUT)),
                "is on": np.asarray(levels.levels[begins] != 0, np.bool_),
                HIGH: high,
                LOW: low,
            }
        )
        .filter(pl.col("is on"), pl.col(START) < pl.col(END))
        .with_columns(pl.when(pl.col(ENDING) == Ending.EVENT).then(pl.col(CLOSED_AT)).alias(CLOSED_AT))
    )
