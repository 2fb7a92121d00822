"""From figures to an answer: which groups stay, in which order, and a row for what is empty.

Promises: groups are ordered by their texts in the order of `group_by`, compared by code point, and null (the event has no such property)
after every text. Where `limit` cuts, groups are ranked by their total, equal totals by group; those that stay are in the order of the
groups again. Without `group_by` there is one group, `{}`: with `fill=zero` it is there though nothing happened. Other groups are known by
their events alone.
Does not: answer more than `ROWS_MAX` rows or totals: it raises `InvalidQuestion` instead, since an answer that silently left out groups
would be wrong. Everything stays in columns: a million rows take 60 MB and tenths of a second.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from tallystick.errors import InvalidQuestion
from tallystick.instant import Instant
from tallystick.meter import Meter

from .aggregators import EVENTS
from .answer import PLACE, UsageAnswer, UsageRows, UsageTotals
from .counted_events import WINDOW
from .figure import HIGH, LOW
from .figure_table import PREVIOUS_HIGH, PREVIOUS_LOW, FigureTable, parts_of_nothing
from .question import Fill, Order, UsageQuestion

ROWS_MAX: Final = 1_000_000


def arrange_answer(
    meter: Meter, question: UsageQuestion, table: FigureTable, *, previous: tuple[Instant, Instant] | None = None
) -> UsageAnswer:
    """Return the answer that the figures make. Raises `InvalidQuestion` where it would be too large."""
    totals = table.totals
    if not question.group_by and question.fill is Fill.ZERO and totals.is_empty():
        totals = _nothing_at_all(table)
    totals = top_groups(totals, table.columns, question).sort(table.columns, nulls_last=True).with_row_index(PLACE)
    check_size(totals.height, "groups")
    rows = table.rows.join(totals.select(*table.columns, PLACE), on=list(table.columns), nulls_equal=True)
    rows = rows.drop(table.columns).sort(PLACE, WINDOW)
    is_filled = question.fill is Fill.ZERO
    check_size(totals.height * len(table.windows) if is_filled else rows.height, "rows")
    if is_filled:
        rows = _filled(rows, totals.height, table)
    answered = UsageTotals(totals, question.group_by, table.columns)
    return UsageAnswer(
        meter=meter.key,
        meter_version=meter.version,
        question=question,
        rows=UsageRows(rows, table.windows.edges, answered),
        totals=answered,
        previous=previous,
    )


def top_groups(totals: pl.DataFrame, columns: Sequence[str], question: UsageQuestion) -> pl.DataFrame:
    """Return the totals of the groups that the question's limit keeps, in any order."""
    if question.limit is None or question.limit >= totals.height:
        return totals
    is_descending = question.order is Order.DESC
    return totals.sort(
        HIGH, LOW, *columns, descending=[is_descending] * 2 + [False] * len(columns), nulls_last=True
    ).head(question.limit)


def _nothing_at_all(table: FigureTable) -> pl.DataFrame:
    """Return the total of the one group, of which there is no event."""
    row: dict[str, str | int | None] = {**dict.fromkeys(table.columns, ""), EVENTS: 0}
    for names, begun in _sides(table):
        nothing = None if begun == 0 else table.nothing
        row |= dict(zip(names, parts_of_nothing(nothing), strict=True))
    return pl.DataFrame([row], schema=table.totals.schema)


def _filled(rows: pl.DataFrame, group_count: int, table: FigureTable) -> pl.DataFrame:
    """Return a row for each window of each group; `rows` has some of them."""
    windows = len(table.windows)
    number = pl.int_range(group_count * windows, dtype=pl.UInt32)
    whole = pl.select((number // windows).alias(PLACE), (number % windows).cast(pl.Int32).alias(WINDOW))
    filled = whole.join(rows, on=[PLACE, WINDOW], how="left", maintain_order="left")
    # A figure may be null though there are events: that there are none says where nothing was.
    is_missing = pl.col(EVENTS).is_null()
    columns = [pl.col(EVENTS).fill_null(0)]
    for names, begun in _sides(table):
        is_nothing = is_missing if begun is None else is_missing & (pl.col(WINDOW) < begun)
        for name, part in zip(names, parts_of_nothing(table.nothing), strict=True):
            columns.append(pl.when(is_nothing).then(pl.lit(part, dtype=pl.Int128)).otherwise(name).alias(name))
    return filled.with_columns(columns)


def _sides(table: FigureTable) -> list[tuple[tuple[str, str], int | None]]:
    """Return the columns of the figures, and of those of the period before if they are there, each with how many windows have begun."""
    sides = [((HIGH, LOW), table.begun)]
    return [*sides, ((PREVIOUS_HIGH, PREVIOUS_LOW), table.previous_begun)] if table.is_compared else sides


def check_size(count: int, what: str) -> None:
    """Raise `InvalidQuestion` if there are more than an answer may have."""
    if count > ROWS_MAX:
        raise InvalidQuestion(
            "limit",
            f"the answer would have {count:,} {what}, and may have {ROWS_MAX:,}: keep the top groups with limit, group by less, "
            "or ask for a longer window or a shorter range",
        )
