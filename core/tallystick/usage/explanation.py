"""What is behind one figure: the events that it was made of, or for levels and durations the intervals.

Promises: what all pages together list adds up to the figure. Each event says what it adds (`amount`); for durations the `seconds` of the
intervals add up; for levels, the levels of the intervals that hold at an instant add up to the level then.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

import msgspec

from tallystick.event import Position, StoredEvent
from tallystick.instant import Instant

from .answer import UsageTotal
from .question import UsageQuestion


class ExplainQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """A usage question whose figure over the whole range is explained, page by page; `cursor` goes on where a page ended."""

    usage: UsageQuestion
    limit: int = 100
    cursor: str | None = None


class CountedEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event that counts.

    `amount` is what the figure is made of: 1 for a count; for distinct values 1 where the value is new, otherwise 0; else the number
    that was read. None where a plugin's aggregation says no more than that the event counts.
    """

    stored: StoredEvent
    group: dict[str, str | None]
    amount: Decimal | None


class Ending(StrEnum):
    """What ended an interval: an event, the timeout, or nothing: the range was over, or it is still so now."""

    EVENT = "event"
    TIMEOUT = "timeout"
    RANGE = "range"
    NOW = "now"


class Causes(msgspec.Struct, frozen=True):
    """The events of one series at one instant, greatest position first: `count` of them, of which at most `CAUSES_MAX` are listed."""

    count: int
    events: list[StoredEvent]


class Interval(msgspec.Struct, frozen=True, kw_only=True):
    """A series at one level other than 0, for `seconds` within the range.

    `opened` are the events that brought it to that level, which may lie before the range; `closed` those that ended it.
    """

    start: Instant
    end: Instant
    seconds: Decimal
    level: Decimal
    group: dict[str, str | None]
    customer: str
    series: str | None
    opened: Causes
    closed: Causes | None
    ending: Ending


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """One page: of `events` for most meters, of `intervals` for levels and durations, in order of time.

    Every page is of the log as it was at position `as_of` and of the time `now`, whatever came since. The first one has the figures that
    are explained.
    """

    meter: str
    meter_version: int
    question: UsageQuestion
    as_of: Position
    now: Instant
    totals: list[UsageTotal] | None
    events: list[CountedEvent] | None = None
    intervals: list[Interval] | None = None
    next_cursor: str | None


CAUSES_MAX = 10
