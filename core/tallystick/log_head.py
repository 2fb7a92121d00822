"""Where a log ends."""

from __future__ import annotations

from typing import Final

import msgspec

from .event import Position


class LogHead(msgspec.Struct, frozen=True, kw_only=True):
    """The last position given and the last block with its hash; all zero when nothing was written."""

    position: Position
    block: int
    hash: bytes


EMPTY_HEAD: Final = LogHead(position=Position(0), block=0, hash=bytes(32))
