"""Signals beside the events of a load: steps, a digest and attempts, and what must hold of them after any crash.

Which steps are taken follows from the number of the wave alone, so that a later life proposes those of the wave that was cut off again.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from tallystick.engine import Engine
from tallystick.errors import AlreadyExists
from tallystick.event import Position
from tallystick.instant import NS_PER_DAY, Instant
from tallystick.meter import Meter
from tallystick.signal_store import DeliveriesQuestion
from tallystick.signals.channel import Channel, ChannelKind
from tallystick.signals.delivery import Attempt, Delivery, DeliveryState, Outcome
from tallystick.signals.signal import Condition, ConditionType, Digest, Signal
from tallystick.signals.step import Step, StepKind, StepReason, Subject
from tallystick.testing import ManualClock

SIGNALS: Final = ("now", "digest")
_NOVEMBER: Final = Instant(1_793_491_200_000_000_000)


def set_up(engine: Engine) -> None:
    """Define what is watched, where an earlier life has not."""
    condition = Condition(type=ConditionType.THRESHOLD, value=Decimal(1))
    definitions = (
        lambda: engine.put_meter(Meter(key="m", name="M", event_type="call", aggregation="count"), create=True),
        lambda: engine.outbox.put_channel(
            Channel(key="c", kind=ChannelKind.WEBHOOK, address="https://c.example/", sealed=b""), create=True
        ),
        lambda: engine.signals.put(
            Signal(key="now", meter="m", customer="*", channels=("c",), condition=condition), create=True
        ),
        lambda: engine.signals.put(
            Signal(key="digest", meter="m", customer="*", channels=("c",), condition=condition, digest=Digest.HOURLY),
            create=True,
        ),
    )
    for define in definitions:
        try:
            define()
        except AlreadyExists:
            continue


def take_steps(engine: Engine, clock: ManualClock, wave: int) -> None:
    """Propose the steps of a wave, send what waits, and let the hour of the digest come."""
    engine.signals.record_steps([_step(signal, f"w{wave}", clock) for signal in SIGNALS])
    clock.advance(3_600)
    while taken := engine.outbox.take("c", limit=9):
        engine.outbox.record_attempts([_arrived(delivery, clock) for delivery in taken])


def judge_signals(engine: Engine) -> None:
    """Every step has exactly one message of its own, and no subject took one twice."""
    deliveries = _everything(engine)
    assert len({delivery.id for delivery in deliveries}) == len(deliveries)
    for signal in SIGNALS:
        if signal not in {each.key for each in engine.signals.all()}:
            continue
        steps = engine.signals.history(signal, limit=10_000, cursor=None).items
        customers = [each.step.subject.customer for each in steps]
        assert len(set(customers)) == len(customers), "a crossing was taken twice"
        told = [each.step.subject.customer for each in deliveries if each.step and each.step.signal == signal]
        assert sorted(map(str, told)) == sorted(map(str, customers)), "a step without its message, or a message twice"
    joined = [each for each in deliveries if each.state is DeliveryState.JOINED]
    digests = [each.summary for each in deliveries if each.summary is not None]
    assert sum(digest.fired for digest in digests) == len(joined), "a digest tells what it does not hold"


def _step(signal: str, customer: str, clock: ManualClock) -> Step:
    return Step(
        signal=signal,
        signal_version=1,
        subject=Subject(customer),
        kind=StepKind.FIRED,
        level=1,
        reason=StepReason.USAGE,
        position=Position(1),
        at=clock.now(),
        period_start=_NOVEMBER,
        period_end=Instant(_NOVEMBER + 30 * NS_PER_DAY),
        figure=Decimal(1),
        threshold=Decimal(1),
    )


def _arrived(delivery: Delivery, clock: ManualClock) -> Attempt:
    return Attempt(name=delivery.name, at=clock.now(), duration_ms=1, outcome=Outcome.DELIVERED, status=200)


def _everything(engine: Engine) -> list[Delivery]:
    found: list[Delivery] = []
    cursor: str | None = None
    while True:
        page = engine.outbox.deliveries(DeliveriesQuestion(limit=1_000, cursor=cursor))
        found += page.items
        cursor = page.next_cursor
        if cursor is None:
            return found
