"""What a format must be able to do so that its events can be decoded: quickly all at once, and exactly one by one."""

from __future__ import annotations

from typing import Protocol

from tallystick.event_batch import EventLists

from .event_rules import CheckedEvent
from .fast_columns import Moment
from .limits import DecodeLimits
from .native_form import NativeForm


class WireForm(Protocol):
    """One format of request bodies."""

    element_media_type: str
    """What one event alone, cut out of the body, is written in; the quarantine keeps it with the bytes."""

    native_form: NativeForm | None
    """How the compiled library knows the format, if it does."""

    def whole(self, body: bytes, *, limits: DecodeLimits, moment: Moment) -> EventLists | None:
        """Return all events of the body, or None if one of them is not plainly right. Raises `TooManyEvents`."""
        ...

    def split(self, body: bytes, *, limits: DecodeLimits) -> list[bytes]:
        """Return the bytes of each event. Raises `UnreadableBody` and `TooManyEvents`."""
        ...

    def some(self, elements: list[bytes], *, moment: Moment) -> EventLists | None:
        """Return the events of some elements that `split` returned, or None if one of them is not plainly right."""
        ...

    def one(self, element: bytes, *, moment: Moment) -> CheckedEvent:
        """Return the event that one element is. Raises `Refused`."""
        ...
