"""Live questions as everybody's questions are asked: to begin running states with, and where there are none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import polars as pl

from tallystick.event import Position
from tallystick.instant import Clock, Instant
from tallystick.segments.event_table import TYPE
from tallystick.signals.calendar_period import Span
from tallystick.usage.aggregators import EVENTS
from tallystick.usage.answer_usage import figure_table
from tallystick.usage.counted_events import counted_events
from tallystick.usage.event_frames import CUSTOMER, POSITION, PROPERTY_PREFIX, TIME, VALUE
from tallystick.usage.figure import HIGH, LOW, figure
from tallystick.usage.question import UsageQuestion, WindowSize
from tallystick.usage.windows import cut_windows

from .kept_states import GroupStates
from .live_figure import LiveFigure
from .live_question import Group, QuestionReader
from .states_view import StatesView

_CUSTOMER_KEY: Final = "by customer"
StateRow = tuple[Group, Mapping[str, Any]]  # Any: what an aggregator's columns hold


def built_states(
    source: StatesView, reader: QuestionReader, customers: Sequence[str | None], span: Span
) -> dict[str | None, GroupStates]:
    """Return the states of customers, or of all together (None, and nobody else), as of the view: made as those of any question are."""
    states = {customer: GroupStates(int(source.view.head.position)) for customer in customers}
    is_apart = None not in states
    wanted = [customer for customer in customers if customer is not None and reader.may_concern(customer)]
    if is_apart and not wanted:
        return states
    question = _question(reader, wanted if is_apart else None, span)
    windows = cut_windows(span.start, span.end, WindowSize.TOTAL, reader.asked.timezone)
    with source.partials.asking():
        frame = source.states(reader.asked.meter, question, aggregator=reader.aggregator, windows=windows)
    if frame is not None:  # none where no event can pass
        ours = {f"group {place}": name for place, name in enumerate(_group_keys(reader, is_apart=is_apart))}
        take_states(reader, states, frame.rename(ours), is_apart=is_apart)
    return states


def fold_table(
    reader: QuestionReader, states: Mapping[str | None, GroupStates], table: pl.DataFrame, *, start: int, end: int
) -> None:
    """Fold the rows of an event table into the states of their customers, or all of them into that of all together (None)."""
    is_apart = None not in states
    folded = folded_table(reader, table, start=start, end=end, is_apart=is_apart)
    take_states(reader, states, folded, is_apart=is_apart)


def folded_table(reader: QuestionReader, table: pl.DataFrame, *, start: int, end: int, is_apart: bool) -> pl.DataFrame:
    """Return the states of an event table's rows, by customer or (not `is_apart`) of all together: for `rows_by_customer`."""
    asked = reader.asked
    question = UsageQuestion(start=Instant(start), end=Instant(end), group_by=asked.group_by, filter=asked.filter)
    keys = _group_keys(reader, is_apart=is_apart)
    operands = reader.aggregator.operands
    events = counted_events(_ChosenRows(table), asked.meter, question, keys=keys, operands=operands)
    if not keys:  # an aggregator wants one at least
        keys = {_CUSTOMER_KEY: CUSTOMER}
        events = events.with_columns(pl.lit("").alias(_CUSTOMER_KEY))
    return reader.aggregator.fold(events, list(keys)).collect(engine="streaming")


def take_states(
    reader: QuestionReader, states: Mapping[str | None, GroupStates], frame: pl.DataFrame, *, is_apart: bool
) -> None:
    """Merge a frame of states into those of customers."""
    for customer, rows in rows_by_customer(reader, frame, is_apart=is_apart).items():
        take_rows(reader, states[customer], rows)


def rows_by_customer(
    reader: QuestionReader, frame: pl.DataFrame, *, is_apart: bool
) -> dict[str | None, list[StateRow]]:
    """Return the rows of a frame of states, each with its group, by customer; all under None where they are together."""
    names = [name for name in _group_keys(reader, is_apart=is_apart) if name != _CUSTOMER_KEY]
    found: dict[str | None, list[StateRow]] = {}
    for row in frame.iter_rows(named=True):
        customer = row[_CUSTOMER_KEY] if is_apart else None
        found.setdefault(customer, []).append((tuple(row[name] for name in names), row))
    return found


def take_rows(reader: QuestionReader, state: GroupStates, rows: Iterable[StateRow]) -> None:
    """Merge rows of states into those of one customer."""
    groups = state.groups
    for key, row in rows:
        group = groups.get(key)
        if group is None:
            group = groups[key] = reader.new_state()
        group.take(row, reader.columns)


def figures_asked(
    source: StatesView, reader: QuestionReader, customers: Sequence[str] | None, span: Span, *, clock: Clock
) -> dict[str | None, Sequence[LiveFigure]]:
    """Return the figures of each customer, or (None) of all together under None, as the normal question answers them."""
    asked = reader.asked
    wanted = None if customers is None else [each for each in customers if reader.may_concern(each)]
    with source.partials.asking():
        table = figure_table(source, asked.meter, _question(reader, wanted, span), clock=clock)
    found: dict[str | None, list[LiveFigure]] = {}
    names = list(table.columns) if asked.group_by or customers is not None else []
    for row in table.totals.iter_rows(named=True):
        key = [row[name] for name in names]
        customer = None if customers is None else key.pop(0)
        found.setdefault(customer, []).append(LiveFigure(tuple(key), figure(row[HIGH], row[LOW]), row[EVENTS]))
    nothing = LiveFigure((), None if table.begun == 0 else table.nothing, 0)
    absent = [] if asked.group_by else [nothing]
    return {customer: found.get(customer, absent) for customer in ([None] if customers is None else customers)}


class _ChosenRows:
    """An `EventFrames` over a table of rows that were chosen already."""

    def __init__(self, table: pl.DataFrame) -> None:
        self._table = table

    def frames(
        self,
        *,
        event_type: str,
        start: Instant,
        end: Instant,
        properties: Sequence[str] = (),
        customers: Sequence[str] | None = None,
        as_of: Position | None = None,  # noqa: ARG002 - the rows are those of one position already
    ) -> list[pl.LazyFrame]:
        rows = self._table.lazy().filter(pl.col(TYPE) == event_type, pl.col(TIME).is_between(start, end, closed="left"))
        if customers is not None:
            rows = rows.filter(pl.col(CUSTOMER).is_in(pl.Series(customers, dtype=pl.String).implode()))
        return [rows.select(POSITION, TIME, CUSTOMER, VALUE, *(PROPERTY_PREFIX + name for name in properties))]


def _group_keys(reader: QuestionReader, *, is_apart: bool) -> dict[str, str]:
    """Return the key columns of states, each with what it holds; the customer's first where customers are told apart."""
    keys = {_CUSTOMER_KEY: CUSTOMER} if is_apart else {}
    return keys | {f"by {place}": name for place, name in enumerate(reader.asked.group_by)}


def _question(reader: QuestionReader, customers: Sequence[str] | None, span: Span) -> UsageQuestion:
    """Return the normal question: of some customers, told apart, or of all together."""
    asked = reader.asked
    if customers is None:
        group_by, filter_ = asked.group_by, asked.filter
    else:
        group_by, filter_ = (CUSTOMER, *asked.group_by), {**asked.filter, CUSTOMER: tuple(customers)}
    return UsageQuestion(start=span.start, end=span.end, timezone=asked.timezone, group_by=group_by, filter=filter_)
