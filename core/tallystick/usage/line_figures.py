"""What a window says about a line: its peak, low, closing, average, or the area under it.

Promises: exact; an average is divided once, half-even. A window has a figure if something happened in it or the level was not 0 all
through; all others are 0. Windows that lie after the line have none at all.
A window that is not over is read up to `now`: the level at that very instant counts, but no time.
How: each step is cut at the edges of windows. A step at level 0 is looked at in its first and last window only: between them nothing
happened, so that a year of idle minutes costs nothing.
"""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np
import polars as pl

from tallystick.errors import InvalidQuestion
from tallystick.instant import NS_PER_S, Instant

from .aggregators import EVENTS
from .aggregators.series_aggregator import FIRST, Statistic
from .counted_events import WINDOW
from .exact_numbers import Numbers, parts_of_numbers, parts_of_units
from .figure import HIGH, LOW, half_even
from .lines import Lines
from .series_levels import GROUP, Int64s
from .windows import Windows

_IS_ON: Final = "is on"
_AREA: Final = "area"
_WIDTH: Final = "width"


class _Pieces(msgspec.Struct, frozen=True, eq=False):
    """Steps cut at the edges of windows, by group, then time. Piece `begins[j]` is the first of the j-th group's window."""

    groups: Int64s
    windows: Int64s
    levels: Numbers
    lengths: Int64s
    begins: Int64s

    @property
    def closings(self) -> Numbers:
        """The level at the end of each group's windows."""
        return self.levels[np.append(self.begins[1:], len(self.levels)) - 1]


def line_figures(lines: Lines, windows: Windows, statistic: Statistic, *, now: Instant, rows_max: int) -> pl.DataFrame:
    """Return `group`, `window`, `events`, `high` and `low` for each window of each group that has a figure.

    Raises `InvalidQuestion` where there would be more than `rows_max`.
    """
    if not len(lines.groups):
        return _no_figures()
    pieces = _cut(lines, windows, now=now, rows_max=rows_max)
    groups, places = pieces.groups[pieces.begins], pieces.windows[pieces.begins]
    widths = np.minimum(windows.edges[places + 1], now) - windows.edges[places]
    high, low = _parts(pieces, statistic, widths, lines.unit)
    figures = pl.DataFrame(
        {
            GROUP: groups,
            WINDOW: pl.Series(places).cast(pl.Int32),
            HIGH: high,
            LOW: low,
            _IS_ON: np.logical_or.reduceat(pieces.levels != 0, pieces.begins),
        }
    )
    return (
        figures.join(_events(lines, windows), on=[GROUP, WINDOW], how="left", maintain_order="left")
        .filter(pl.col(_IS_ON) | pl.col(EVENTS).is_not_null())
        .select(GROUP, WINDOW, pl.col(EVENTS).fill_null(0), HIGH, LOW)
    )


def _cut(lines: Lines, windows: Windows, *, now: Instant, rows_max: int) -> _Pieces:
    edges = windows.edges
    first = np.searchsorted(edges, lines.starts, side="right") - 1
    last = np.searchsorted(edges, lines.ends - 1, side="right") - 1
    is_zero = np.asarray(lines.levels == 0, np.bool_)
    counts = np.where(is_zero, np.minimum(last - first + 1, 2), last - first + 1)
    # Every piece but the first of its step begins a window of its own, and those at level 0 may not be answered.
    _check_size(int(counts[~is_zero].sum()) - len(counts), rows_max)
    step = np.repeat(np.arange(len(counts)), counts)
    place = np.arange(len(step)) - np.repeat(np.cumsum(counts) - counts, counts)
    window = np.where(is_zero[step] & (place == 1), last[step], first[step] + place)
    starts = np.maximum(lines.starts[step], edges[window])
    ends = np.minimum(np.minimum(lines.ends[step], edges[window + 1]), now)
    groups = lines.groups[step]
    is_begin = np.ones(len(step), np.bool_)
    is_begin[1:] = (groups[1:] != groups[:-1]) | (window[1:] != window[:-1])
    return _Pieces(
        groups=groups,
        windows=window,
        levels=lines.levels[step],
        lengths=np.maximum(ends - starts, 0),
        begins=np.flatnonzero(is_begin),
    )


def _parts(pieces: _Pieces, statistic: Statistic, widths: Int64s, unit: int) -> tuple[pl.Series, pl.Series]:
    if statistic is Statistic.PEAK:
        return parts_of_numbers(np.maximum.reduceat(pieces.levels, pieces.begins), unit)
    if statistic is Statistic.LOW:
        return parts_of_numbers(np.minimum.reduceat(pieces.levels, pieces.begins), unit)
    if statistic is Statistic.CLOSING:
        return parts_of_numbers(pieces.closings, unit)
    if statistic is Statistic.SECONDS:
        return parts_of_units(_areas(pieces), unit // NS_PER_S)
    return _averages(pieces, widths, unit)


def _areas(pieces: _Pieces) -> pl.Series:
    """Return level times nanoseconds. Fits 128 bits, since levels fit 62 and the lengths in one window together 63."""
    running = (pl.Series(pieces.levels).cast(pl.Int128) * pl.Series(pieces.lengths)).cum_sum()
    through = running.gather(np.append(pieces.begins[1:], len(running)) - 1)
    return through - through.shift(1, fill_value=0)


def _averages(pieces: _Pieces, widths: Int64s, unit: int) -> tuple[pl.Series, pl.Series]:
    """Divide the area by the width; where no time has passed yet, the level is the average."""
    widths = np.asarray(widths, np.int64)
    passed = np.maximum(widths, 1)
    if pieces.levels.dtype == np.object_:
        areas: list[int] = np.add.reduceat(pieces.levels * pieces.lengths, pieces.begins).tolist()
        averages = [_half_even(area, width) for area, width in zip(areas, passed.tolist(), strict=True)]
        return parts_of_numbers(np.where(widths > 0, np.array(averages, object), pieces.closings), unit)
    frame = pl.DataFrame({_AREA: _areas(pieces), _WIDTH: pl.Series(passed).cast(pl.Int128)})
    whole = pl.col(_AREA) // pl.col(_WIDTH)
    rest = pl.col(_AREA) - whole * pl.col(_WIDTH)
    average = whole * unit + half_even(rest * unit, pl.col(_WIDTH))
    closing = pl.lit(pl.Series(pieces.closings)).cast(pl.Int128) * unit
    units = frame.select(pl.when(pl.lit(pl.Series(widths > 0))).then(average).otherwise(closing)).to_series()
    return parts_of_units(units, 1)


def _half_even(dividend: int, divisor: int) -> int:
    quotient, rest = divmod(dividend, divisor)
    return quotient + (2 * rest > divisor or (2 * rest == divisor and quotient % 2 == 1))


def _events(lines: Lines, windows: Windows) -> pl.DataFrame:
    return (
        lines.events.with_columns(windows.index_of(pl.col(FIRST)).alias(WINDOW))
        .group_by(GROUP, WINDOW)
        .agg(pl.col(EVENTS).sum())
    )


def _no_figures() -> pl.DataFrame:
    return pl.DataFrame(schema={GROUP: pl.Int64, WINDOW: pl.Int32, EVENTS: pl.Int64, HIGH: pl.Int128, LOW: pl.Int128})


def _check_size(row_count: int, rows_max: int) -> None:
    if row_count > rows_max:
        raise InvalidQuestion(
            "limit",
            f"the answer would have more than {rows_max:,} rows: keep the top groups with limit, group by less, "
            "or ask for a longer window or a shorter range",
        )
