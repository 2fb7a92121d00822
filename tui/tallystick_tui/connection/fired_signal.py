"""Signals that are past a threshold now, as the appliance answers them."""

from __future__ import annotations

from decimal import Decimal

import msgspec


class Period(msgspec.Struct, frozen=True):
    """A calendar period, `[start, end)`."""

    start: str
    end: str


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What explains a step."""

    figure: Decimal | None = None
    threshold: Decimal | None = None
    percent: Decimal | None = None
    limit: Decimal | None = None
    base: Decimal | None = None
    change: Decimal | None = None
    last_event_at: str | None = None


class FiredSignal(Figures, frozen=True, kw_only=True):
    """One of them, about one subject; `state` is `fired`, or `snoozed` while its messages are held back."""

    signal: str
    name: str
    meter: str
    customer: str | None
    group: dict[str, str | None]
    state: str
    level: int
    since: str
    snoozed_until: str | None
    period: Period


class FiredSignals(msgspec.Struct, frozen=True):
    """A page of them, the newest first; `count` is over all signals."""

    items: list[FiredSignal]
    next_cursor: str | None = None
    count: int = 0
