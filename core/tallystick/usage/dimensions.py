"""Dimensions: what a meter's events can be grouped and filtered by, as far as its newest events show.

Promises: every count is exact about the events that were looked at: the newest `EVENTS_LOOKED_AT_MAX` of the meter's type in the range, of
which those count that are not voided and pass its filter. Whether there were more is said.
Does not: find a property that only older events have, nor list more than `NAMES_MAX` properties: the most frequent ones.
"""

from __future__ import annotations

from typing import Final

import msgspec

from tallystick.errors import InvalidQuestion
from tallystick.event import PROPERTY_NAME_LENGTH_MAX
from tallystick.instant import EARLIEST, LATEST, Instant

from .event_filter import is_text

# A second of a busy appliance, a month of a quiet one; counting them takes some ten milliseconds.
EVENTS_LOOKED_AT_MAX: Final = 50_000
NAMES_MAX: Final = 100
VALUES_MAX: Final = 1_000


class DimensionsQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """Whose values are wanted: of events with `start <= time < end`, of every name or of one, so many of the most frequent."""

    start: Instant = EARLIEST
    end: Instant
    name: str | None = None
    values: int = 20


class DimensionValue(msgspec.Struct, frozen=True):
    """A value, as filters compare it, and how many events have it."""

    value: str
    events: int


class Dimension(msgspec.Struct, frozen=True):
    """`customer` or a property: how many events have it, how many values it has, and the most frequent of them."""

    name: str
    events: int
    distinct: int
    values: list[DimensionValue]


class Dimensions(msgspec.Struct, frozen=True, kw_only=True):
    """What was found among `events` events, none older than `oldest`; `is_complete` where these are all that the range has."""

    events: int
    oldest: Instant | None
    is_complete: bool
    items: list[Dimension]


def check_dimensions_question(question: DimensionsQuestion) -> None:
    """Raise `InvalidQuestion` for a range that is none, a name that cannot be one, or too many values."""
    if not EARLIEST <= question.start <= question.end <= LATEST:
        raise InvalidQuestion("to", "lies before from, or outside 1970 to 2261")
    if question.name is not None and not is_text(question.name, PROPERTY_NAME_LENGTH_MAX):
        raise InvalidQuestion(
            "name", f"is no property name: give `customer`, or 1 to {PROPERTY_NAME_LENGTH_MAX} characters"
        )
    if not 0 <= question.values <= VALUES_MAX:
        raise InvalidQuestion("values", f"must be from 0 to {VALUES_MAX}")
