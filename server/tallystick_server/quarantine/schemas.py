"""How quarantined events look in JSON."""

from __future__ import annotations

from base64 import b64encode

import msgspec

from tallystick.rejection import Code
from tallystick.store import QuarantinedEvent, QuarantineReasons
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


class QuarantineReasonOut(msgspec.Struct, kw_only=True):
    """How many entries were refused for a reason, and how often these were seen."""

    code: Code
    entries: int
    times_seen: int
    newest_at: Timestamp
    oldest_at: Timestamp


class QuarantineReasonsOut(msgspec.Struct, kw_only=True):
    """The reasons, most entries first, of the newest `counted` of all `entries`."""

    items: list[QuarantineReasonOut]
    entries: int
    counted: int


def reasons_out(reasons: QuarantineReasons) -> QuarantineReasonsOut:
    """Return the counts as they are answered."""
    items = [
        QuarantineReasonOut(
            code=Code(each.code),
            entries=each.entry_count,
            times_seen=each.times_seen,
            newest_at=timestamp(each.newest_at),
            oldest_at=timestamp(each.oldest_at),
        )
        for each in reasons.items
    ]
    return QuarantineReasonsOut(items=items, entries=reasons.entry_count, counted=reasons.counted)


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
