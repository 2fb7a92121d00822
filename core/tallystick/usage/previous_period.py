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
from decimal import Decimal
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


def previous_question(question: UsageQuestion) -> UsageQuestion:
    """Return the same question of the period before, of all groups: which ones stay is up to the period that was asked for.

    Raises `InvalidQuestion` where it begins before 1970.
    """
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
    return replace(question, start=Instant(before), end=start, limit=None)


def beside_previous(table: FigureTable, before: FigureTable) -> FigureTable:
    """Return the figures with those of the period before beside them."""
    rows = before.rows.filter(pl.col(WINDOW) < len(table.windows))
    columns = list(table.columns)
    return replace(
        table,
        rows=_beside(table.rows, rows, [*columns, WINDOW], table.nothing, begun=table.begun),
        totals=_beside(table.totals, before.totals, columns, table.nothing),
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


def _beside(
    now: pl.DataFrame,
    before: pl.DataFrame,
    keys: Sequence[str],
    nothing: Decimal | None,
    *,
    begun: int | None = None,
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
    high, low = (pl.lit(part, dtype=pl.Int128) for part in parts_of_nothing(nothing))
    # What has not begun has no figure, not even that of nothing.
    has_begun = pl.lit(value=True) if begun is None else pl.col(WINDOW) < begun
    return joined.select(
        *keys,
        pl.col(EVENTS).fill_null(0),
        pl.when(is_gone & has_begun).then(high).otherwise(HIGH).alias(HIGH),
        pl.when(is_gone & has_begun).then(low).otherwise(LOW).alias(LOW),
        pl.when(is_new).then(high).otherwise(PREVIOUS_HIGH).alias(PREVIOUS_HIGH),
        pl.when(is_new).then(low).otherwise(PREVIOUS_LOW).alias(PREVIOUS_LOW),
    )
