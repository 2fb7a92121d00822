"""SIGKILL between a crossing and its delivery, many rounds: each crossing arrives, and no repetition has another id.

The crossings are recorded in the store while no appliance has it open; then an appliance is killed while it delivers them, and started
again,
until all have arrived at a receiver that loses its own answers now and then.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from random import Random

import pytest
from msgspec import structs

from tallystick.engine import Engine
from tallystick.engine_settings import EngineSettings
from tallystick.signals.step import Step
from tallystick_server.present import SystemClock, SystemEntropy
from tests.appliance import Appliance
from tests.core.engine.watching import CAP, METER, fired
from tests.crash.conftest import soak_rounds
from tests.server.outgoing.receiver import SECRET, Receiver, answering, closing

SIGNALS = tuple(f"cap{number}" for number in range(4))
# Fewer than would be joined, so that each crossing has a message of its own.
CROSSINGS_A_ROUND = 12


def record(data: Path, steps: Sequence[Step], *, is_first: bool) -> None:
    """Record crossings as the evaluator would, in a store that nobody has open."""
    engine = Engine.open(data, clock=SystemClock(), entropy=SystemEntropy(), settings=EngineSettings())
    try:
        if is_first:
            engine.put_meter(METER, create=True)
            for key in SIGNALS:
                engine.signals.put(structs.replace(CAP, key=key), create=True)
        assert len(engine.signals.record_steps(steps)) == len(steps)
    finally:
        engine.close()


def rounds(directory: Path, *, count: int, seed: int) -> None:
    random = Random(seed)
    customers: list[str] = []

    def moody(handler: BaseHTTPRequestHandler) -> None:
        # Slow enough to be killed meanwhile; now and then the answer is lost, though the message came.
        time.sleep(random.random() * 0.05)
        (closing if random.random() < 0.2 else answering(200))(handler)

    with Receiver(moody) as receiver:
        appliance = Appliance(directory, settings={"allowed_networks": "127.0.0.0/8"})
        try:
            appliance.start()
            made = {"key": "ops", "kind": "webhook", "url": receiver.url, "secret": SECRET}
            appliance.client.post("/v1/channels", json=made).raise_for_status()
            for number in range(count):
                appliance.kill()
                fresh = [f"r{number}-{place}" for place in range(CROSSINGS_A_ROUND)]
                customers += fresh
                steps = [
                    fired(customer=customer, signal=SIGNALS[place % len(SIGNALS)])
                    for place, customer in enumerate(fresh)
                ]
                record(appliance.data, steps, is_first=number == 0)
                appliance.start()
                if random.random() < 0.8:
                    came = len(receiver.received)
                    receiver.wait_for(came + random.randrange(1, 6), timeout_s=30)
            receiver.behaviour = answering(200)
            judge(appliance, receiver, customers)
        finally:
            appliance.close()


def judge(appliance: Appliance, receiver: Receiver, customers: Sequence[str]) -> None:
    deadline = time.monotonic() + 60
    while any(channel["waiting"] for channel in appliance.client.get("/v1/channels").json()["items"]):
        assert time.monotonic() < deadline, "some are still waiting"
        time.sleep(0.05)
    ids: dict[str, set[str]] = {}
    for received in receiver.received:
        assert received.is_verified
        ids.setdefault(received.message["data"]["customer"], set()).add(received.id)
    assert sorted(ids) == sorted(customers), "a crossing did not arrive, or one arrived that was none"
    assert {customer: each for customer, each in ids.items() if len(each) != 1} == {}, "a repetition has another id"
    report = appliance.client.post("/v1/log/verify", timeout=120).json()
    assert report["problems"] == []


@pytest.mark.slow
def test_each_crossing_arrives_and_no_repetition_has_another_id(tmp_path: Path) -> None:
    rounds(tmp_path, count=6, seed=1)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(4))
def test_each_crossing_arrives_through_many_kills(tmp_path: Path, seed: int) -> None:
    rounds(tmp_path, count=soak_rounds(25), seed=seed)
