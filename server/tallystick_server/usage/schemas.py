"""How usage questions and answers look in JSON and in CSV."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType

from tallystick.usage.question import Compare, Fill, Order, WindowSize
from tallystick_server.json_values import Moment, NumberOrNull, Timestamp

FilterValue = str | bool | int | float
Names = Annotated[list[str], msgspec.Meta(max_length=16)]


class UsageRowOut(msgspec.Struct):
    """One window of one group; `value` is null where the aggregation has no figure (the smallest of nothing).

    With `compare=previous`: the figure of the same group in the window at the same place of the period before, the exact change, and the
    change in percent of the previous figure's size, rounded half-even to 4 decimals; null where that is 0.
    """

    start: Timestamp
    end: Timestamp
    group: dict[str, str | None]
    value: NumberOrNull
    events: int
    previous: NumberOrNull | UnsetType = UNSET
    change: NumberOrNull | UnsetType = UNSET
    change_percent: NumberOrNull | UnsetType = UNSET


class UsageTotalOut(msgspec.Struct):
    """One group over the whole range: aggregated, never summed from rows. With `compare=previous` as a row."""

    group: dict[str, str | None]
    value: NumberOrNull
    events: int
    previous: NumberOrNull | UnsetType = UNSET
    change: NumberOrNull | UnsetType = UNSET
    change_percent: NumberOrNull | UnsetType = UNSET


class PeriodOut(msgspec.Struct, rename={"start": "from", "end": "to"}):
    """A range of time."""

    start: Timestamp
    end: Timestamp


class UsageOut(msgspec.Struct, kw_only=True, rename={"start": "from", "end": "to"}):
    """Usage of one meter, by the version of it that `meter_version` names; rows are ordered by group, then start."""

    meter: str
    meter_version: int
    start: Timestamp
    end: Timestamp
    window: WindowSize
    timezone: str
    as_of: int | None
    compared_with: PeriodOut | UnsetType = UNSET
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
    compare: Compare = Compare.NONE
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
