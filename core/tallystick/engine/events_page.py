"""Raw events, newest time first: places from the segments and the tails, the events themselves from the log."""

from __future__ import annotations

import base64
import struct
from collections.abc import Callable
from typing import Final

from tallystick.errors import InvalidQuestion
from tallystick.event import EventState, StoredEvent
from tallystick.event_columns import EventColumns
from tallystick.instant import EARLIEST, LATEST
from tallystick.segments.event_places import Place
from tallystick.store import EventsPage, EventsQuestion

from .view import View

_PLACE: Final = struct.Struct(">qQ")


def events_page(view: View, question: EventsQuestion, columns_at: Callable[[int], EventColumns]) -> EventsPage:
    """Return one page. Its cost is that of its events: what is older than the page is not looked at."""
    before = None if question.cursor is None else place_of(question.cursor)
    start = EARLIEST if question.start is None else question.start
    end = LATEST if question.end is None else question.end
    places = view.newest(
        customer=question.customer,
        event_type=question.type,
        start=start,
        end=end,
        before=before,
        limit=question.limit + 1,
    )
    positions: list[int] = places.positions[: question.limit].tolist()
    items = [stored_event(columns_at(position), position, view) for position in positions]
    has_more = len(places) > question.limit
    next_cursor = cursor_of(int(places.times[question.limit - 1]), positions[-1]) if has_more else None
    return EventsPage(items=items, next_cursor=next_cursor)


def stored_event(columns: EventColumns, position: int, view: View) -> StoredEvent:
    """Return the event at a position among these, and whether it counts as the view sees it."""
    state = EventState.VOIDED if position in view.voids else EventState.COUNTED
    return columns.stored_event(position - columns.first_position, state=state)


def cursor_of(time: int, position: int) -> str:
    """Return the cursor of the page after the event of this time and position."""
    return base64.urlsafe_b64encode(_PLACE.pack(time, position)).decode().rstrip("=")


def place_of(cursor: str) -> Place:
    """Return where a cursor goes on. Raises `InvalidQuestion` for a foreign one."""
    try:
        time, position = _PLACE.unpack(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, struct.error) as error:
        raise InvalidQuestion("cursor", "is none that this list gave out") from error
    return Place(time, min(position, (1 << 63) - 1))
