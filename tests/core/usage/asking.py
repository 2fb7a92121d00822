"""Events, meters and questions by the few words that a test is about."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import count
from typing import Any

import msgspec

from tallystick.event import Event, PropertyValue
from tallystick.instant import parse_instant
from tallystick.meter import Meter
from tallystick.testing import ManualClock
from tallystick.testing.frames import ListedFrames
from tallystick.usage.answer import UsageAnswer
from tallystick.usage.answer_usage import answer_usage
from tallystick.usage.question import UsageQuestion

_ids = count()


def call(
    time: str, *, value: str = "1", customer: str = "acme", type_: str = "call", **properties: PropertyValue
) -> Event:
    return Event(
        source="",
        id=str(next(_ids)),
        type=type_,
        customer=customer,
        time=parse_instant(time),
        time_given=True,
        value=Decimal(value),
        properties=properties,
    )


def meter(aggregation: str = "sum", **fields: Any) -> Meter:  # Any: the fields of Meter, checked by its tests
    defined = Meter(key="calls", name="Calls", event_type="call", aggregation=aggregation)
    return msgspec.structs.replace(defined, **fields)


def question(
    start: str = "2026-11-01T00:00:00Z", end: str = "2026-12-01T00:00:00Z", **asked: Any
) -> UsageQuestion:  # Any: as above
    return UsageQuestion(start=parse_instant(start), end=parse_instant(end), **asked)


NOW = "2027-06-01T00:00:00Z"


def clock_at(time: str = NOW) -> ManualClock:
    return ManualClock(time)


def ask(
    events: Sequence[Event], asked: UsageQuestion | None = None, of: Meter | None = None, *, now: str = NOW
) -> UsageAnswer:
    return answer_usage(ListedFrames(events), of or meter(), asked or question(), clock=clock_at(now))


def totals(answer: UsageAnswer) -> list[tuple[tuple[str | None, ...], Decimal | None]]:
    return [(tuple(total.group.values()), total.value) for total in answer.totals]


def values(answer: UsageAnswer) -> list[Decimal | None]:
    return [row.value for row in answer.rows]
