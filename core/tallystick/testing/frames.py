"""Events in a list, as a source of frames: for tests of questions and aggregators without a store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from tallystick.event import Event, EventState, Position, StoredEvent, property_text
from tallystick.instant import Instant
from tallystick.usage.event_frames import CUSTOMER, POSITION, PROPERTY_PREFIX, TIME, VALUE, VALUE_TYPE


class ListedFrames:
    """An `EventFrames` over a list: the first event has position 1, and each counts, so give no event twice.

    `voids` says at which position an event, named by its own, was voided. `frame_events` cuts the list into frames of so many events,
    as a store's segments would be cut.
    """

    def __init__(
        self, events: Sequence[Event], *, voids: Mapping[int, int] | None = None, frame_events: int | None = None
    ) -> None:
        self._events = list(enumerate(events, start=1))
        self._voids = dict(voids or {})
        self._frame_events = frame_events or max(len(self._events), 1)

    def frames(
        self,
        *,
        event_type: str,
        start: Instant,
        end: Instant,
        properties: Sequence[str] = (),
        customers: Sequence[str] | None = None,
        as_of: Position | None = None,
    ) -> list[pl.LazyFrame]:
        """Do as `EventFrames.frames` says."""
        cuts = range(0, len(self._events), self._frame_events)
        wanted = None if customers is None else set(customers)
        return [
            _frame(
                [
                    (position, event)
                    for position, event in self._events[cut : cut + self._frame_events]
                    if event.type == event_type
                    and start <= event.time < end
                    and (wanted is None or event.customer in wanted)
                    and self._counts(position, as_of)
                ],
                properties,
            )
            for cut in cuts
        ]

    def event_at(self, position: int) -> StoredEvent:
        """Return the event at a position, as one that counts."""
        event = self._events[position - 1][1]
        return StoredEvent(event=event, position=Position(position), received_at=event.time, state=EventState.COUNTED)

    def _counts(self, position: int, as_of: Position | None) -> bool:
        voided_at = self._voids.get(position)
        if as_of is None:
            return voided_at is None
        return position <= as_of and (voided_at is None or voided_at > as_of)


def _frame(events: Sequence[tuple[int, Event]], properties: Sequence[str]) -> pl.LazyFrame:
    columns: dict[str, pl.Series] = {
        POSITION: pl.Series([position for position, _ in events], dtype=pl.Int64),
        TIME: pl.Series([int(event.time) for _, event in events], dtype=pl.Int64),
        CUSTOMER: pl.Series([event.customer for _, event in events], dtype=pl.String),
        VALUE: pl.Series([event.value for _, event in events], dtype=VALUE_TYPE),
    }
    for name in properties:
        texts = [property_text(event.properties[name]) if name in event.properties else None for _, event in events]
        columns[f"{PROPERTY_PREFIX}{name}"] = pl.Series(texts, dtype=pl.String)
    return pl.LazyFrame(columns)
