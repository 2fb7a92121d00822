"""An event: one notch in the log, its identity and its content.

Identity is (`source`, `id`). Content is everything a sender said: type, customer, time, value and properties. Two events
with the same identity and the same content are one event sent twice; with other content they are a conflict.
Values compare by their text, numbers in canonical decimal: `1`, `1.0` and `"1"` are one value, whatever format carried
them. A time that the sender left out is no content (it is filled in with the arrival afterwards), so that a re-send stays
a duplicate.
"""

from __future__ import annotations

import hashlib
from decimal import Decimal
from enum import StrEnum
from typing import NewType

import msgspec

from .amount import canonical_amount
from .instant import Instant

Position = NewType("Position", int)

TYPE_LENGTH_MAX = 128
CUSTOMER_LENGTH_MAX = 256
ID_LENGTH_MAX = 256
SOURCE_LENGTH_MAX = 256
PROPERTY_NAME_LENGTH_MAX = 256
PROPERTY_TEXT_LENGTH_MAX = 8_192
PROPERTIES_MAX = 128
EVENTS_PER_REQUEST_MAX = 10_000

PropertyValue = str | bool | Decimal


class EventState(StrEnum):
    """Whether an event in the log still counts."""

    COUNTED = "counted"
    VOIDED = "voided"


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """An event as the log keeps it; `time` is the arrival where the sender gave none: `time_given` is false then."""

    source: str
    id: str
    type: str
    customer: str
    time: Instant
    time_given: bool
    value: Decimal
    properties: dict[str, PropertyValue]

    @property
    def content_hash(self) -> bytes:
        """SHA-256 over the canonical content, 32 bytes; the same for every format, key order and spelling of numbers."""
        return content_hash(
            event_type=self.type,
            customer=self.customer,
            time=self.time if self.time_given else None,
            value=canonical_amount(f"{self.value:f}"),
            properties={name: property_text(value) for name, value in self.properties.items()},
        )


class StoredEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event with its place in the log."""

    event: Event
    position: Position
    received_at: Instant
    state: EventState


class Voiding(msgspec.Struct, frozen=True, kw_only=True):
    """The correction by which an event no longer counts: its own place in the log, when it was written, and why."""

    position: Position
    at: Instant
    reason: str


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """The proof that an event is in the log: the block that holds it, how often it was sent again, and what took it out of every figure."""

    stored: StoredEvent
    block: int
    block_hash: bytes
    duplicates_seen: int
    voided: Voiding | None = None


def property_text(value: PropertyValue) -> str:
    """Return the text by which a property value is compared, grouped and counted."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return canonical_amount(f"{value:f}")
    return value


def content_hash(
    *, event_type: str, customer: str, time: Instant | None, value: str, properties: dict[str, str]
) -> bytes:
    """SHA-256 over the canonical content: MessagePack of an array, properties sorted by name.

    Everything in it is text, but for the time (nanoseconds, or nil where the sender gave none).
    """
    canonical = [event_type, customer, time, value, sorted(properties.items())]
    return hashlib.sha256(msgspec.msgpack.encode(canonical)).digest()
