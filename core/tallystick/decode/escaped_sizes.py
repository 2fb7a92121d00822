"""A second look at a body that is longer than its texts, for whether escaped characters are the only reason.

Every field is decoded again, this time to the bytes that were sent for it, escapes and all. Costs what the first decoding did.
"""

from __future__ import annotations

from typing import Final

import msgspec

from .raw_column import raw_column
from .sent_event import RawSentEvent
from .sent_sizes import SentSizes

_ARRAY: Final = msgspec.json.Decoder(list[RawSentEvent])
_OBJECT: Final = msgspec.json.Decoder(RawSentEvent)


def are_only_escapes(body: bytes, *, event_bytes: int, members: int) -> bool:
    """Whether the events have so many members, and with their escapes so many solid bytes; `body` is an array, or an object a line.

    Fewer members than were sent means that one of them was taken for `ABSENT`, as a text of an escaped NUL is.
    """
    if b"\\" not in body:
        return False
    try:
        events = _ARRAY.decode(body) if body.startswith(b"[") else _OBJECT.decode_lines(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    sizes = SentSizes()
    blobs: list[bytes] = []
    for name in RawSentEvent.__struct_fields__:
        raws, joined = raw_column([getattr(event, name) for event in events])
        sizes.add(name, len(raws) - raws.count(b""))
        blobs.append(joined)
    return sizes.members == members and sizes.json_bytes(len(events), *blobs) == event_bytes
