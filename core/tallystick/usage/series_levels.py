"""What level each series had, and from when to when: one interval for each of its states.

From the states of series (see `aggregators.series_aggregator`) at single instants, or over stretches that do not overlap, such as the past
as a whole. An interval begins with the last event of its state, and ends with the first of the next, or `timeout` after its own.
An event exactly `timeout` after the one before still finds the level standing; without it, the level is 0 from that instant on.
Promises: exact; independent of the order of rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl

from .aggregators import EVENTS
from .aggregators.series_aggregator import FIRST, LAST, RESETS
from .exact_numbers import Numbers, exact_numbers
from .figure import HIGH, LOW, carried

Int64s = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]

GROUP: Final = "group"
SERIES: Final = "series"
# Past every instant: an interval that nothing ends.
NEVER: Final = 2**63 - 1


class SeriesLevels(msgspec.Struct, frozen=True, eq=False):
    """Intervals by series, then time: from `starts[i]` to `ends[i]` the level is `levels[i]` times `unit` units.

    `continues[i]` says that the interval before is of the same series and ends where this one begins; otherwise the level was 0 until then.
    `rows` are the states, in the same order, with `group` and `series` as numbers; `series` has the texts of each series' columns.
    """

    rows: pl.DataFrame
    series: pl.DataFrame
    starts: Int64s
    ends: Int64s
    levels: Numbers
    unit: int
    continues: Booleans

    @property
    def groups(self) -> Int64s:
        """The number of each interval's group."""
        return self.rows[GROUP].to_numpy()

    @property
    def events(self) -> pl.DataFrame:
        """How many events are behind each state: `group`, `first`, `events`."""
        return self.rows.select(GROUP, FIRST, EVENTS)


def number_groups(states: pl.DataFrame, group_columns: Sequence[str]) -> pl.DataFrame:
    """Return the groups of the states with their number in `group`."""
    groups = states.select(group_columns).unique()
    return groups.with_columns(pl.int_range(pl.len(), dtype=pl.Int64).alias(GROUP))


def series_levels(
    states: pl.DataFrame,
    groups: pl.DataFrame,
    *,
    group_columns: Sequence[str],
    series_columns: Sequence[str],
    timeout_ns: int | None,
) -> SeriesLevels:
    """Return the intervals of every series; `series_columns` are what tells series apart, the groups' columns among them.

    Without columns of groups there is one group.
    """
    numbered = _numbered_series(states, groups, group_columns, series_columns)
    rows = _ordered(states, numbered, series_columns)
    first, last = rows[FIRST].to_numpy(), rows[LAST].to_numpy()
    series = rows[SERIES].to_numpy()
    is_set = bool(rows[RESETS].all())
    # Where every event sets the level, at most one of each series is part of a sum.
    amounts = exact_numbers(rows.select(HIGH, LOW), addends_max=rows[SERIES].n_unique() if is_set else None)

    continues = np.zeros(len(rows), np.bool_)
    continues[1:] = series[1:] == series[:-1]
    ends = np.full(len(rows), NEVER)
    ends[:-1][continues[1:]] = first[1:][continues[1:]]
    if timeout_ns is not None:
        expires = ends - last > timeout_ns
        ends[expires] = np.minimum(last[expires], NEVER - timeout_ns) + timeout_ns
        continues[1:] &= ~expires[:-1]
    starts_anew = rows[RESETS].to_numpy() | ~continues
    return SeriesLevels(
        rows=rows,
        series=numbered,
        starts=last,
        ends=ends,
        levels=sums_since(amounts.numbers, starts_anew),
        unit=amounts.unit,
        continues=continues,
    )


def order_by(numbers: Int64s, times: Int64s) -> pl.Series:
    """Return the order by the numbers, which count from 0, and then by time.

    As one key where they fit into 64 bits: a third of the time of sorting by two (336,776 rows: 11 against 30 ms).
    """
    if not len(numbers):
        return pl.Series([], dtype=pl.UInt32)
    first = int(times.min())
    span = int(times.max()) - first + 1
    if (int(numbers.max()) + 1) * span < NEVER:
        return pl.Series(numbers * span + (times - first)).arg_sort()
    return pl.DataFrame({"number": numbers, "time": times}).select(pl.arg_sort_by("number", "time")).to_series()


def sums_since(numbers: Numbers, starts_anew: Booleans) -> Numbers:
    """Return running sums that begin again wherever the flag is set; it is for the first."""
    if not len(numbers):
        return numbers
    total = np.cumsum(numbers)
    begin = np.maximum.accumulate(np.where(starts_anew, np.arange(len(numbers)), 0))
    return total - (total[begin] - numbers[begin])


def _ordered(states: pl.DataFrame, series: pl.DataFrame, series_columns: Sequence[str]) -> pl.DataFrame:
    if series.height == 1:
        rows = states.with_columns(pl.lit(0, dtype=pl.Int64).alias(GROUP), pl.lit(0, dtype=pl.Int64).alias(SERIES))
    else:
        rows = states.join(series, on=series_columns, nulls_equal=True)
    columns = [GROUP, SERIES, FIRST, LAST, RESETS, EVENTS, *carried(pl.col(HIGH), pl.col(LOW))]
    return rows.select(columns)[order_by(rows[SERIES].to_numpy(), rows[FIRST].to_numpy())]


def _numbered_series(
    states: pl.DataFrame, groups: pl.DataFrame, group_columns: Sequence[str], series_columns: Sequence[str]
) -> pl.DataFrame:
    """Return the series with their number, and that of their group."""
    if list(series_columns) == list(group_columns):
        return groups.with_columns(pl.col(GROUP).alias(SERIES))
    series = states.select(series_columns).unique()
    if group_columns:
        series = series.join(groups, on=group_columns, nulls_equal=True)
    else:
        series = series.with_columns(pl.lit(0, dtype=pl.Int64).alias(GROUP))
    return series.with_columns(pl.int_range(pl.len(), dtype=pl.Int64).alias(SERIES))
