"""Signals, channels and deliveries as the appliance answers them."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from tallystick_tui.connection.fired_signal import Figures, Period


class Scope(msgspec.Struct, frozen=True):
    """Who is watched: a customer, each (`*`), or (None) all together."""

    customer: str | None = None


class Condition(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """When a signal fires; only what means something for its type is there."""

    type: str
    op: str | None = None
    value: Decimal | None = None
    thresholds: list[Decimal] = []
    limit: Decimal | None = None
    direction: str | None = None
    floor: Decimal | None = None
    silence_s: int | None = None


class Signal(msgspec.Struct, frozen=True, kw_only=True):
    """One signal."""

    key: str
    meter: str
    condition: Condition
    name: str | None = None
    measure: str = "usage"
    scope: Scope = Scope()
    filter: dict[str, list[str]] = {}
    group_by: list[str] = []
    period: str = "month"
    timezone: str = "UTC"
    channels: list[str] = []
    digest: str = "none"
    template: str | None = None
    enabled: bool = True
    snoozed_until: str | None = None
    version: int = 1


class HistoryStep(Figures, frozen=True, kw_only=True):
    """One step of a signal."""

    id: str
    kind: str
    reason: str
    customer: str | None
    group: dict[str, str | None]
    level: int
    period: Period | None
    at: str
    snoozed_until: str | None = None


class Channel(msgspec.Struct, frozen=True, kw_only=True):
    """A channel; `url` is what may be shown of its address."""

    key: str
    kind: str
    name: str | None
    url: str
    enabled: bool
    disabled_reason: str | None
    waiting: int
    secret: str | None = None


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One try of a delivery."""

    at: str
    duration_ms: int
    outcome: str
    status: int | None
    detail: str


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One message to one channel."""

    id: str
    channel: str
    event: str
    state: str
    signals: list[str]
    customer: str | None
    steps: int
    created_at: str
    due_at: str | None
    finished_at: str | None
    reason: str | None
    attempt_count: int
    attempts: list[Attempt]
