"""How deliveries look in JSON."""

from __future__ import annotations

import msgspec

from tallystick.signals.delivery import Attempt, Delivery, DeliveryEvent, DeliveryState, Outcome
from tallystick_server.json_values import Timestamp, timestamp, timestamp_or_null


class AttemptOut(msgspec.Struct, kw_only=True):
    """One try. `detail` is what the receiver or the network said, cut at 1,000 characters."""

    at: Timestamp
    duration_ms: int
    outcome: Outcome
    status: int | None
    detail: str


class DeliveryOut(msgspec.Struct, kw_only=True):
    """One message to one channel. `id` is the `webhook-id` of every attempt; `attempts` are the latest 20, oldest first."""

    id: str
    channel: str
    event: DeliveryEvent
    state: DeliveryState
    signals: list[str]
    customer: str | None
    steps: int
    created_at: Timestamp
    due_at: Timestamp | None
    finished_at: Timestamp | None
    reason: str | None
    joined_into: str | None
    attempt_count: int
    attempts: list[AttemptOut]


class DeliveriesOut(msgspec.Struct):
    """A page of deliveries, newest first. With a filter a page may be short and still have a next one."""

    items: list[DeliveryOut]
    next_cursor: str | None


def delivery_out(delivery: Delivery) -> DeliveryOut:
    """Return a delivery as it is answered."""
    summary = delivery.summary
    return DeliveryOut(
        id=delivery.id,
        channel=delivery.channel,
        event=delivery.event,
        state=delivery.state,
        signals=list(delivery.signals),
        customer=delivery.step.subject.customer if delivery.step is not None else None,
        steps=summary.fired + summary.recovered if summary is not None else int(delivery.step is not None),
        created_at=timestamp(delivery.created_at),
        due_at=timestamp_or_null(delivery.due_at),
        finished_at=timestamp_or_null(delivery.finished_at),
        reason=delivery.reason,
        joined_into=delivery.joined_into_id,
        attempt_count=delivery.attempt_count,
        attempts=[_attempt_out(attempt) for attempt in delivery.attempts],
    )


def _attempt_out(attempt: Attempt) -> AttemptOut:
    return AttemptOut(
        at=timestamp(attempt.at),
        duration_ms=attempt.duration_ms,
        outcome=attempt.outcome,
        status=attempt.status,
        detail=attempt.detail,
    )
