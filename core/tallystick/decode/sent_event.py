"""An event as msgspec decodes it on the fast path: texts ready to use, value and properties still as they were sent.

Value and properties stay bytes because only so do they stay exact, and because the same few byte strings come again and again.
A field that was not sent is `ABSENT`, a text that no valid event holds, so that a whole column can be joined, counted and compared in C.
"""

from __future__ import annotations

from typing import Final

import msgspec

ABSENT: Final = "\0"


class SentEvent(msgspec.Struct, gc=False):
    """The seven fields; whatever else was sent is skipped here and noticed by whoever counts."""

    id: str | None = ABSENT
    type: str | None = ABSENT
    customer: str | None = ABSENT
    time: str | int | None = ABSENT
    value: msgspec.Raw = msgspec.Raw()
    properties: msgspec.Raw = msgspec.Raw()
    source: str | None = ABSENT


class RawSentEvent(msgspec.Struct, gc=False):
    """The same seven fields, all as they were sent: how long they are with their escapes."""

    id: msgspec.Raw = msgspec.Raw()
    type: msgspec.Raw = msgspec.Raw()
    customer: msgspec.Raw = msgspec.Raw()
    time: msgspec.Raw = msgspec.Raw()
    value: msgspec.Raw = msgspec.Raw()
    properties: msgspec.Raw = msgspec.Raw()
    source: msgspec.Raw = msgspec.Raw()
