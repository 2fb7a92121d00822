"""An event over HTTP that crosses something arrives at a webhook, soon and once."""

from __future__ import annotations

import time
from collections.abc import Callable
from decimal import Decimal

from tallystick.meter import Meter
from tallystick.signals.signal import Condition, ConditionType, Op, Signal
from tests.appliance import Appliance
from tests.server.outgoing.receiver import Receiver
from tests.server.outgoing.watched_appliance import LOOPBACK, watch

CALLS = Meter(key="calls", name="Calls", event_type="call", aggregation="sum")
CAP = Signal(
    key="cap",
    meter="calls",
    customer="*",
    channels=("ops",),
    condition=Condition(type=ConditionType.THRESHOLD, limit=Decimal(100), thresholds=(Decimal(80), Decimal(100))),
)
WITHIN_S = 5.0


def send(appliance: Appliance, event_id: str, value: int, customer: str = "acme") -> None:
    event = {"id": event_id, "type": "call", "customer": customer, "value": value}
    appliance.client.post("/v1/events", json=event).raise_for_status()


def test_a_crossing_arrives_within_seconds_with_its_figures(start_appliance: Callable[..., Appliance]) -> None:
    with Receiver() as receiver:
        appliance = start_appliance(**LOOPBACK)
        watch(appliance, receiver.url, meters=[CALLS], signals=[CAP])
        send(appliance, "a", 79)
        send(appliance, "b", 2)
        acknowledged_at_s = time.monotonic()
        (first,) = receiver.wait_for(1, timeout_s=WITHIN_S)
        assert first.at_s - acknowledged_at_s < WITHIN_S
        data = first.message["data"]
        assert first.is_verified
        assert (data["customer"], data["state"], data["level"]) == ("acme", "fired", 1)
        assert (data["figure"], data["threshold"], data["percent"], data["limit"]) == (81, 80, 80, 100)


def test_each_crossing_arrives_once_and_a_void_takes_it_back(start_appliance: Callable[..., Appliance]) -> None:
    with Receiver() as receiver:
        appliance = start_appliance(**LOOPBACK)
        watch(appliance, receiver.url, meters=[CALLS], signals=[CAP])
        send(appliance, "a", 85)
        receiver.wait_for(1, timeout_s=WITHIN_S)
        send(appliance, "b", 20)
        receiver.wait_for(2, timeout_s=WITHIN_S)
        voided = {"events": [{"source": "", "id": "b"}], "reason": "a mistake"}
        appliance.client.post("/v1/events/void", json=voided).raise_for_status()
        messages = [each.message["data"] for each in receiver.wait_for(3, timeout_s=WITHIN_S)]
        assert [(each["state"], each["level"], each["reason"]) for each in messages] == [
            ("fired", 1, "usage"),
            ("fired", 2, "usage"),
            ("recovered", 1, "correction"),
        ]
        appliance.restart()
        send(appliance, "c", 1)
        _until_looked(appliance)
        assert len(receiver.received) == 3


def test_the_metrics_say_how_far_signals_were_looked_at(start_appliance: Callable[..., Appliance]) -> None:
    with Receiver() as receiver:
        appliance = start_appliance(**LOOPBACK)
        low = Condition(type=ConditionType.THRESHOLD, op=Op.BELOW, value=Decimal(5))
        watch(
            appliance,
            receiver.url,
            meters=[CALLS],
            signals=[CAP, Signal(key="low", meter="calls", customer="*", channels=("ops",), condition=low)],
        )
        send(appliance, "a", 1)
        receiver.wait_for(1, timeout_s=WITHIN_S)
        _until_looked(appliance)
        figures = _figures(appliance)
        assert figures["tallystick_signal_steps_total"] == 1
        assert figures["tallystick_signal_looks_total"] >= 1
        assert figures["tallystick_job_failures_total"] == 0


def _until_looked(appliance: Appliance) -> None:
    deadline = time.monotonic() + WITHIN_S
    while _figures(appliance)["tallystick_signal_lag_positions"]:
        assert time.monotonic() < deadline, "signals are behind"
        time.sleep(0.05)


def _figures(appliance: Appliance) -> dict[str, float]:
    lines = appliance.client.get("/metrics").text.splitlines()
    plain = [line.split(" ") for line in lines if not line.startswith("#") and "{" not in line]
    return {name: float(value) for name, value in plain}
