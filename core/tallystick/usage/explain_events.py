"""The events behind a figure, oldest first, a page at a time.

Cost: a scan of the range from where the page begins, and the page's events from the log; in memory is the page alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from tallystick.cancellation import collected
from tallystick.instant import Instant
from tallystick.meter import Meter

from .aggregators import Aggregator
from .aggregators.count import Count
from .aggregators.latest import recency
from .aggregators.unique import Unique
from .counted_events import counted_events, group_columns
from .event_frames import POSITION, TIME, VALUE_TYPE, EventFrames
from .explain_cursor import ExplainCursor
from .operand import OperandKind
from .question import UsageQuestion

AMOUNT: Final = "amount"
_RECENCY: Final = "recency"
_FIRST: Final = "first"


def explained_events(
    frames: EventFrames,
    meter: Meter,
    question: UsageQuestion,
    *,
    aggregator: Aggregator,
    after: ExplainCursor,
    count: int,
) -> pl.DataFrame:
    """Return the next events after a place: the group columns, `time`, `position` and `AMOUNT`, in order of time and then position."""
    keys = group_columns(question)

    def events(start: Instant) -> pl.LazyFrame:
        found = counted_events(frames, meter, question, keys=keys, operands=aggregator.operands, start=start)
        return found.with_columns(recency(pl.col(TIME), pl.col(POSITION)).alias(_RECENCY))

    last = recency(pl.lit(after.time), pl.lit(after.position))
    upcoming = events(Instant(max(question.start, after.time))).filter(pl.col(_RECENCY) > last)
    page = collected(upcoming.bottom_k(count, by=_RECENCY)).sort(_RECENCY)
    if isinstance(aggregator, Unique):
        page = _with_new_values(page, events(question.start), [*keys, *_columns(aggregator)])
    else:
        page = page.with_columns(_amount(aggregator).alias(AMOUNT))
    return page.select(*keys, TIME, POSITION, AMOUNT)


def _amount(aggregator: Aggregator) -> pl.Expr:
    if isinstance(aggregator, Count):
        return pl.lit(1).cast(VALUE_TYPE)
    match aggregator.operands:
        case (operand,) if operand.kind is OperandKind.NUMBER:
            return pl.col(operand.column)
        case _:
            return pl.lit(None, dtype=VALUE_TYPE)


def _with_new_values(page: pl.DataFrame, events: pl.LazyFrame, seen: Sequence[str]) -> pl.DataFrame:
    """Count each value where it comes first in the range; only values of the page are looked up."""
    values = page.lazy().select(seen).unique()
    firsts = collected(
        events.join(values, on=seen, how="semi", nulls_equal=True)
        .group_by(seen)
        .agg(pl.col(_RECENCY).min().alias(_FIRST))
    )
    joined = page.join(firsts, on=seen, nulls_equal=True, how="left", maintain_order="left")
    return joined.with_columns((pl.col(_FIRST) == pl.col(_RECENCY)).cast(pl.Int8).cast(VALUE_TYPE).alias(AMOUNT))


def _columns(aggregator: Aggregator) -> list[str]:
    return [operand.column for operand in aggregator.operands]
