"""Which fields of a claim and of a stored event of the same identity differ.

Values compare as identity and content do: properties and values by their text, so that `1`, `1.0` and `"1"` are one value. A time that a
claim leaves out is not compared: it says nothing. Of an item that is no event in full, only the fields that it names are compared, of its
properties only those of its names.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from tallystick.event import PropertyValue, property_text
from tallystick.event_columns import EventColumns, decode_properties
from tallystick.instant import Instant, format_instant

from .claims import WHOLE, Claims
from .reconciliation import Difference

_PROPERTY: Final = "properties."


def differences(claims: Claims, row: int, stored: EventColumns, twin: int) -> list[Difference]:
    """Return the fields of claim `row` that event `twin` has otherwise, in the order in which events are written."""
    yours, given = claims.events, claims.given[row]
    found: list[Difference] = []
    if "type" in given and yours.types[row] != stored.types[twin]:
        found.append(Difference("type", yours.types[row], stored.types[twin]))
    # Where an item names no customer, it is one of the list's: the asked one was filled in.
    if yours.customers[row] != stored.customers[twin]:
        found.append(Difference("customer", yours.customers[row], stored.customers[twin]))
    if yours.times_given[row] and yours.times[row] != stored.times[twin]:
        found.append(Difference("time", _time(int(yours.times[row])), _time(int(stored.times[twin]))))
    if "value" in given and yours.values[row] != stored.values[twin]:
        found.append(Difference("value", Decimal(yours.values[row]), Decimal(stored.values[twin])))
    if "properties" in given and yours.properties[row] != stored.properties[twin]:
        found += _property_differences(
            decode_properties(yours.properties[row]),
            decode_properties(stored.properties[twin]),
            is_whole=given == WHOLE,
        )
    return found


def outside(stored: EventColumns, twin: int, *, start: Instant, end: Instant) -> list[Difference]:
    """Return what says that a stored event lies outside of the range, for a claim that names no time."""
    time = int(stored.times[twin])
    return [] if start <= time < end else [Difference("time", None, _time(time))]


def _time(time: int) -> str:
    return format_instant(Instant(time))


def _property_differences(
    yours: dict[str, PropertyValue], stored: dict[str, PropertyValue], *, is_whole: bool
) -> list[Difference]:
    names = sorted({*yours, *stored} if is_whole else yours)
    return [
        Difference(_PROPERTY + name, yours.get(name), stored.get(name))
        for name in names
        if _text(yours.get(name)) != _text(stored.get(name))
    ]


def _text(value: PropertyValue | None) -> str | None:
    return None if value is None else property_text(value)
