"""A question about somebody else's list: whose events, in which range, as the log had them at which position."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from tallystick.event import Position
from tallystick.instant import Instant


class Direction(StrEnum):
    """Whether the log is searched for what the list lacks as well (`both`), or the list alone is looked up (`yours`)."""

    BOTH = "both"
    YOURS = "yours"


class ReconcileQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """The events of one customer with `start <= time < end`, of one source alone unless it is None; `as_of` None: as the log is now."""

    customer: str
    start: Instant
    end: Instant
    source: str | None = None
    as_of: Position | None = None
    meters: tuple[str, ...] = ()
    direction: Direction = Direction.BOTH
