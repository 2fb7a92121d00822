"""A usage answer: rows by group and window, and totals that are aggregated over the range rather than added up."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from tallystick.instant import Instant
from tallystick.usage.question import UsageQuestion


class UsageRow(msgspec.Struct, frozen=True):
    """One window of one group; `value` is None where the aggregation has no figure (the smallest of nothing)."""

    start: Instant
    end: Instant
    group: dict[str, str | None]
    value: Decimal | None
    events: int


class UsageTotal(msgspec.Struct, frozen=True):
    """One group over the whole range."""

    group: dict[str, str | None]
    value: Decimal | None
    events: int


class UsageAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Rows ordered by group, then start; totals in the order of the groups."""

    meter: str
    meter_version: int
    question: UsageQuestion
    rows: list[UsageRow]
    totals: list[UsageTotal]
