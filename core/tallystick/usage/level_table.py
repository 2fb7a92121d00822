"""Figures of levels and durations: fold the past and the range, draw each group's line, read windows from it.

Promises: exact; what happened before the range counts. The line ends at `to` or now, whichever is first: an event that lies later than
now is not on it yet, and a window that has not begun has no figure.
Does not: read further back than the meter remembers (a level with a timeout: that long).
Cost: one scan of the past, which keeps a row a series, and one of the range, which keeps a row a series and instant. A year of
336,776 events by day takes 0.2 s on two cores; see `docs/levels.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Final

import numpy as np
import polars as pl

from tallystick.cancellation import collected
from tallystick.errors import InvalidQuestion
from tallystick.instant import EARLIEST, Instant
from tallystick.meter import Meter

from .aggregators import EVENTS, SeriesAggregator
from .aggregators.series_aggregator import Statistic
from .arrange_answer import ROWS_MAX, top_groups
from .counted_events import WINDOW, counted_events, group_columns
from .event_frames import CUSTOMER, TIME, EventFrames
from .figure_table import EVERYTHING, FigureTable
from .line_figures import line_figures
from .lines import Lines, draw_lines
from .question import UsageQuestion
from .series_levels import GROUP, SeriesLevels, number_groups, series_levels
from .windows import Windows

# 300 bytes an event at most: 3 GB.
EVENTS_MAX: Final = 10_000_000
EVENTS_AT_ONCE: Final = 1_000_000
SERIES_CUSTOMER: Final = "series customer"
SERIES_PROPERTY: Final = "series property"


def level_table(
    frames: EventFrames,
    meter: Meter,
    question: UsageQuestion,
    *,
    aggregator: SeriesAggregator,
    windows: Windows,
    now: Instant,
) -> FigureTable:
    """Return every figure of the question; where groups are many and its limit keeps few, rows of those alone.

    Raises `InvalidQuestion` where there would be too many.
    """
    names = group_columns(question) if aggregator.is_one_series else series_columns(question, aggregator)
    levels, groups = levels_of(frames, meter, question, aggregator=aggregator, names=names, now=now)
    lines = draw_lines(levels, group_count=groups.height, start=question.start, end=line_end(question, now))
    return _read(lines, groups, question, aggregator=aggregator, windows=windows, now=now)


def levels_of(
    frames: EventFrames,
    meter: Meter,
    question: UsageQuestion,
    *,
    aggregator: SeriesAggregator,
    names: Mapping[str, str],
    now: Instant,
) -> tuple[SeriesLevels, pl.DataFrame]:
    """Return the levels of all series within the range and the one that each carried in, and the groups.

    `names` are the columns that tell series apart, each with the name of what it holds. Raises `InvalidQuestion` for a range of too many
    events.
    """
    # Where nothing tells series apart there is one: a key like any other.
    keys = list(names) or [EVERYTHING]

    def events(start: int, end: int) -> pl.LazyFrame:
        return counted_events(
            frames,
            meter,
            question,
            keys=names,
            operands=aggregator.operands,
            start=Instant(start),
            end=Instant(end),
        ).with_columns(pl.lit("").alias(EVERYTHING))

    begin = remembered_from(question, aggregator)
    past = _folded_past(events, aggregator, keys, start=begin, end=question.start)
    within = events(question.start, line_end(question, now)).head(EVENTS_MAX + 1)
    instants = collected(aggregator.fold(within, [*keys, TIME])).drop(TIME)
    if instants[EVENTS].sum() > EVENTS_MAX:
        raise InvalidQuestion(
            "from",
            f"the range has more than {EVENTS_MAX:,} events, and a level is drawn from at most so many: "
            "ask for a shorter range, or filter for some of them",
        )
    states = pl.concat([past, instants])
    columns = list(group_columns(question))
    groups = number_groups(states, columns) if columns else pl.DataFrame({EVERYTHING: "", GROUP: 0})
    levels = series_levels(states, groups, group_columns=columns, series_columns=keys, timeout_ns=aggregator.timeout_ns)
    return levels, groups


def _folded_past(
    events: Callable[[int, int], pl.LazyFrame],
    aggregator: SeriesAggregator,
    keys: Sequence[str],
    *,
    start: int,
    end: int,
) -> pl.DataFrame:
    """Fold what was before into one state a series; where that takes memory for each event, a stretch of time after the other."""
    if aggregator.is_fold_small:
        return collected(aggregator.fold(events(start, end), keys))
    count, first = collected(events(start, end).select(pl.len(), pl.col(TIME).min())).row(0)
    stretches = 1 + count // EVENTS_AT_ONCE
    first = end if first is None else first
    edges = [first + (end - first) * place // stretches for place in range(1, stretches + 1)]
    states = collected(aggregator.fold(events(start, edges[0]), keys))
    for since, until in pairwise(edges):
        stretch = collected(aggregator.fold(events(since, until), keys))
        states = collected(aggregator.merge(pl.concat([states, stretch]).lazy(), keys))
    return states


def series_columns(question: UsageQuestion, aggregator: SeriesAggregator) -> dict[str, str]:
    """Return the columns that make a series: the groups', the customer, and the meter's `series`."""
    keys = group_columns(question) | {SERIES_CUSTOMER: CUSTOMER}
    return keys if aggregator.series is None else keys | {SERIES_PROPERTY: aggregator.series}


def line_end(question: UsageQuestion, now: Instant) -> Instant:
    """Return the instant up to which levels are known: what is so now is."""
    return min(question.end, Instant(now + 1))


def remembered_from(question: UsageQuestion, aggregator: SeriesAggregator) -> Instant:
    """Return the first instant at which something may have happened that matters in the range."""
    if aggregator.memory_ns is None:
        return EARLIEST
    return Instant(max(question.start - aggregator.memory_ns, EARLIEST))


def _read(
    lines: Lines,
    groups: pl.DataFrame,
    question: UsageQuestion,
    *,
    aggregator: SeriesAggregator,
    windows: Windows,
    now: Instant,
) -> FigureTable:
    columns = [column for column in groups.columns if column != GROUP]

    def figures(lines: Lines, windows: Windows) -> pl.DataFrame:
        found = line_figures(lines, windows, aggregator.statistic, now=now, rows_max=ROWS_MAX)
        return groups.join(found, on=GROUP)

    whole = Windows(windows.edges[[0, -1]]) if len(windows) else windows
    totals = figures(lines, whole)
    kept = top_groups(totals, columns, question)
    if kept.height < totals.height:
        lines = lines.of_groups(kept[GROUP].to_numpy())
    begun = int(np.searchsorted(windows.edges[:-1], now, side="right"))
    # A duration of what has not begun is 0 seconds; a level of it is not known.
    is_known = aggregator.statistic is Statistic.SECONDS or 0 < begun == len(windows)
    return FigureTable(
        windows,
        columns,
        figures(lines, windows).drop(GROUP),
        totals.drop(GROUP, WINDOW),
        aggregator.nothing,
        None if is_known else begun,
    )
