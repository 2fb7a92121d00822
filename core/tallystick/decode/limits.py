"""How much one request may carry, and how far ahead of the clock its events may lie."""

from __future__ import annotations

import msgspec

from tallystick.event import EVENTS_PER_REQUEST_MAX
from tallystick.instant import NS_PER_HOUR


class DecodeLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator may set; `body_bytes_max` counts bytes after decompression."""

    events_max: int = EVENTS_PER_REQUEST_MAX
    body_bytes_max: int = 16 * 1024 * 1024
    future_ns_max: int = NS_PER_HOUR
