"""Which statement is asked for."""

from __future__ import annotations

import msgspec

from tallystick.event import Position
from tallystick.instant import Instant
from tallystick.usage.question import WindowSize


class StatementQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """What `customer` used in `[start, end)`; `as_of` None: as the log is now; `meters` empty: all that were in force and not archived."""

    customer: str
    start: Instant
    end: Instant
    as_of: Position | None = None
    timezone: str = "UTC"
    window: WindowSize = WindowSize.TOTAL
    meters: tuple[str, ...] = ()
