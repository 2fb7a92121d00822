"""Pages of one customer's events in the order of the log; every page of a walk is of the log as it was at its first page."""

from __future__ import annotations

import re
from typing import Final

from tallystick.errors import InvalidQuestion
from tallystick.event import EventState, Position, StoredEvent
from tallystick.store import CustomerEventsPage, CustomerEventsQuestion

from .customer_events import CustomerEvents, CustomerScope, checked_scope
from .view import View

# The position that the walk is of, and the last one that it has passed.
_CURSOR: Final = re.compile(r"([0-9]{1,18})-([0-9]{1,18})", re.ASCII)


def customer_events_page(view: View, events: CustomerEvents, question: CustomerEventsQuestion) -> CustomerEventsPage:
    """Return one page. Raises `InvalidQuestion`."""
    as_of, after = _start(view, question)
    scope = CustomerScope(
        customer=question.customer, start=question.start, end=question.end, as_of=as_of, source=question.source
    )
    items: list[StoredEvent] = []
    next_cursor: str | None = None
    for found in events.scan(checked_scope(view, scope), after=after):
        for row, is_voided in zip(found.rows, found.are_voided, strict=True):
            if len(items) == question.limit:
                next_cursor = f"{as_of}-{items[-1].position}"
                break
            state = EventState.VOIDED if is_voided else EventState.COUNTED
            items.append(found.columns.stored_event(row, state=state))
        if next_cursor is not None:
            break
    return CustomerEventsPage(events.place_of(as_of), items, next_cursor)


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
