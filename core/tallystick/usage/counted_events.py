"""The events that count for a meter within a range, as one lazy frame: filtered, with their groups, window and operands.

Promises: nothing is read before the frame is collected; an event that lacks an operand, or has a text where a number is needed, is
left out.
Columns: `group 0`, `group 1`, … (String, null where the event has no such property), `window` (Int32), the operands' columns, `time`
and `position`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from tallystick.meter import Meter

from .event_frames import CUSTOMER, POSITION, PROPERTY_PREFIX, TIME, VALUE, VALUE_TYPE, EventFrames
from .event_selection import select_events
from .operand import Operand, property_names
from .question import UsageQuestion
from .windows import Windows

WINDOW: Final = "window"


def group_columns(question: UsageQuestion) -> list[str]:
    """Return the names of the group columns, one for each name in `group_by`."""
    return [f"group {place}" for place in range(len(question.group_by))]


def counted_events(
    frames: EventFrames, meter: Meter, question: UsageQuestion, *, windows: Windows, operands: Sequence[Operand]
) -> pl.LazyFrame:
    """Return the events of the meter's type in the question's range that count; see the module for the columns."""
    selection = select_events([meter.filter, question.filter])
    grouped = [name for name in question.group_by if name != CUSTOMER]
    names = sorted({*grouped, *selection.property_names, *property_names(operands)})
    found: list[pl.LazyFrame] = []
    if question.start < question.end and not selection.is_empty:
        found = frames.frames(
            event_type=meter.event_type,
            start=question.start,
            end=question.end,
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
                for name, column in zip(question.group_by, group_columns(question), strict=True)
            ),
            windows.index_of(pl.col(TIME)).alias(WINDOW),
            *(operand.expression() for operand in operands),
            pl.col(TIME),
            pl.col(POSITION),
        )
        .drop_nulls([operand.column for operand in operands])
    )


def _no_events(columns: Sequence[str]) -> pl.LazyFrame:
    types: dict[str, pl.DataType] = {POSITION: pl.Int64(), TIME: pl.Int64(), VALUE: VALUE_TYPE}
    return pl.LazyFrame(schema={column: types.get(column, pl.String()) for column in columns})
