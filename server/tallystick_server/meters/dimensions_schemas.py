"""How the dimensions of a meter look in JSON, and the parameters that ask for them."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar.params import QueryParameter

from tallystick.event import PROPERTY_NAME_LENGTH_MAX
from tallystick.meter import Meter
from tallystick.usage.dimensions import VALUES_MAX, Dimensions, DimensionsQuestion
from tallystick_server.json_values import Timestamp, timestamp, timestamp_or_null

Since = Annotated[
    str | None,
    QueryParameter(name="from", description="Start of the range, in it. Absent: the beginning."),
]
DimensionName = Annotated[
    str | None,
    QueryParameter(
        name="name",
        min_length=1,
        max_length=PROPERTY_NAME_LENGTH_MAX,
        description="Only this one: `customer` or a property.",
    ),
]
Values = Annotated[
    int,
    QueryParameter(
        name="values", ge=0, le=VALUES_MAX, description="How many values of each are listed, most frequent first."
    ),
]


class DimensionValueOut(msgspec.Struct):
    """A value as `filter[NAME]` takes it, and how many of the events have it."""

    value: str
    events: int


class DimensionOut(msgspec.Struct):
    """`customer` or a property: how many of the events have it, how many values it has among them, and the most frequent of these."""

    name: str
    events: int
    distinct: int
    values: list[DimensionValueOut]


class DimensionsOut(msgspec.Struct, kw_only=True, rename={"start": "from", "end": "to"}):
    """What a meter can be grouped by, as `events` of its events show, the `oldest` of them at that time.

    `complete` is true where these are all that the range has.
    """

    meter: str
    event_type: str
    start: Timestamp
    end: Timestamp
    events: int
    oldest: Timestamp | None
    complete: bool
    items: list[DimensionOut]
    next_cursor: str | None = None


def dimensions_out(meter: Meter, question: DimensionsQuestion, found: Dimensions) -> DimensionsOut:
    """Return the dimensions as they are answered."""
    items = [
        DimensionOut(
            dimension.name,
            dimension.events,
            dimension.distinct,
            [DimensionValueOut(value.value, value.events) for value in dimension.values],
        )
        for dimension in found.items
    ]
    return DimensionsOut(
        meter=meter.key,
        event_type=meter.event_type,
        start=timestamp(question.start),
        end=timestamp(question.end),
        events=found.events,
        oldest=timestamp_or_null(found.oldest),
        complete=found.is_complete,
        items=items,
    )
