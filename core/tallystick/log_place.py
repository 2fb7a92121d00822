"""A place in the log by which an answer can be held to account: what was known there never changes."""

from __future__ import annotations

import msgspec

from .event import Position
from .instant import Instant


class LogPlace(msgspec.Struct, frozen=True, kw_only=True):
    """A position, and the block that holds it, written at that instant; all zero before the first block."""

    position: Position
    block: int
    block_hash: bytes
    written_at: Instant
