"""A usage question, as asked of one meter."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from tallystick.event import Position
from tallystick.instant import Instant


class WindowSize(StrEnum):
    """How the range is cut; all but `total` follow the local calendar of the question's time zone, weeks start on Monday."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    TOTAL = "total"


class Order(StrEnum):
    """Whether the largest or the smallest groups come first where `limit` cuts."""

    DESC = "desc"
    ASC = "asc"


class Fill(StrEnum):
    """Whether windows without an event have a row."""

    NONE = "none"
    ZERO = "zero"


class Compare(StrEnum):
    """Which other period the figures are laid beside."""

    NONE = "none"
    PREVIOUS = "previous"


class UsageQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """Usage over `[start, end)`.

    `filter` is an AND between names and an OR within each; a name is `customer` or a property. `limit` keeps the top groups by
    their total over the whole range, in the direction of `order`. `version` asks an older version of the meter; without it `as_of` asks the
    one in force then, and a question without both the newest.
    """

    start: Instant
    end: Instant
    window: WindowSize = WindowSize.TOTAL
    timezone: str = "UTC"
    group_by: tuple[str, ...] = ()
    filter: dict[str, tuple[str, ...]] = {}
    order: Order = Order.DESC
    limit: int | None = None
    fill: Fill = Fill.NONE
    compare: Compare = Compare.NONE
    as_of: Position | None = None
    version: int | None = None
