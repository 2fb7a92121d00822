"""Signals, channels and steps as tests make them."""

from __future__ import annotations

from decimal import Decimal

from tallystick.engine import Engine
from tallystick.event import Position
from tallystick.instant import NS_PER_DAY, Instant, parse_instant
from tallystick.meter import Meter
from tallystick.signals.channel import Channel, ChannelKind
from tallystick.signals.signal import Condition, ConditionType, Signal
from tallystick.signals.step import Step, StepKind, StepReason, Subject

NOVEMBER = parse_instant("2026-11-01T00:00:00Z")
DECEMBER = parse_instant("2026-12-01T00:00:00Z")
METER = Meter(key="calls", name="Calls", event_type="call", aggregation="count")
OPS = Channel(key="ops", kind=ChannelKind.WEBHOOK, address="https://ops.example/", sealed=b"sealed")
CAP = Signal(
    key="cap",
    meter="calls",
    customer="*",
    channels=("ops",),
    condition=Condition(type=ConditionType.THRESHOLD, limit=Decimal(100), thresholds=(Decimal(80), Decimal(100))),
)


def set_up(engine: Engine, *signals: Signal) -> None:
    """Define a meter, a channel, and signals (`CAP` where none is given)."""
    engine.put_meter(METER, create=True)
    engine.outbox.put_channel(OPS, create=True)
    for signal in signals or (CAP,):
        engine.signals.put(signal, create=True)


def fired(
    level: int = 1,
    *,
    customer: str = "acme",
    signal: str = "cap",
    kind: StepKind = StepKind.FIRED,
    at: Instant = NOVEMBER,
    period_start: Instant = NOVEMBER,
    reason: StepReason = StepReason.USAGE,
) -> Step:
    """Return a step up of `CAP`, seen through its first version."""
    return Step(
        signal=signal,
        signal_version=1,
        subject=Subject(customer),
        kind=kind,
        level=level,
        reason=reason,
        position=Position(1),
        at=at,
        period_start=period_start,
        period_end=Instant(period_start + 30 * NS_PER_DAY),
        figure=Decimal(80 + level),
        threshold=Decimal(80),
        percent=Decimal(80),
        limit=Decimal(100),
    )


def recovered(level: int = 0, *, customer: str = "acme", reason: StepReason = StepReason.CORRECTION) -> Step:
    """Return a step down of `CAP`."""
    return fired(level, customer=customer, kind=StepKind.RECOVERED, reason=reason)
