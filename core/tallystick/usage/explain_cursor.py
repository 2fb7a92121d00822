"""Where a page of an explanation ended: with it goes what the log was and what time it was for the first page, so that all fit together."""

from __future__ import annotations

import base64
from typing import Annotated, Final

import msgspec

from tallystick.errors import InvalidQuestion
from tallystick.instant import LATEST

_Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class ExplainCursor(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A place among events (`time`, `position`: the last one listed) or among intervals (`offset`: how many were)."""

    as_of: _Count
    now: Annotated[int, msgspec.Meta(ge=0, le=LATEST)]
    version: _Count
    time: Annotated[int, msgspec.Meta(ge=-1, le=LATEST)] = -1
    position: _Count = 0
    offset: _Count = 0


_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(ExplainCursor).decode


def cursor_text(cursor: ExplainCursor) -> str:
    """Return the cursor as a page gives it out."""
    return base64.urlsafe_b64encode(_encode(cursor)).decode().rstrip("=")


def parsed_cursor(text: str) -> ExplainCursor:
    """Return the cursor that a page gave out. Raises `InvalidQuestion` for any other."""
    try:
        return _decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, msgspec.DecodeError) as error:
        raise InvalidQuestion("cursor", "is none that an explanation gave out") from error
