"""The real limits of a process: a disk without room, files that may not grow, no descriptor left. Refused, and overcome by itself."""

from __future__ import annotations

import resource
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import httpx
import pytest

from tests.appliance import Appliance
from tests.crash.audit import audit, define_meters, figure
from tests.crash.numbered_events import BATCH_EVENTS
from tests.crash.process_limits import (
    Grow,
    limited_file_size,
    may_mount,
    open_files,
    set_soft_limit,
    small_file_system,
)
from tests.crash.sending_clients import SendingClients

# A write that begins below a limit and ends beyond it is cut short, which LMDB reports as any other failure of the disk.
NO_ROOM = ("urn:tallystick:problem:store_full", "urn:tallystick:problem:store_failed")
SmallDisk = Callable[[Path, dict[str, object]], AbstractContextManager[tuple[Appliance, Grow]]]
# A limit on the size of files is there for everybody; a file system that is full needs the right to mount one.
SMALL_DISKS: list[SmallDisk] = [limited_file_size, *([small_file_system] if may_mount() else [])]


@pytest.mark.slow
@pytest.mark.parametrize("small_disk", SMALL_DISKS)
def test_a_disk_that_is_full_refuses_writes_answers_questions_and_goes_on_once_there_is_room(
    small_disk: SmallDisk, tmp_path: Path
) -> None:
    settings: dict[str, object] = {"engine.checkpoint_events": 4_000, "engine.disk_free_min_bytes": 4 << 20}
    with small_disk(tmp_path / "disk", settings) as (appliance, grow):
        define_meters(appliance)
        with SendingClients(appliance.url, clients=4, padding_bytes=24_000) as clients:
            refusal = clients.await_refusal_like(*NO_ROOM)
            assert int(refusal.headers["retry-after"]) >= 1
            # A merge may give back some room for a moment: what is asked for is that the shortage shows.
            while (ready := appliance.client.get("/health/ready")).status_code == 200:
                clients.await_refusal_like(*NO_ROOM)
            assert ready.json()["detail"] != ""
            with clients.paused():
                assert figure(appliance, "calls") >= len(clients.acknowledged) * BATCH_EVENTS
                assert appliance.client.get("/v1/events", params={"limit": 10}).status_code == 200
            grow()
            clients.await_acknowledged(more=20)
        audit(appliance, acknowledged=clients.acknowledged, sent=clients.sent)
        assert appliance.client.get("/health/ready").status_code == 200
        appliance.kill()
        appliance.start()
        audit(appliance, acknowledged=clients.acknowledged, sent=clients.sent)


@pytest.mark.slow
def test_without_descriptors_answers_are_right_or_refused_and_come_back_by_themselves(tmp_path: Path) -> None:
    settings = {"engine.checkpoint_events": 2_000, "connections_max": 100}
    with Appliance(tmp_path / "appliance", settings=settings) as appliance:
        define_meters(appliance)
        with SendingClients(appliance.url, clients=4) as clients:
            clients.await_acknowledged(more=150)
            with clients.paused():
                truth = figure(appliance, "calls")
                before = resource.prlimit(appliance.process.pid, resource.RLIMIT_NOFILE)[0]
                set_soft_limit(appliance, resource.RLIMIT_NOFILE, open_files(appliance))
                for _ in range(5):
                    answer = asked(appliance)
                    if answer is None or answer.status_code == 503:
                        continue
                    assert answer.status_code == 200, answer.text
                    assert answer.json()["totals"][0]["value"] == truth
                set_soft_limit(appliance, resource.RLIMIT_NOFILE, before)
                assert figure(appliance, "calls") == truth
            clients.await_acknowledged(more=50)
        audit(appliance, acknowledged=clients.acknowledged, sent=clients.sent)


def asked(appliance: Appliance) -> httpx.Response | None:
    """Ask on the connection that is open, None if the appliance closed it."""
    try:
        return appliance.client.get(
            "/v1/meters/calls/usage", params={"from": "2026-11-01T00:00:00Z", "to": "2026-11-02T00:00:00Z"}
        )
    except httpx.TransportError:
        return None
