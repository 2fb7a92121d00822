"""A batch's columns as lists, for work that looks at one row after the other: an entry of a pack is made anew each time it is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeVar

from msgspec import structs

from .event_batch import EventLists
from .event_columns import EventColumns
from .packed_events import PackedEvents

Entry = TypeVar("Entry", str, bytes)

# A pack makes all of its entries for the price of an eighth of them one by one.
_FEW: Final = 8


def as_lists(columns: EventLists | PackedEvents) -> EventLists:
    """Return the same events as lists."""
    if isinstance(columns, EventLists):
        return columns
    return EventLists(
        sources=list(columns.sources),
        ids=list(columns.ids),
        types=list(columns.types),
        customers=list(columns.customers),
        times=columns.times,
        times_given=columns.times_given,
        values=list(columns.values),
        properties=list(columns.properties),
    )


def with_lists(columns: EventColumns) -> EventColumns:
    """Return the same events of the log with lists as columns, for whoever looks at most of the rows."""
    if columns.packed is None:
        return columns
    return structs.replace(
        columns,
        sources=list(columns.sources),
        ids=list(columns.ids),
        types=list(columns.types),
        customers=list(columns.customers),
        values=list(columns.values),
        properties=list(columns.properties),
        packed=None,
    )


def are_most(wanted: int, columns: EventColumns) -> bool:
    """Whether so many rows of a pack are better taken from lists."""
    return wanted * _FEW >= len(columns)


def entries_at(column: Sequence[Entry], rows: Sequence[int]) -> list[Entry]:
    """Return the entries of some rows, in their order."""
    if len(rows) * _FEW >= len(column) and not isinstance(column, list):
        column = list(column)
    return [column[row] for row in rows]
