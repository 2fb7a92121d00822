"""Figures as they grew: after every instant at which something came, what the figure of the period was.

From the states of single instants, running sums, extremes and lists within each subject and period. States may be of longer stretches
too, as long as they do not overlap: then the figure is known at the end of each.
Promises: exact; the last figure of a period is what usage answers for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import polars as pl

from tallystick.cancellation import check_cancelled, collected
from tallystick.errors import InvalidQuestion
from tallystick.usage.aggregators import EVENTS, Aggregator
from tallystick.usage.aggregators.avg import Avg
from tallystick.usage.aggregators.count import Count
from tallystick.usage.aggregators.latest import Latest
from tallystick.usage.aggregators.max import Max
from tallystick.usage.aggregators.min import Min
from tallystick.usage.aggregators.plugin_aggregator import PluginAggregator
from tallystick.usage.aggregators.sum import Sum
from tallystick.usage.aggregators.unique import Unique
from tallystick.usage.figure import HIGH, LIMB, LOW, UNITS_PER_ONE, parts_of

from .preview_track import Jumps

AT: Final = "at"
PERIOD: Final = "period"
_ROWS_AT_ONCE: Final = 10_000
# Of one subject: by period, its figures as they grew.
Grown = dict[int, Jumps]


def grown_figures(aggregator: Aggregator, states: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    """Return the keys, `AT`, `HIGH` and `LOW`: the figure after each state, within its keys. Sorted by keys, then `AT`.

    `states` have the keys (at least one), `AT`, and what the aggregator folds into.
    """
    ordered = states.sort(*keys, AT)
    at = [*keys, AT]
    match aggregator:
        case Count() | Sum() | Avg():
            summed = pl.col(name for name in ordered.columns if name not in at).cum_sum().over(keys)
            found = collected(aggregator.read(ordered.with_columns(summed).lazy(), at))
        case Min() | Max():
            (extreme,) = [name for name in ordered.columns if name not in {*at, EVENTS}]
            running = pl.col(extreme).cum_min() if isinstance(aggregator, Min) else pl.col(extreme).cum_max()
            found = collected(aggregator.read(ordered.with_columns(running.over(keys)).lazy(), at))
        case Latest():
            found = collected(aggregator.read(ordered.lazy(), at))
        case Unique():
            found = _grown_distinct(ordered, keys)
        case PluginAggregator():
            found = aggregator.read_running(ordered, keys, AT)
        case _:
            raise InvalidQuestion("meter", f"a preview cannot follow the aggregation {aggregator.name}")
    return found.select(*keys, AT, HIGH, LOW).sort(*keys, AT)


def _grown_distinct(ordered: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    """Count each value once, where it was first seen."""
    values = [name for name in ordered.columns if name not in {*keys, AT, EVENTS}]
    first = ordered.group_by([*keys, *values]).agg(pl.col(AT).min())
    counts = first.group_by([*keys, AT]).agg(pl.len().cast(pl.Int128).alias(HIGH)).sort(*keys, AT)
    return counts.select(*keys, AT, *parts_of(pl.col(HIGH).cum_sum().over(keys) * UNITS_PER_ONE))


def grown_by_subject(
    figures: pl.DataFrame, columns: Sequence[str], *, nothing: int | None
) -> Iterator[tuple[tuple[str | None, ...], Grown]]:
    """Yield each subject, which `columns` tell apart, with its figures by period; they are sorted by subject, `PERIOD` and `AT`."""
    width = len(columns)
    subject: tuple[str | None, ...] | None = None
    instants: dict[int, tuple[list[int], list[int | None]]] = {}
    for start in range(0, figures.height, _ROWS_AT_ONCE):
        check_cancelled()
        piece = figures.slice(start, _ROWS_AT_ONCE).select(*columns, PERIOD, AT, HIGH, LOW)
        for row in piece.iter_rows():
            values, (period, at, high, low) = row[:width], row[width:]
            if values != subject:
                if subject is not None:
                    yield subject, _jumps(instants, nothing)
                subject, instants = values, {}
            times, units = instants.setdefault(period, ([], []))
            times.append(at)
            units.append(units_of_parts(high, low))
    if subject is not None:
        yield subject, _jumps(instants, nothing)


def units_of_parts(high: int | None, low: int | None) -> int | None:
    """Return the whole units of the two parts of a figure."""
    return None if high is None or low is None else high * LIMB + low


def _jumps(instants: dict[int, tuple[list[int], list[int | None]]], nothing: int | None) -> Grown:
    return {period: Jumps(times, units, nothing) for period, (times, units) in instants.items()}
