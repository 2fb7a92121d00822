"""Signals that are past a threshold now, as the appliance answers them."""

from __future__ import annotations

from decimal import Decimal

import msgspec


class FiredSignal(msgspec.Struct, frozen=True):
    """One of them, about one subject; `state` is `fired`, or `snoozed` while its messages are held back."""

    signal: str
    state: str
    since: str
    name: str | None = None
    customer: str | None = None
    figure: Decimal | None = None
    threshold: Decimal | None = None


class FiredSignals(msgspec.Struct, frozen=True):
    """A page of them, the newest first."""

    items: list[FiredSignal]
    next_cursor: str | None = None
