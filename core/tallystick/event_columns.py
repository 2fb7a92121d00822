"""Accepted events as columns: what a block of the log holds, what the live tail keeps and what segments are made from.

Columns rather than objects, because nothing between the decoder and the disk may cost more than a fraction of a microsecond an event.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from .event import Event, EventState, Position, PropertyValue, StoredEvent, property_text
from .instant import Instant
from .packed_events import PackedEvents, PackedRows


class EventColumns(msgspec.Struct, frozen=True, kw_only=True):
    """Consecutive events of the log: entry `i` of each column belongs to position `first_position + i`.

    `times` and `received_at` are Int64 nanoseconds; `values` canonical amounts; `properties` canonical JSON objects (see `EventLists`).
    `packed` holds the same events in one piece of memory, where the compiled library is; the columns of texts then lie in it.
    """

    first_position: int
    sources: Sequence[str]
    ids: Sequence[str]
    types: Sequence[str]
    customers: Sequence[str]
    times: npt.NDArray[np.int64]
    times_given: npt.NDArray[np.bool_]
    received_at: npt.NDArray[np.int64]
    values: Sequence[str]
    properties: Sequence[bytes]
    packed: PackedRows | None = None

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def end_position(self) -> int:
        """The position after the last event: the columns cover `[first_position, end_position)`."""
        return self.first_position + len(self.ids)

    def piece(self, start: int, end: int) -> EventColumns:
        """Return the rows `[start, end)`."""
        packed = self.packed
        return EventColumns(
            first_position=self.first_position + start,
            sources=self.sources[start:end],
            ids=self.ids[start:end],
            types=self.types[start:end],
            customers=self.customers[start:end],
            times=self.times[start:end],
            times_given=self.times_given[start:end],
            received_at=self.received_at[start:end],
            values=self.values[start:end],
            properties=self.properties[start:end],
            packed=packed and PackedRows(packed.pack, packed.start + start, packed.start + end),
        )

    def stored_event(self, row: int, *, state: EventState) -> StoredEvent:
        """Return one row as an object; costs microseconds, so for pages and receipts only."""
        event = Event(
            source=self.sources[row],
            id=self.ids[row],
            type=self.types[row],
            customer=self.customers[row],
            time=Instant(int(self.times[row])),
            time_given=bool(self.times_given[row]),
            value=Decimal(self.values[row]),
            properties=decode_properties(self.properties[row]),
        )
        return StoredEvent(
            event=event,
            position=Position(self.first_position + row),
            received_at=Instant(int(self.received_at[row])),
            state=state,
        )


def columns_of_pack(pack: PackedEvents, *, first_position: int = 0) -> EventColumns:
    """Return the events of a pack; makes no object an event."""
    return EventColumns(
        first_position=first_position,
        sources=pack.sources,
        ids=pack.ids,
        types=pack.types,
        customers=pack.customers,
        times=pack.times,
        times_given=pack.times_given,
        received_at=pack.received_at,
        values=pack.values,
        properties=pack.properties,
        packed=PackedRows(pack, 0, pack.rows),
    )


_PROPERTIES: msgspec.json.Decoder[dict[str, Any]] = (
    msgspec.json.Decoder(  # Any: msgspec takes no union of Decimal, str and bool
        dict[str, Any], float_hook=Decimal
    )
)


def decode_properties(canonical: bytes) -> dict[str, PropertyValue]:
    """Return the properties that a canonical JSON object holds; every number is a `Decimal`."""
    if canonical == b"{}":
        return {}
    return {
        name: Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else value
        for name, value in _PROPERTIES.decode(canonical).items()
    }


def property_texts(canonical: bytes) -> dict[str, str]:
    """Return the texts by which the properties of a canonical JSON object compare."""
    return {name: property_text(value) for name, value in decode_properties(canonical).items()}
