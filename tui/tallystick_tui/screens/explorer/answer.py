"""Usage as the appliance answers it."""

from __future__ import annotations

from decimal import Decimal

import msgspec

Group = dict[str, str | None]


class Figure(msgspec.Struct, frozen=True):
    """One group over the whole range; compared with the period before where that was asked for."""

    value: Decimal | None
    events: int
    group: Group = {}
    previous: Decimal | None = None
    change: Decimal | None = None
    change_percent: Decimal | None = None


class Row(Figure, frozen=True, kw_only=True):
    """One window of one group."""

    start: str
    end: str


class Period(msgspec.Struct, frozen=True, rename={"start": "from", "end": "to"}):
    """A range of time."""

    start: str
    end: str


class Answer(msgspec.Struct, frozen=True, rename={"start": "from", "end": "to"}):
    """Rows by group, then start; totals by group."""

    meter: str
    start: str
    end: str
    window: str
    rows: list[Row]
    totals: list[Figure]
    compared_with: Period | None = None


class Answers(msgspec.Struct, frozen=True):
    """The answers of `POST /v1/usage`: the question's, and where it is grouped that over all groups."""

    answers: list[Answer]

    @property
    def asked(self) -> Answer:
        """What was asked."""
        return self.answers[0]

    @property
    def whole(self) -> Figure | None:
        """The figure over the whole range and all groups, as the appliance aggregated it; None where nothing happened."""
        return next(iter(self.answers[-1].totals), None)


class Meter(msgspec.Struct, frozen=True):
    """What the explorer needs to know of a meter."""

    key: str
    name: str
    event_type: str
    aggregation: str
    unit: str | None = None
    dimensions: list[str] = []
    archived_at: str | None = None


class Value(msgspec.Struct, frozen=True):
    """A value, and how many of the events that were looked at have it."""

    value: str
    events: int


class Dimension(msgspec.Struct, frozen=True):
    """`customer` or a property of a meter's events."""

    name: str
    events: int
    distinct: int
    values: list[Value]


class Dimensions(msgspec.Struct, frozen=True):
    """What a meter can be grouped by."""

    events: int
    complete: bool
    items: list[Dimension]
