"""What is behind a figure, as the appliance answers it page by page; and in words, how the listed amounts make the figure."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

import msgspec

from tallystick_tui.texts import figures

from .answer import Figure


class Event(msgspec.Struct, frozen=True, tag_field="kind", tag="event"):
    """An event that counts, and what it adds."""

    id: str
    source: str
    type: str
    customer: str
    time: str
    position: int
    amount: Decimal | None


class Cause(msgspec.Struct, frozen=True):
    """An event that began or ended an interval."""

    source: str
    id: str


class Causes(msgspec.Struct, frozen=True):
    """How many there are at that instant, and some of them."""

    count: int
    events: list[Cause]


class Interval(msgspec.Struct, frozen=True, tag_field="kind", tag="interval"):
    """A series at one level."""

    start: str
    end: str
    seconds: Decimal
    level: Decimal
    customer: str
    series: str | None
    opened: Causes
    ending: str


class Explanation(msgspec.Struct, frozen=True):
    """One page; the first has the figure in `totals`."""

    items: list[Event | Interval]
    totals: list[Figure] | None
    next_cursor: str | None


_ADDED: Final = frozenset({"count", "sum", "unique"})
_OF_ALL: Final = {
    "min": "the smallest of {} amounts",
    "max": "the largest of {} amounts",
    "avg": "the mean of {} amounts",
    "latest": "the last of {} amounts",
}


def amount_of(item: Event | Interval) -> Decimal:
    """Return what an item adds where amounts add up: seconds of a duration, the amount of an event."""
    if isinstance(item, Interval):
        return item.seconds
    return item.amount or Decimal(0)


def proof(aggregation: str, figure: Figure | None, items: Sequence[Event | Interval], total: Decimal, seen: int) -> str:
    """Return how the items so far make the figure: `total` is what they add up to, `seen` how many they are."""
    if figure is None:
        return "nothing counts here"
    value, count, so_far = figures.exact(figure.value), figures.exact(figure.events), figures.exact(seen)
    if aggregation in _ADDED:
        if seen < figure.events:
            return f"{so_far} of {count} events add {figures.exact(total)} of {value}"
        sign = "=" if total == (figure.value or 0) else "≠"
        events = "the one event adds" if seen == 1 else f"all {so_far} events add"
        return f"{events} up to {figures.exact(total)} {sign} the figure {value}"
    if aggregation in _OF_ALL:
        return f"{_OF_ALL[aggregation].format(count)} is the figure, {value}"
    if aggregation == "duration":
        return f"the seconds of {so_far} intervals add up to {figures.exact(total)} of {value}"
    is_level = bool(items) and isinstance(items[0], Interval)
    behind = "levels that hold at one time add up to the level then" if is_level else f"{count} events make it"
    return f"{behind}; the figure is {value}"
