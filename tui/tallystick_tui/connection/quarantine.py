"""Refused events as the appliance keeps them, and sending one again."""

from __future__ import annotations

import base64
from typing import Final

import msgspec

from .appliance_client import ApplianceClient, Page, segment
from .failure import Refused

# What of an event is kept at most; a longer one was cut, and is no JSON any more.
RAW_BYTES_MAX: Final = 64 * 1024
_PREFIX: Final = "every event was rejected; the first one: "


class _Named(msgspec.Struct, frozen=True):
    id: str = ""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A refused event: why, and as it was sent."""

    id: str
    received_at: str
    code: str
    detail: str
    content_type: str
    raw: str | None
    raw_base64: str | None
    times_seen: int

    @property
    def text(self) -> str:
        """The event as JSON text where it can be said in it, else as it was kept."""
        if self.raw is not None:
            return self.raw
        kept = base64.b64decode(self.raw_base64 or "")
        try:
            return msgspec.json.encode(msgspec.msgpack.decode(kept)).decode()
        except (msgspec.DecodeError, UnicodeDecodeError, TypeError, ValueError):
            return kept.decode(errors="backslashreplace")

    @property
    def name(self) -> str:
        """The id that the event carries, as far as it can be read."""
        try:
            return msgspec.json.decode(self.raw or "{}", type=_Named).id
        except (msgspec.DecodeError, UnicodeEncodeError):
            return ""

    @property
    def media_type(self) -> str:
        """How a correction of it is sent: in the form it came in, as one event."""
        return "application/cloudevents+json" if "cloudevents" in self.content_type else "application/json"


class Reason(msgspec.Struct, frozen=True):
    """How many were refused for a reason."""

    code: str
    entries: int
    times_seen: int
    newest_at: str


class Reasons(msgspec.Struct, frozen=True):
    """All reasons, most entries first; of a very long list only the newest `counted` were looked at."""

    items: list[Reason]
    entries: int
    counted: int


class _Ingested(msgspec.Struct, frozen=True):
    accepted: int = 0
    duplicates: int = 0


class Outcome(msgspec.Struct, frozen=True):
    """What became of an entry that was sent again; `words` say it. One that was not taken stays in quarantine. `name`: its id."""

    entry_id: str
    is_counted: bool
    words: str
    name: str = ""


async def ask_reasons(client: ApplianceClient) -> Reasons:
    """Return the counts by reason. Raises `ApplianceFailure`."""
    return await client.ask("/v1/quarantine/reasons", answer=Reasons)


async def ask_entries(
    client: ApplianceClient, *, code: str | None, limit: int, cursor: str | None = None
) -> Page[Entry]:
    """Return a page of refused events, newest first. Raises `ApplianceFailure`."""
    params = [] if code is None else [("code", code)]
    return await client.ask_page("/v1/quarantine", params, item=Entry, limit=limit, cursor=cursor)


async def resubmit(client: ApplianceClient, entry: Entry, text: str | None) -> Outcome:
    """Send an event again, corrected or (None) as it was kept; a refusal of the event is an outcome.

    Raises `ApplianceFailure` where nothing was decided: the connection is gone, or the key may not.
    """
    path = f"/v1/quarantine/{segment(entry.id)}/resubmit"
    body = msgspec.UNSET if text is None else msgspec.Raw(text.encode())
    headers = {} if text is None else {"Content-Type": entry.media_type}
    try:
        answer = await client.call("POST", path, body=body, headers=headers)
    except Refused as refusal:
        if refusal.status not in (400, 404, 413, 422):
            raise
        return Outcome(entry.id, name=entry.name, is_counted=False, words=str(refusal).removeprefix(_PREFIX))
    ingested = msgspec.json.decode(answer, type=_Ingested)
    words = "counted" if ingested.accepted else "a duplicate: it was counted before"
    return Outcome(entry.id, name=entry.name, is_counted=True, words=words)
