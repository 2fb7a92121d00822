"""How usage questions and answers look in JSON and in CSV."""

from __future__ import annotations

from typing import Annotated

import msgspec

from tallystick.usage.answer import UsageAnswer
from tallystick.usage.question import Fill, Order, WindowSize
from tallystick_server.json_values import Moment, NumberOrNull, Timestamp, number_or_null, timestamp

FilterValue = str | bool | int | float
Names = Annotated[list[str], msgspec.Meta(max_length=16)]


class UsageRowOut(msgspec.Struct):
    """One window of one group; `value` is null where the aggregation has no figure (the smallest of nothing)."""

    start: Timestamp
    end: Timestamp
    group: dict[str, str | None]
    value: NumberOrNull
    events: int


class UsageTotalOut(msgspec.Struct):
    """One group over the whole range: aggregated, never summed from rows."""

    group: dict[str, str | None]
    value: NumberOrNull
    events: int


class UsageOut(msgspec.Struct, kw_only=True, rename={"start": "from", "end": "to"}):
    """Usage of one meter, by the version of it that `meter_version` names; rows are ordered by group, then start."""

    meter: str
    meter_version: int
    start: Timestamp
    end: Timestamp
    window: WindowSize
    timezone: str
    as_of: int | None
    rows: list[UsageRowOut]
    totals: list[UsageTotalOut]


class UsageQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, rename={"start": "from", "end": "to"}):
    """A usage question; the fields are the parameters of `GET /v1/meters/{key}/usage`."""

    start: Moment
    end: Moment | None = None
    window: WindowSize = WindowSize.TOTAL
    timezone: Annotated[str, msgspec.Meta(max_length=64, examples=["Europe/Berlin"])] = "UTC"
    group_by: Names | str = []
    filter: dict[str, list[FilterValue] | FilterValue] = {}
    order: Order = Order.DESC
    limit: Annotated[int, msgspec.Meta(ge=1)] | None = None
    fill: Fill = Fill.NONE
    as_of: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)] | None = None
    version: Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)] | None = None


class MeterQuery(UsageQuery, kw_only=True, forbid_unknown_fields=True):
    """A usage question of one meter."""

    meter: Annotated[str, msgspec.Meta(min_length=1, max_length=128, examples=["tokens"])]


class UsageQueries(msgspec.Struct, forbid_unknown_fields=True):
    """Questions that are answered in order."""

    queries: Annotated[list[MeterQuery], msgspec.Meta(min_length=1, max_length=50)]
    include_archived: bool = False


class UsageAnswers(msgspec.Struct):
    """The answers, in the order of the questions."""

    answers: list[UsageOut]


def usage_out(answer: UsageAnswer) -> UsageOut:
    """Return an answer as it is answered in JSON."""
    question = answer.question
    return UsageOut(
        meter=answer.meter,
        meter_version=answer.meter_version,
        start=timestamp(question.start),
        end=timestamp(question.end),
        window=question.window,
        timezone=question.timezone,
        as_of=question.as_of,
        rows=[
            UsageRowOut(timestamp(row.start), timestamp(row.end), row.group, number_or_null(row.value), row.events)
            for row in answer.rows
        ],
        totals=[UsageTotalOut(total.group, number_or_null(total.value), total.events) for total in answer.totals],
    )
