"""The disk of a real appliance fails under load, in each of its ways: refused with 503, read meanwhile, taken up again by itself."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx
import pytest

from tests.appliance import Appliance
from tests.crash import numbered_events
from tests.crash.audit import audit, define_meters, figure
from tests.crash.fault_shim import CHANGES, Action, FaultShim, Operation, Rules
from tests.crash.numbered_events import BATCH_EVENTS, numbers
from tests.crash.sending_clients import SendingClients

SETTINGS = {"engine.checkpoint_events": 2_000, "engine.disk_free_min_bytes": 1 << 20}


@dataclass
class Disturbed:
    """An appliance on a disk that fails on request, shared by the tests of this file; the books go on from test to test."""

    appliance: Appliance
    rules: Rules
    acknowledged: set[int] = field(default_factory=set[int])
    sent: set[int] = field(default_factory=set[int])

    @property
    def next_batch(self) -> int:
        return max(self.sent, default=-1) + 1

    def clients(self, *, answer_timeout_s: float = 10.0) -> SendingClients:
        return SendingClients(
            self.appliance.url, clients=4, answer_timeout_s=answer_timeout_s, first_batch=self.next_batch
        )

    def audit(self, clients: SendingClients) -> None:
        audit(
            self.appliance,
            acknowledged=self.acknowledged | clients.acknowledged,
            sent=self.sent | clients.sent,
        )

    def close_books(self, clients: SendingClients) -> None:
        self.audit(clients)
        self.acknowledged |= clients.acknowledged
        self.sent |= clients.sent

    def ready(self) -> httpx.Response:
        return self.appliance.client.get("/health/ready")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, shim: FaultShim) -> Iterator[Disturbed]:
    folder = tmp_path_factory.mktemp("disturbed")
    with Rules(folder / "rules") as rules:
        environment = shim.environment(folder / "data", rules=rules)
        with Appliance(folder, settings=SETTINGS, environment=environment) as appliance:
            define_meters(appliance)
            yield Disturbed(appliance, rules)


@pytest.fixture
def disturbed(shared: Disturbed) -> Iterator[Disturbed]:
    """Return the shared appliance; what a failed test left behind ends with it."""
    yield shared
    for place in range(2):
        shared.rules.clear(place)


@dataclass(frozen=True)
class Fault:
    """One way to fail, for as long as its rule holds, and how it is answered."""

    name: str
    operations: Operation
    action: Action
    argument: int
    part: str
    problem: str

    def begin(self, rules: Rules, *, times: int | None = None) -> None:
        if times is None:
            rules.set_rule(self.operations, self.action, self.argument, part=self.part)
        else:
            rules.set_rule(self.operations, self.action, self.argument, last=times, part=self.part)


FAILED = "urn:tallystick:problem:store_failed"
FULL = "urn:tallystick:problem:store_full"
LOG = "data.mdb"
FAULTS = [
    Fault("a sync fails", Operation.SYNC, Action.FAIL, errno.EIO, LOG, FAILED),
    Fault("a write fails", Operation.WRITE, Action.FAIL, errno.EIO, LOG, FAILED),
    Fault("the last page of a commit fails", Operation.DURABLE_WRITE, Action.FAIL, errno.EIO, LOG, FAILED),
    Fault("a write is cut short", Operation.WRITE, Action.HALF, 0, LOG, FAILED),
    Fault("the disk is full", CHANGES, Action.FAIL, errno.ENOSPC, "", FULL),
    Fault("a quota is used up", Operation.WRITE, Action.FAIL, errno.EDQUOT, "", FULL),
    Fault("the file system turns read-only", CHANGES, Action.FAIL, errno.EROFS, "", FULL),
]
every_fault = pytest.mark.parametrize("fault", FAULTS, ids=[fault.name for fault in FAULTS])


@pytest.mark.slow
@every_fault
def test_a_fault_of_the_disk_under_load_is_refused_read_through_and_overcome(
    fault: Fault, disturbed: Disturbed
) -> None:
    appliance, rules = disturbed.appliance, disturbed.rules
    with disturbed.clients() as clients:
        # Once, in the middle of everything.
        clients.await_acknowledged(more=20)
        fault.begin(rules, times=1)
        clients.await_acknowledged(more=20)
        assert rules.acted() == 1
        # For a while.
        fault.begin(rules)
        refusal = clients.await_refusal_like(fault.problem)
        assert int(refusal.headers["retry-after"]) >= 1
        assert refusal.headers["content-type"] == "application/problem+json"
        with clients.paused():
            not_ready = disturbed.ready()
            assert not_ready.status_code == 503, not_ready.text
            assert "retry-after" in not_ready.headers
            assert not_ready.json()["detail"] != ""
            counted = figure(appliance, "calls")
            assert counted >= len(disturbed.acknowledged | clients.acknowledged) * BATCH_EVENTS
            assert appliance.client.get("/v1/events", params={"limit": 10}).status_code == 200
            assert appliance.client.get("/health/live").status_code == 200
        rules.clear()
        clients.await_acknowledged(more=20)
        assert disturbed.ready().status_code == 200
    disturbed.close_books(clients)
    if fault.problem == FAILED:
        appliance.kill()
        appliance.start()
        audit(appliance, acknowledged=disturbed.acknowledged, sent=disturbed.sent)


@every_fault
def test_an_id_whose_write_failed_counts_once_when_it_is_sent_again(fault: Fault, disturbed: Disturbed) -> None:
    appliance = disturbed.appliance
    batch = disturbed.next_batch
    body = numbered_events.body(numbers(batch))
    fault.begin(disturbed.rules)
    refused = appliance.client.post("/v1/events", content=body)
    assert (refused.status_code, refused.json()["type"]) == (503, fault.problem), refused.text
    disturbed.rules.clear()
    for expected in (BATCH_EVENTS, 0):
        answer = taken(appliance, body)
        # A commit whose last page was written and not reported is there after all: then its events are duplicates at once.
        assert answer["accepted"] in {expected, 0}
        assert answer["accepted"] + answer["duplicates"] == BATCH_EVENTS
    disturbed.acknowledged.add(batch)
    disturbed.sent.add(batch)
    audit(appliance, acknowledged=disturbed.acknowledged, sent=disturbed.sent)


def taken(appliance: Appliance, body: bytes) -> dict[str, int]:
    """Send until it is taken: the store may still be reopening."""
    deadline = time.monotonic() + 60
    while (answer := appliance.client.post("/v1/events", content=body)).status_code != 200:
        assert answer.status_code == 503
        assert time.monotonic() < deadline, answer.text
    return answer.json()


@pytest.mark.slow
def test_files_of_projections_that_cannot_be_written_hold_up_nobody_until_memory_is_full(disturbed: Disturbed) -> None:
    appliance, rules = disturbed.appliance, disturbed.rules
    rules.set_rule(Operation.SYNC, Action.FAIL, errno.EIO, part="/segments/")
    rules.set_rule(Operation.WRITE, Action.FAIL, errno.ENOSPC, part="/dedupe/", place=1)
    with disturbed.clients(answer_timeout_s=2.0) as clients:
        clients.await_acknowledged(more=2_000 // BATCH_EVENTS + 20)
        with clients.paused():
            disturbed.audit(clients)
        assert rules.acted() > 0
        # Four checkpoints' worth is held; then it is the clients who wait.
        not_ready = disturbed.ready()
        while not_ready.status_code == 200:
            clients.await_sent_again(more=1)
            not_ready = disturbed.ready()
        assert not_ready.status_code == 503
        assert "checkpoints fail" in not_ready.json()["detail"]
        rules.clear(0)
        rules.clear(1)
        clients.await_acknowledged(more=4 * 2_000 // BATCH_EVENTS)
        assert disturbed.ready().status_code == 200
    disturbed.close_books(clients)
    assert os.listdir(appliance.data / "segments")  # noqa: PTH208 - names are all that is looked at
