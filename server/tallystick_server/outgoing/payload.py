"""What a webhook receives: one JSON object for each kind of event. Documented with examples in `docs/channels.md`.

The shape follows Standard Webhooks: `type`, `timestamp` (when it happened) and `data`. It is made of what the log keeps of a delivery, so
that every attempt has the same content; only what people call a signal comes from its definition as it is now.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, urlencode

import msgspec

from tallystick.instant import format_instant
from tallystick.signals.delivery import Delivery, DeliveryEvent, Summary
from tallystick.signals.signal import Signal
from tallystick.signals.step import Step
from tallystick_server.json_values import NumberOrNull, Timestamp, number_or_null, timestamp, timestamp_or_null


class PeriodOut(msgspec.Struct):
    """The calendar period whose figure it is, `[start, end)`."""

    start: Timestamp
    end: Timestamp


class StepOut(msgspec.Struct, kw_only=True):
    """One crossing or recovery. `position` is the end of the log that `figure` includes."""

    signal: str
    name: str
    meter: str | None
    customer: str | None
    group: dict[str, str | None]
    state: str
    level: int
    reason: str
    figure: NumberOrNull
    threshold: NumberOrNull
    percent: NumberOrNull
    limit: NumberOrNull
    base: NumberOrNull
    change: NumberOrNull
    period: PeriodOut
    last_event_at: Timestamp | None
    noticed_at: Timestamp
    position: int
    explanation_url: str | None


class CountOut(msgspec.Struct):
    """How many steps of one signal a digest tells of."""

    signal: str
    fired: int
    recovered: int


class DigestOut(msgspec.Struct, kw_only=True):
    """Many steps as one message; `top` are those that stand out.

    `reason` is `digest` (the signal asked for it) or `storm` (many at once).
    """

    reason: str
    fired: int
    recovered: int
    first_at: Timestamp
    last_at: Timestamp
    signals: list[CountOut]
    top: list[StepOut]
    list_url: str | None


class TestOut(msgspec.Struct):
    """A message that somebody sent to see whether it arrives."""

    channel: str
    message: str


class MessageOut(msgspec.Struct, kw_only=True):
    """The body of a webhook."""

    type: str
    timestamp: Timestamp
    data: StepOut | DigestOut | TestOut


TEST_TEXT = "This is a test. Messages of this channel arrive."


class Payloads:
    """Makes bodies; `public_url` is where people reach the appliance, for links."""

    def __init__(self, public_url: str | None) -> None:
        self._public_url = public_url.rstrip("/") if public_url else None

    def body(self, delivery: Delivery, signals: Mapping[str, Signal]) -> bytes:
        """Return the bytes that are signed and sent."""
        return msgspec.json.encode(self.message(delivery, signals))

    def message(self, delivery: Delivery, signals: Mapping[str, Signal]) -> MessageOut:
        """Return what a delivery says."""
        data: StepOut | DigestOut | TestOut
        if delivery.step is not None:
            data = self.step(delivery.step, signals)
        elif delivery.summary is not None:
            data = self._digest(delivery, delivery.summary, signals)
        else:
            data = TestOut(delivery.channel, TEST_TEXT)
        return MessageOut(type=delivery.event.value, timestamp=timestamp(delivery.created_at), data=data)

    def step(self, step: Step, signals: Mapping[str, Signal]) -> StepOut:
        """Return one step."""
        signal = signals.get(step.signal)
        return StepOut(
            signal=step.signal,
            name=(signal.name if signal else None) or step.signal,
            meter=signal.meter if signal else None,
            customer=step.subject.customer,
            group=dict(step.subject.group),
            state=step.kind.value,
            level=step.level,
            reason=step.reason.value,
            figure=number_or_null(step.figure),
            threshold=number_or_null(step.threshold),
            percent=number_or_null(step.percent),
            limit=number_or_null(step.limit),
            base=number_or_null(step.base),
            change=number_or_null(step.change),
            period=PeriodOut(timestamp(step.period_start), timestamp(step.period_end)),
            last_event_at=timestamp_or_null(step.last_event_at),
            noticed_at=timestamp(step.at),
            position=step.position,
            explanation_url=None if signal is None else self._explanation_url(signal, step),
        )

    def _digest(self, delivery: Delivery, summary: Summary, signals: Mapping[str, Signal]) -> DigestOut:
        return DigestOut(
            reason="storm" if summary.is_storm else "digest",
            fired=summary.fired,
            recovered=summary.recovered,
            first_at=timestamp(summary.first_at),
            last_at=timestamp(summary.last_at),
            signals=[CountOut(count.signal, count.fired, count.recovered) for count in summary.by_signal],
            top=[self.step(step, signals) for step in summary.top],
            list_url=self._url("/v1/deliveries", {"channel": delivery.channel, "state": "joined"}),
        )

    def _explanation_url(self, signal: Signal, step: Step) -> str | None:
        """Return where the events behind the figure are listed, as they were known then."""
        asked = {
            "from": format_instant(step.period_start),
            "to": format_instant(step.period_end),
            "as_of": str(step.position),
        }
        if step.subject.customer is not None:
            asked["filter[customer]"] = step.subject.customer
        asked |= {f"filter[{name}]": value for name, value in step.subject.group if value is not None}
        return self._url(f"/v1/meters/{quote(signal.meter, safe='')}/explain", asked)

    def _url(self, path: str, asked: Mapping[str, str]) -> str | None:
        return None if self._public_url is None else f"{self._public_url}{path}?{urlencode(asked, safe='[]')}"


def is_test(delivery: Delivery) -> bool:
    """Whether a delivery is a test, which is tried once."""
    return delivery.event is DeliveryEvent.TEST
