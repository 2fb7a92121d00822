"""An event as msgspec decodes it on the fast path: texts ready to use, value and properties still as they were sent.

Value and properties stay bytes because only so do they stay exact, and because the same few byte strings come again and again.
A field that was not sent is `ABSENT`, a text that no valid event holds, so that a whole column can be joined, counted and compared in C.
"""

from __future__ import annotations

from typing import Final, Protocol

import msgspec

ABSENT: Final = "\0"


class SentTexts(Protocol):
    """What every format's events have."""

    id: str | None
    type: str | None
    customer: str | None
    time: str | int | None
    source: str | None


class SentEvent(msgspec.Struct, gc=False):
    """The seven fields; whatever else was sent is skipped here and noticed by whoever counts."""

    id: str | None = ABSENT
    type: str | None = ABSENT
    customer: str | None = ABSENT
    time: str | int | None = ABSENT
    value: msgspec.Raw = msgspec.Raw()
    properties: msgspec.Raw = msgspec.Raw()
    source: str | None = ABSENT


class SentCloudEvent(msgspec.Struct, gc=False):
    """A CloudEvent's attributes, under our names where they are our fields; extension attributes are skipped and noticed too."""

    specversion: str = ABSENT
    id: str | None = ABSENT
    source: str | None = ABSENT
    type: str | None = ABSENT
    customer: str | None = msgspec.field(default=ABSENT, name="subject")
    time: str | int | None = ABSENT
    datacontenttype: str | None = ABSENT
    dataschema: str | None = ABSENT
    data: msgspec.Raw = msgspec.Raw()


class RawSentEvent(msgspec.Struct, gc=False):
    """The same seven fields, all as they were sent: how long they are with their escapes."""

    id: msgspec.Raw = msgspec.Raw()
    type: msgspec.Raw = msgspec.Raw()
    customer: msgspec.Raw = msgspec.Raw()
    time: msgspec.Raw = msgspec.Raw()
    value: msgspec.Raw = msgspec.Raw()
    properties: msgspec.Raw = msgspec.Raw()
    source: msgspec.Raw = msgspec.Raw()
