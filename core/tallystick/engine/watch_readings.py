"""Reading what a watch watches: by usage questions, for the customers that matter.

Exact and complete, since it is the question that anybody could ask: a signal fires where the usage page shows that it should.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

import msgspec
import polars as pl

from tallystick.cancellation import collected
from tallystick.instant import LATEST, Instant, StillClock
from tallystick.meter import Meter
from tallystick.signals.calendar_period import Span
from tallystick.signals.readings import BASE_HIGH, BASE_LOW, LAST, group_names, key_columns
from tallystick.signals.watch import WatchKey
from tallystick.usage.aggregators import EVENTS
from tallystick.usage.answer_usage import figure_table
from tallystick.usage.counted_events import counted_events
from tallystick.usage.event_frames import CUSTOMER, TIME, EventFrames
from tallystick.usage.figure import HIGH, LOW
from tallystick.usage.figure_table import parts_of_nothing
from tallystick.usage.question import UsageQuestion

_EVER: Final = Span(Instant(0), LATEST)


class Asked(msgspec.Struct, frozen=True):
    """What is read: a watch of a version of its meter, through the calendar of a zone, and of which customers (None: all)."""

    key: WatchKey
    meter: Meter
    zone: str
    customers: Sequence[str] | None

    def question(self, span: Span) -> UsageQuestion:
        """Return the usage question over a span."""
        filter_ = dict(self.key.filter)
        if self.customers is not None:
            wanted = frozenset(filter_.get(CUSTOMER, self.customers))
            filter_[CUSTOMER] = tuple(each for each in self.customers if each in wanted)
        return UsageQuestion(
            start=span.start, end=span.end, timezone=self.zone, group_by=group_names(self.key), filter=filter_
        )


def read_figures(source: EventFrames, asked: Asked, span: Span, *, now: Instant) -> tuple[pl.DataFrame, Decimal | None]:
    """Return the figures over a span as keys, `EVENTS`, `HIGH` and `LOW`, and the figure of nothing."""
    table = figure_table(source, asked.meter, asked.question(span), clock=StillClock(now))
    return table.totals.select(*key_columns(asked.key), EVENTS, HIGH, LOW), table.nothing


def read_change(source: EventFrames, asked: Asked, so_far: Span, before: Span, *, now: Instant) -> pl.DataFrame:
    """Return the figures of a span and of the one before it side by side; what is on one side only has the figure of nothing there."""
    figures, nothing = read_figures(source, asked, so_far, now=now)
    bases, _ = read_figures(source, asked, before, now=now)
    names = {HIGH: BASE_HIGH, LOW: BASE_LOW}
    high, low = parts_of_nothing(nothing)
    was, is_ = "was there", "is there"
    joined = figures.with_columns(pl.lit(value=True).alias(is_)).join(
        bases.drop(EVENTS).rename(names).with_columns(pl.lit(value=True).alias(was)),
        on=key_columns(asked.key),
        how="full",
        coalesce=True,
        nulls_equal=True,
    )
    nothings = {HIGH: high, LOW: low}
    return joined.select(
        *key_columns(asked.key),
        *(_or_nothing(name, is_, nothings[name]) for name in (HIGH, LOW)),
        *(_or_nothing(label, was, nothings[name]) for name, label in names.items()),
    )


def read_last(source: EventFrames, asked: Asked) -> pl.DataFrame:
    """Return when each subject last sent an event that passes the filters, as keys and `LAST`."""
    question = asked.question(_EVER)
    names = group_names(asked.key)
    keys = dict(zip(key_columns(asked.key), names, strict=True))
    events = counted_events(source, asked.meter, question, keys=keys, operands=())
    return collected(events.group_by(list(keys)).agg(pl.col(TIME).max().alias(LAST)))


def who_sent(source: EventFrames, asked: Asked) -> list[str]:
    """Return the customers of events that pass the filters."""
    column = "customer"
    events = counted_events(source, asked.meter, asked.question(_EVER), keys={column: CUSTOMER}, operands=())
    return collected(events.select(column).unique())[column].to_list()


def _or_nothing(name: str, is_there: str, nothing: int | None) -> pl.Expr:
    return (
        pl.when(pl.col(is_there).is_null()).then(pl.lit(nothing, dtype=pl.Int128)).otherwise(pl.col(name)).alias(name)
    )
