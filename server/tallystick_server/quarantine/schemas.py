"""How quarantined events look in JSON."""

from __future__ import annotations

from base64 import b64encode

import msgspec

from tallystick.rejection import Code
from tallystick.store import QuarantinedEvent
from tallystick_server.json_values import Timestamp, timestamp


class QuarantinedOut(msgspec.Struct, kw_only=True):
    """An event that was refused, and why.

    `raw` is the event as it was sent, cut at 64 KiB; null where it is no UTF-8 text, and then `raw_base64` has it.
    """

    id: str
    received_at: Timestamp
    index: int
    code: Code
    detail: str
    content_type: str
    raw: str | None
    raw_base64: str | None
    times_seen: int


class QuarantineOut(msgspec.Struct):
    """A page of quarantined events, newest first."""

    items: list[QuarantinedOut]
    next_cursor: str | None


def quarantined_out(entry: QuarantinedEvent) -> QuarantinedOut:
    """Return an entry as it is answered."""
    try:
        text, encoded = entry.raw.decode(), None
    except UnicodeDecodeError:
        text, encoded = None, b64encode(entry.raw).decode()
    return QuarantinedOut(
        id=entry.id,
        received_at=timestamp(entry.received_at),
        index=entry.index,
        code=Code(entry.code),
        detail=entry.detail,
        content_type=entry.content_type,
        raw=text,
        raw_base64=encoded,
        times_seen=entry.times_seen,
    )
