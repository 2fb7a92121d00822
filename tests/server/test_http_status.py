"""The status, the list of blocks, and a verification that can be watched and stopped."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import httpx

from tests.appliance import Appliance


def event(number: int, **fields: object) -> dict[str, Any]:  # Any: an event as the API takes it
    return {"id": f"e{number}", "type": "call", "customer": "acme", "time": "2026-11-01T10:00:00Z"} | fields


def test_the_status_counts_what_came_since_the_start(start_appliance: Callable[..., Appliance]) -> None:
    running = start_appliance()
    fresh = running.client.get("/v1/status").json()
    assert (fresh["ready"], fresh["events"], fresh["since_start"]["accepted"]) == (True, 0, 0)
    running.client.post("/v1/events", json=[event(1), event(2), event(1), event(2, value=7), {"id": "no"}])
    status = running.client.get("/v1/status").json()
    counts = status["since_start"]
    assert [counts[name] for name in ("accepted", "duplicates", "conflicts", "rejected")] == [2, 1, 1, 2]
    assert status["events"] == status["tail_events"] == 2
    assert status["head"] == running.client.get("/v1/log/head").json()
    assert status["storage"]["disk_free_bytes"] > 0
    assert status["storage"]["segments"] == 0
    assert status["version"]
    running.kill()
    running.start()
    again = running.client.get("/v1/status").json()
    assert again["since_start"]["accepted"] == 0
    assert again["events"] == 2
    assert again["started_at"] > status["started_at"]


def test_the_status_needs_a_key_that_may_read(client: httpx.Client, appliance: Appliance) -> None:
    with appliance.client_with(appliance.new_key("ingest")) as sender:
        assert sender.get("/v1/status").status_code == 403
    with appliance.client_with(None) as nobody:
        assert nobody.get("/v1/status").status_code == 401
    assert client.get("/v1/status").status_code == 200


def test_blocks_are_listed_newest_first_and_each_names_the_one_before(client: httpx.Client, name: str) -> None:
    for number in range(5):
        client.post("/v1/events", json=event(number, type=name, id=f"{name}-{number}"))
    first = client.get("/v1/log/blocks", params={"limit": 3}).json()
    second = client.get("/v1/log/blocks", params={"limit": 2, "cursor": first["next_cursor"]}).json()
    blocks = [*first["items"], *second["items"]]
    assert blocks[0]["hash"] == client.get("/v1/log/head").json()["hash"]
    for newer, older in pairwise(blocks):
        assert newer["number"] == older["number"] + 1
        assert newer["previous_hash"] == older["hash"]
    assert blocks[1] == client.get(f"/v1/log/blocks/{blocks[1]['number']}").json()


def test_the_list_of_blocks_ends_with_the_first(start_appliance: Callable[..., Appliance]) -> None:
    running = start_appliance()
    running.client.post("/v1/events", json=event(1))
    page = running.client.get("/v1/log/blocks", params={"limit": 1000}).json()
    assert page["items"][-1]["number"] == 1
    assert page["next_cursor"] is None
    for cursor in ("x", "-1", "9" * 30):
        answer = running.client.get("/v1/log/blocks", params={"cursor": cursor})
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "cursor")
    assert running.client.get("/v1/log/blocks", params={"cursor": "1"}).json() == {"items": [], "next_cursor": None}


def test_how_the_last_verification_ended_is_known(start_appliance: Callable[..., Appliance]) -> None:
    running = start_appliance()
    running.client.post("/v1/events", json=event(1))
    assert running.client.get("/v1/log/verification").json() == {"running": None, "last": None}
    assert running.client.delete("/v1/log/verification").status_code == 404
    report = running.client.post("/v1/log/verify").json()
    known = running.client.get("/v1/log/verification").json()
    assert known["running"] is None
    assert (known["last"]["outcome"], known["last"]["report"]) == ("agrees", report)
    assert known == running.client.get("/v1/status").json()["verification"]


def test_a_running_verification_can_be_watched_and_stopped(start_appliance: Callable[..., Appliance]) -> None:
    running = start_appliance()
    for batch in range(30):
        events = [event(number, id=f"{batch}-{number}") for number in range(10_000)]
        running.client.post("/v1/events", json=events).raise_for_status()
    with running.client_with(running.admin_key, timeout_s=120) as asker, ThreadPoolExecutor(1) as pool:
        answer = pool.submit(asker.post, "/v1/log/verify")
        seen: dict[str, Any] | None = None  # Any: JSON
        deadline = time.monotonic() + 60
        while seen is None and time.monotonic() < deadline and not answer.done():
            seen = running.client.get("/v1/log/verification").json()["running"]
        assert seen is not None
        assert 0 <= seen["done"] <= seen["total"]
        assert running.client.delete("/v1/log/verification").status_code == 204
        assert answer.result().status_code == 409
        assert answer.result().json()["type"].endswith(":stopped")
    last = running.client.get("/v1/log/verification").json()["last"]
    assert (last["outcome"], last["report"]) == ("stopped", None)
    assert running.client.post("/v1/log/verify").json()["ok"] is True
