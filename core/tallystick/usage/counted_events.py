"""The events that count for a meter within a range, as one lazy frame: filtered, with their keys and operands.

Promises: nothing is read before the frame is collected; an event that lacks an operand, or has a text where a number is needed, is
left out.
Columns: the keys, such as `group 0` (String, null where the event has no such property), the operands' columns, `time` and `position`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from tallystick.instant import Instant
from tallystick.meter import Meter

from .event_frames import CUSTOMER, POSITION, PROPERTY_PREFIX, TIME, VALUE, VALUE_TYPE, EventFrames
from .event_selection import select_events
from .operand import Operand, property_names
from .question import UsageQuestion

WINDOW: Final = "window"


def group_columns(question: UsageQuestion) -> dict[str, str]:
    """Return the group columns, one for each name in `group_by`: column to name."""
    return {f"group {place}": name for place, name in enumerate(question.group_by)}


def counted_events(
    frames: EventFrames,
    meter: Meter,
    question: UsageQuestion,
    *,
    keys: Mapping[str, str],
    operands: Sequence[Operand],
    start: Instant | None = None,
    end: Instant | None = None,
) -> pl.LazyFrame:
    """Return the events of the meter's type that count, in the question's range or another; see the module for the columns.

    `keys` are the columns by which events are told apart, each with the name of what it holds: `customer` or a property.
    """
    start, end = question.start if start is None else start, question.end if end is None else end
    selection = select_events([meter.filter, question.filter])
    grouped = {name for name in keys.values() if name != CUSTOMER}
    names = sorted({*grouped, *selection.property_names, *property_names(operands)})
    found: list[pl.LazyFrame] = []
    if start < end and not selection.is_empty:
        found = frames.frames(
            event_type=meter.event_type,
            start=start,
            end=end,
            properties=names,
            customers=selection.customers,
            as_of=question.as_of,
        )
    columns = [POSITION, TIME, CUSTOMER, VALUE, *(f"{PROPERTY_PREFIX}{name}" for name in names)]
    events = pl.concat(found) if found else _no_events(columns)
    return (
        selection.narrow(events)
        .select(
            *(
                pl.col(CUSTOMER if name == CUSTOMER else f"{PROPERTY_PREFIX}{name}").alias(column)
                for column, name in keys.items()
            ),
            *(operand.expression() for operand in operands),
            pl.col(TIME),
            pl.col(POSITION),
        )
        .drop_nulls([operand.column for operand in operands])
    )


def _no_events(columns: Sequence[str]) -> pl.LazyFrame:
    types: dict[str, pl.DataType] = {POSITION: pl.Int64(), TIME: pl.Int64(), VALUE: VALUE_TYPE}
    return pl.LazyFrame(schema={column: types.get(column, pl.String()) for column in columns})
