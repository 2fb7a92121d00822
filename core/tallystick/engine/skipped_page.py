"""Events that a meter skips, newest first, page by page.

The range is read from its end backwards, a day first and then twice as much at a time, until a page is full: a page costs what its events
cost, however long the range is. Of each file only times and positions of skipped events are kept, 16 bytes each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from tallystick.cancellation import check_cancelled
from tallystick.errors import InvalidQuestion
from tallystick.event_columns import EventColumns
from tallystick.instant import EARLIEST, LATEST, NS_PER_DAY, Instant
from tallystick.segments.event_places import NO_PLACES, EventPlaces, newest_in, newest_of
from tallystick.store import SkippedPage
from tallystick.usage.skipped_events import SkippedEvent, SkippedQuestion, Skipping

from .events_page import cursor_of, place_of, stored_event
from .view import View

_FIRST_SPAN_NS: Final = NS_PER_DAY


def skipped_page(
    view: View, skipping: Skipping, question: SkippedQuestion, columns_at: Callable[[int], EventColumns]
) -> SkippedPage:
    """Return one page. Raises `InvalidQuestion` for a range that is none, or a foreign cursor."""
    if not EARLIEST <= question.start <= question.end <= LATEST:
        raise InvalidQuestion("to", "lies before from, or outside 1970 to 2261")
    places = _places(view, skipping, question)
    positions: list[int] = places.positions[: question.limit].tolist()
    stored = [stored_event(columns_at(position), position, view) for position in positions]
    has_more = len(places) > question.limit
    return SkippedPage(
        items=[SkippedEvent(each, skipping.reasons(each.event)) for each in stored],
        next_cursor=cursor_of(int(places.times[question.limit - 1]), positions[-1]) if has_more else None,
    )


def _places(view: View, skipping: Skipping, question: SkippedQuestion) -> EventPlaces:
    """Return the newest places of skipped events, one more than the page takes."""
    before = None if question.cursor is None else place_of(question.cursor)
    end = question.end if before is None else min(question.end, Instant(before.time + 1))
    found, wanted = NO_PLACES, question.limit + 1
    if not skipping.operands or skipping.selection.is_empty:
        return found
    for span_start, span_end in _spans(question.start, end):
        frames = view.frames(
            event_type=skipping.meter.event_type,
            start=span_start,
            end=span_end,
            properties=skipping.properties,
            customers=skipping.selection.customers,
        )
        for frame in frames:
            check_cancelled()
            page = newest_in(skipping.skipped(frame), before=before, limit=wanted)
            found = newest_of([found, page], limit=wanted)
        if len(found) == wanted:
            break
    return found


def _spans(start: Instant, end: Instant) -> Iterator[tuple[Instant, Instant]]:
    """Cut a range into spans from its end backwards, each twice as long as the one after it."""
    span_ns = _FIRST_SPAN_NS
    while end > start:
        span_start = Instant(max(start, end - span_ns))
        yield span_start, end
        end, span_ns = span_start, span_ns * 2
