"""Events as the HTTP interface lists them, read back: their content by the rules of ingest, and their place in the log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

import msgspec

from tallystick.decode import DecodeLimits, decode_events
from tallystick.entropy import NoEntropy
from tallystick.event import EventState
from tallystick.event_batch import EventLists
from tallystick.event_lists import as_lists
from tallystick.instant import LATEST, Instant

from .statement import InvalidStatement

BATCH_EVENTS_MAX: Final = 10_000

# Whatever was counted is read, though a clock may stand elsewhere now: nothing is too far ahead or too large here.
_LIMITS: Final = DecodeLimits(events_max=BATCH_EVENTS_MAX, body_bytes_max=1 << 40, future_ns_max=0)
_NO_LATER: Final = Instant(LATEST - 1)


class ListedEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a list, its content still as it is written there; the fields that only a list has are left out of the content."""

    source: msgspec.Raw
    id: msgspec.Raw
    type: msgspec.Raw
    customer: msgspec.Raw
    time: msgspec.Raw
    value: msgspec.Raw
    properties: msgspec.Raw
    position: Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
    state: EventState = EventState.COUNTED


class ListedBatch(msgspec.Struct, frozen=True):
    """Events as columns, with the position and the state of each row."""

    events: EventLists
    positions: list[int]
    states: list[EventState]


_line: Final = msgspec.json.Decoder(ListedEvent).decode
_CONTENT: Final = ("source", "id", "type", "customer", "time", "value", "properties")


def listed_batch(lines: Sequence[bytes], *, first_line: int = 1) -> ListedBatch:
    """Return at most `BATCH_EVENTS_MAX` lines as columns. Raises `InvalidStatement` naming the line that is no listed event."""
    listed: list[ListedEvent] = []
    for number, line in enumerate(lines, first_line):
        try:
            listed.append(_line(line))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise InvalidStatement(
                f"line {number} is no event with its position, as `tallystick statement --events-out` writes it: {error}"
            ) from error
    body = b"\n".join(
        b"{" + b",".join(b'"%b":%b' % (name.encode(), bytes(getattr(each, name))) for name in _CONTENT) + b"}"
        for each in listed
    ).replace(b"\r", b" ")
    batch = decode_events(
        body,
        media_type="application/x-ndjson",
        received_at=_NO_LATER,
        limits=_LIMITS,
        entropy=NoEntropy(),
    )
    if batch.rejected:
        refused = batch.rejected[0].rejected
        raise InvalidStatement(f"line {first_line + refused.index} is no event: {refused.detail}")
    events = as_lists(batch.columns)
    if not events.times_given.all():
        raise InvalidStatement(f"line {first_line + int(events.times_given.argmin())} has no time")
    return ListedBatch(events, [each.position for each in listed], [each.state for each in listed])
