"""Events of which everything follows from their number, so that a test knows every figure without keeping anything.

A batch is `BATCH_EVENTS` consecutive numbers. Customers, values and times repeat with small periods that have no common factor.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

TYPE: Final = "call"
BATCH_EVENTS: Final = 40
FIRST_TIME: Final = datetime(2026, 11, 1, 8, 0, tzinfo=UTC)
_PROPERTY_LENGTH: Final = 8_000
START: Final = "2026-11-01T00:00:00Z"
END: Final = "2026-11-02T00:00:00Z"


def event_id(number: int) -> str:
    """Return the id of an event."""
    return f"e-{number:08d}"


def number_of(text: str) -> int:
    """Return the number of an id."""
    return int(text.removeprefix("e-"))


def value(number: int) -> Decimal:
    """Return the value of an event: with a fraction that no binary number has."""
    return Decimal(number % 101) + Decimal("0.1")


def event(number: int) -> dict[str, Any]:  # Any: JSON
    """Return an event as it is sent."""
    return {
        "id": event_id(number),
        "type": TYPE,
        "customer": f"customer-{number % 7}",
        "time": (FIRST_TIME + timedelta(milliseconds=number * 37)).isoformat().replace("+00:00", "Z"),
        "value": str(value(number)),
        "properties": {"region": ("eu", "us", "ap")[number % 3], "units": number % 11},
    }


def numbers(batch: int) -> range:
    """Return the numbers of a batch."""
    return range(batch * BATCH_EVENTS, (batch + 1) * BATCH_EVENTS)


def body(events: Iterable[int], *, padding: str = "") -> bytes:
    """Return the events as a request; the first has the padding in properties of its own, if there is any."""
    sent = [event(number) for number in events]
    for at in range(0, len(padding), _PROPERTY_LENGTH):
        sent[0]["properties"][f"padding-{at}"] = padding[at : at + _PROPERTY_LENGTH]
    return json.dumps(sent).encode()


def total(events: Iterable[int]) -> Decimal:
    """Return the sum of the values."""
    return sum(map(value, events), Decimal(0))
