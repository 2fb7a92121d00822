"""The period before: the same question one period earlier, and its figures beside those that were asked for.

Which period that is follows the calendar where the range does (of the question's time zone):
- from one start of a month to another: as many months before (March has February before it, a quarter the quarter before);
- from one midnight to another: as many days before, though one of them may have 23 hours;
- otherwise exactly as long.
In each case it ends where the range begins.
Promises: rows are matched by their group and by the place of their window in its range: the first day of March stands beside the first of
February. A window that the range does not have (the 31st, in a month of 30) has no row, and is in the totals. What is on one side only has
the figure of nothing on the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

import polars as pl
from msgspec.structs import replace

from tallystick.errors import InvalidQuestion
from tallystick.instant import EARLIEST, Instant

from .aggregators import EVENTS
from .counted_events import WINDOW
from .figure import HIGH, LOW
from .figure_table import PREVIOUS_HIGH, PREVIOUS_LOW, FigureTable, parts_of_nothing
from .local_calendar import LocalCalendar
from .question import UsageQuestion

_WAS: Final = "was"
_Parts = tuple[pl.Expr, pl.Expr]


def previous_question(question: UsageQuestion) -> UsageQuestion:
    """Return the same question of the period before. Raises `InvalidQuestion` where that begins before 1970."""
    start, end = question.start, question.end
    calendar = LocalCalendar(question.timezone)
    first, last = calendar.local_date(start), calendar.local_date(end)
    before = Instant(start - (end - start))
    if calendar.day_start(first) == start and calendar.day_start(last) == end:
        is_months = first.day == last.day == 1
        day = _months_before(first, last) if is_months else _days_before(first, last)
        before = EARLIEST - 1 if day is None else calendar.day_start(day)
    if before < EARLIEST:
        raise InvalidQuestion("compare", "the period before begins before 1970: ask for a later or a shorter range")
    return replace(question, start=Instant(before), end=start)


def beside_previous(table: FigureTable, before: FigureTable) -> FigureTable:
    """Return the figures with those of the period before beside them."""
    columns = list(table.columns)
    return replace(
        table,
        rows=_beside(
            table.rows,
            before.rows.filter(pl.col(WINDOW) < len(table.windows)),
            [*columns, WINDOW],
            (_nothing_in_window(table), _nothing_in_window(before)),
        ),
        totals=_beside(table.totals, before.totals, columns, (_nothing_in_all(table), _nothing_in_all(before))),
        previous_begun=before.begun,
    )


def _months_before(first: date, last: date) -> date | None:
    months = 2 * (first.year * 12 + first.month) - (last.year * 12 + last.month) - 1
    return date(months // 12, months % 12 + 1, 1) if months >= _EARLIEST_MONTH else None


def _days_before(first: date, last: date) -> date | None:
    days = 2 * first.toordinal() - last.toordinal()
    return date.fromordinal(days) if days >= _EARLIEST_DAY else None


# A day further back than the first instant: it is the 31st of December 1969 in half of the world.
_EARLIEST_MONTH: Final = 1969 * 12 + 11
_EARLIEST_DAY: Final = (date(1970, 1, 1) - timedelta(days=1)).toordinal()


def _nothing_in_window(table: FigureTable) -> _Parts:
    """Return the figure of no events in a window: none where it has not begun."""
    if table.begun is None:
        return _nothing_in_all(table)
    has_begun = pl.col(WINDOW) < table.begun
    high, low = (pl.lit(part, dtype=pl.Int128) for part in parts_of_nothing(table.nothing))
    return pl.when(has_begun).then(high), pl.when(has_begun).then(low)


def _nothing_in_all(table: FigureTable) -> _Parts:
    """Return the figure of no events in the whole range: none where it has not begun."""
    high, low = parts_of_nothing(None if table.begun == 0 else table.nothing)
    return pl.lit(high, dtype=pl.Int128), pl.lit(low, dtype=pl.Int128)


def _beside(
    now: pl.DataFrame, before: pl.DataFrame, keys: Sequence[str], nothing: tuple[_Parts, _Parts]
) -> pl.DataFrame:
    was = before.select(
        *keys,
        pl.col(HIGH).alias(PREVIOUS_HIGH),
        pl.col(LOW).alias(PREVIOUS_LOW),
        pl.lit(value=True).alias(_WAS),
    )
    # A figure may be null though there are events: whether the row was there says where nothing was.
    joined = now.join(was, on=keys, how="full", coalesce=True, nulls_equal=True)
    is_new, is_gone = pl.col(_WAS).is_null(), pl.col(EVENTS).is_null()
    (high, low), (high_before, low_before) = nothing
    return joined.select(
        *keys,
        pl.col(EVENTS).fill_null(0),
        pl.when(is_gone).then(high).otherwise(HIGH).alias(HIGH),
        pl.when(is_gone).then(low).otherwise(LOW).alias(LOW),
        pl.when(is_new).then(high_before).otherwise(PREVIOUS_HIGH).alias(PREVIOUS_HIGH),
        pl.when(is_new).then(low_before).otherwise(PREVIOUS_LOW).alias(PREVIOUS_LOW),
    )
