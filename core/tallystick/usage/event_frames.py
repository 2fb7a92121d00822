"""Where questions get their events: columns of one type within a range of time, whatever store they come from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import polars as pl

from tallystick.event import Position
from tallystick.instant import Instant

POSITION = "position"
TIME = "time"
CUSTOMER = "customer"
VALUE = "value"
PROPERTY_PREFIX = "p:"
VALUE_TYPE = pl.Decimal(38, 12)


class EventFrames(Protocol):
    """The seam between questions and the store."""

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
        """Return lazy frames that together hold each counted event of the type with `start <= time < end` exactly once.

        Columns, in this order: `position` Int64, `time` Int64 (nanoseconds), `customer` String, `value` Decimal(38, 12), and for each
        name in `properties` a String column `p:NAME`: the value's text (`event.property_text`), null where the event has no such property.
        Voided events are left out; `as_of` leaves out what came, and forgets what was voided, after that position.
        `customers` narrows to those keys. The frames are a snapshot: later events do not appear in them.
        """
        ...
