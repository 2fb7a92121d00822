"""A snapshot for questions: the log up to one position, whatever is written meanwhile.

A view is one value, swapped by the writer after each commit; a question takes it once and keeps it. The files it names stay until the last
question that may open them is done (see `segments.segment_set`).
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl

from tallystick.customer import CustomerSeen
from tallystick.dedupe import DedupeIndex
from tallystick.errors import InvalidQuestion
from tallystick.event import Position
from tallystick.instant import Instant
from tallystick.log_head import LogHead
from tallystick.segments.customers_seen import first_customers
from tallystick.segments.event_places import EventPlaces, Place, newest_of
from tallystick.segments.live_tail import LiveTail
from tallystick.segments.segment_set import SegmentSet

from .void_index import Voids


class View(msgspec.Struct, frozen=True, kw_only=True):
    """The segments, then the tails in order of position, up to `head`; the index of all of them; and what does not count."""

    head: LogHead
    event_count: int
    index: DedupeIndex
    hash_seed: int
    segments: SegmentSet
    tails: tuple[LiveTail, ...]
    voids: Voids

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
        """Answer as `EventFrames` says. Raises `InvalidQuestion` for a position that the log has not reached."""
        position = self.reached(as_of)
        found = self.segments.frames(
            event_type=event_type,
            start=start,
            end=end,
            properties=properties,
            customers=customers,
            as_of=position,
            voided=self.voids.as_of(position),
        )
        return found + self.tail_frames(
            event_type=event_type, start=start, end=end, properties=properties, customers=customers, as_of=as_of
        )

    def tail_frames(
        self,
        *,
        event_type: str,
        start: Instant,
        end: Instant,
        properties: Sequence[str] = (),
        customers: Sequence[str] | None = None,
        as_of: Position | None = None,
    ) -> list[pl.LazyFrame]:
        """Answer as `EventFrames` says, for the events that are in no segment."""
        position = self.reached(as_of)
        voided = self.voids.as_of(position)
        found: list[pl.LazyFrame] = []
        for tail in self.tails:
            found += tail.frames(
                event_type=event_type,
                start=start,
                end=end,
                properties=properties,
                customers=customers,
                head=position,
                voided=voided,
            )
        return found

    def reached(self, as_of: Position | None) -> Position:
        """Return the position that a question is about. Raises `InvalidQuestion` for one that the log has not reached."""
        if as_of is not None and as_of > self.head.position:
            raise InvalidQuestion("as_of", f"the log ends at {self.head.position}")
        return self.head.position if as_of is None else as_of

    @property
    def tail_events(self) -> int:
        """How many events are in no segment."""
        return sum(len(tail) for tail in self.tails)

    def newest(
        self,
        *,
        customer: str | None,
        event_type: str | None,
        start: Instant,
        end: Instant,
        before: Place | None,
        limit: int,
    ) -> EventPlaces:
        """Return the newest events up to the head, voided ones too, that come before a place in the order of the events list."""
        pages = [
            tail.newest(
                customer=customer,
                event_type=event_type,
                start=start,
                end=end,
                before=before,
                limit=limit,
                head=self.head.position,
            )
            for tail in self.tails
        ]
        pages.append(
            self.segments.newest(
                customer=customer, event_type=event_type, start=start, end=end, before=before, limit=limit
            )
        )
        return newest_of(pages, limit=limit)

    def positions_of(
        self, customer: str, *, start: Instant, end: Instant, first_position: int, last_position: int
    ) -> npt.NDArray[np.int64]:
        """Return where in `[first_position, last_position]` the customer's events of that time stand, voided ones too, sorted."""
        found = [
            part.positions_of(
                customer, start=start, end=end, first_position=first_position, last_position=last_position
            )
            for part in (self.segments, *self.tails)
        ]
        return np.unique(np.concatenate(found))

    def customers(self, *, after: str | None, limit: int) -> list[CustomerSeen]:
        """Return the first customers by key after the given one, as events name them."""
        pages = [self.segments.customers(after=after, limit=limit)]
        pages += [tail.customers(head=self.head.position, after=after, limit=limit) for tail in self.tails]
        return first_customers(pages, limit=limit)
