"""Pages of one customer's events in the order of the log; every page of a walk is of the log as it was at its first page."""

from __future__ import annotations

import re
from typing import Final

from tallystick.errors import InvalidQuestion
from tallystick.event import Position
from tallystick.event_lists import entries_at
from tallystick.store import CustomerEventsPage, CustomerEventsQuestion, StoredRows

from .customer_events import CustomerEvents, CustomerScope, FoundEvents, checked_scope
from .view import View

# The position that the walk is of, and the last one that it has passed.
_CURSOR: Final = re.compile(r"([0-9]{1,18})-([0-9]{1,18})", re.ASCII)


def customer_events_page(view: View, events: CustomerEvents, question: CustomerEventsQuestion) -> CustomerEventsPage:
    """Return one page. Raises `InvalidQuestion`."""
    as_of, after = _start(view, question)
    scope = CustomerScope(
        customer=question.customer, start=question.start, end=question.end, as_of=as_of, source=question.source
    )
    items = StoredRows([], [], [], [], [], [], [], [], [], [])
    for found in events.scan(checked_scope(view, scope), after=after):
        room = question.limit - len(items)
        if not room:
            return CustomerEventsPage(events.place_of(as_of), items, f"{as_of}-{items.positions[-1]}")
        _add(items, found, room)
        if len(found.rows) > room:
            return CustomerEventsPage(events.place_of(as_of), items, f"{as_of}-{items.positions[-1]}")
    return CustomerEventsPage(events.place_of(as_of), items, None)


def _add(items: StoredRows, found: FoundEvents, room: int) -> None:
    """Add as many of the events as there is room for."""
    columns, rows = found.columns, found.rows[:room]
    items.positions.extend(found.positions[:room])
    items.are_voided.extend(found.are_voided[:room])
    items.times.extend(columns.times[rows].tolist())
    items.received_at.extend(columns.received_at[rows].tolist())
    items.sources.extend(entries_at(columns.sources, rows))
    items.ids.extend(entries_at(columns.ids, rows))
    items.types.extend(entries_at(columns.types, rows))
    items.customers.extend(entries_at(columns.customers, rows))
    items.values.extend(entries_at(columns.values, rows))
    items.properties.extend(entries_at(columns.properties, rows))


def _start(view: View, question: CustomerEventsQuestion) -> tuple[Position, int]:
    """Return the position whose log is walked, and the position after which the page begins."""
    if question.cursor is None:
        return view.head.position if question.as_of is None else question.as_of, 0
    match = _CURSOR.fullmatch(question.cursor)
    if match is None:
        raise InvalidQuestion("cursor", "is none that this list gave out")
    as_of, after = Position(int(match[1])), int(match[2])
    if question.as_of is not None and question.as_of != as_of:
        raise InvalidQuestion("as_of", f"the walk that the cursor goes on with is of position {as_of}")
    return as_of, after
