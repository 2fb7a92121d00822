"""SIGKILL between a crossing and its delivery, many rounds: each crossing arrives, and no repetition has another id.

Events cross over HTTP; then the appliance is killed while it looks at them, records what it found, or sends it, and started again, until
all have arrived at a receiver that loses its own answers now and then.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from decimal import Decimal
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from random import Random

import pytest
from msgspec import structs

from tallystick.signals.plan_deliveries import JOINED_FROM
from tallystick.signals.signal import Condition, ConditionType
from tests.appliance import Appliance
from tests.core.engine.watching import CAP, METER
from tests.crash.conftest import soak_rounds
from tests.server.outgoing.receiver import Behaviour, Receiver, answering, closing
from tests.server.outgoing.watched_appliance import LOOPBACK, watch

# Fewer than would be joined, so that each crossing has a message of its own.
CROSSINGS_A_ROUND = 12
AT_TWO = Condition(type=ConditionType.THRESHOLD, value=Decimal(2))
SIGNALS = [structs.replace(CAP, key=f"cap{number}", condition=AT_TWO) for number in range(2)]


def moody(random: Random) -> Behaviour:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        # Slow enough to be killed meanwhile; now and then the answer is lost, though the message came.
        time.sleep(random.random() * 0.05)
        (closing if random.random() < 0.1 else answering(200))(handler)

    return answer


def rounds(directory: Path, *, count: int, seed: int) -> None:
    random = Random(seed)
    customers: list[str] = []
    with Receiver(moody(random)) as receiver:
        appliance = Appliance(directory, settings=LOOPBACK)
        try:
            appliance.start()
            watch(appliance, receiver.url, meters=[METER], signals=SIGNALS)
            for number in range(count):
                # What was cut off is looked at before there is more, or messages of several rounds would be joined.
                until_looked(appliance)
                until_waiting(appliance, at_most=JOINED_FROM - CROSSINGS_A_ROUND)
                fresh = [f"r{number}-{place}" for place in range(CROSSINGS_A_ROUND // len(SIGNALS))]
                customers += fresh
                came = len(receiver.received)
                for event in range(2):
                    body = [{"id": f"{each}-{event}", "type": "call", "customer": each} for each in fresh]
                    appliance.client.post("/v1/events", json=body).raise_for_status()
                if random.random() < 0.6:
                    receiver.wait_for(came + random.randrange(1, 6), timeout_s=30)
                else:
                    time.sleep(random.random() * 0.5)
                appliance.kill()
                appliance.start()
            receiver.behaviour = answering(200)
            until_looked(appliance)
            judge(appliance, receiver, customers)
        finally:
            appliance.close()


def until_looked(appliance: Appliance) -> None:
    deadline = time.monotonic() + 60
    while "\ntallystick_signal_lag_positions 0.0" not in appliance.client.get("/metrics").text:
        assert time.monotonic() < deadline, "signals are behind"
        time.sleep(0.05)


def until_waiting(appliance: Appliance, *, at_most: int) -> None:
    # One whose answer was lost three times is sent again after a minute.
    deadline = time.monotonic() + 180
    while sum(channel["waiting"] for channel in appliance.client.get("/v1/channels").json()["items"]) > at_most:
        assert time.monotonic() < deadline, "too many are still waiting"
        time.sleep(0.05)


def judge(appliance: Appliance, receiver: Receiver, customers: Sequence[str]) -> None:
    until_waiting(appliance, at_most=0)
    ids: dict[tuple[str, str], set[str]] = {}
    for received in receiver.received:
        assert received.is_verified
        step = received.message["data"]
        assert step["state"] == "fired"
        ids.setdefault((step["signal"], step["customer"]), set()).add(received.id)
    expected = sorted((signal.key, customer) for signal in SIGNALS for customer in customers)
    assert sorted(ids) == expected, "a crossing did not arrive, or one arrived that was none"
    assert {who: each for who, each in ids.items() if len(each) != 1} == {}, "a repetition has another id"
    report = appliance.client.post("/v1/log/verify", timeout=120).json()
    assert report["problems"] == []


@pytest.mark.slow
def test_each_crossing_arrives_and_no_repetition_has_another_id(tmp_path: Path) -> None:
    rounds(tmp_path, count=6, seed=1)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(4))
def test_each_crossing_arrives_through_many_kills(tmp_path: Path, seed: int) -> None:
    rounds(tmp_path, count=soak_rounds(25), seed=seed)
