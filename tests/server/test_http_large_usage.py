"""Answers of a million rows, a hundred of them at once, and clients that do not wait for theirs."""

from __future__ import annotations

import json
import re
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import msgspec
import pytest

from tallystick_server.usage.schemas import UsageOut
from tests.appliance import Appliance

CUSTOMERS = 1_000
# 1,000 hours for each of 1,000 customers.
MILLION = {
    "from": "2026-10-01T00:00:00Z",
    "to": "2026-11-11T16:00:00Z",
    "window": "hour",
    "group_by": "customer",
    "fill": "zero",
}


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Appliance]:
    """Return an appliance with events of a thousand customers and room for ten questions."""
    settings = {"scan_threads": 2, "scan_queue_max": 8, "large_answers_max": 3}
    with Appliance(tmp_path_factory.mktemp("crowd"), settings=settings) as running:
        send(running.client, "before", count=10_000)
        meter = {"key": "calls", "event_type": "call", "aggregation": "sum"}
        assert running.client.post("/v1/meters", json=meter).status_code == 201
        unique = meter | {"key": "seen", "aggregation": "unique", "field": "properties.seen"}
        assert running.client.post("/v1/meters", json=unique).status_code == 201
        yield running


def send(client: httpx.Client, batch: str, *, count: int) -> None:
    events = [
        {
            "id": f"{batch}-{number}",
            "type": "call",
            "customer": f"customer-{number % CUSTOMERS}",
            "time": "2026-10-05T10:00:00Z",
            "value": 0.1,
            "properties": {"seen": f"{batch}-{number}"},
        }
        for number in range(count)
    ]
    answer = client.post("/v1/events", json=events)
    assert answer.json()["accepted"] == count, answer.text


def figure(appliance: Appliance, name: str) -> float:
    match = re.search(rf"^tallystick_{name} (\S+)$", appliance.client.get("/metrics").text, re.MULTILINE)
    assert match is not None
    return float(match.group(1))


def until(appliance: Appliance, name: str, is_so: Callable[[float], bool]) -> None:
    deadline = time.monotonic() + 30
    while not is_so(figure(appliance, name)):
        assert time.monotonic() < deadline, f"{name} is {figure(appliance, name)}"


def test_a_million_rows_are_answered_and_one_more_is_refused_with_what_to_do(crowd: Appliance) -> None:
    with crowd.client.stream("GET", "/v1/meters/calls/usage", params=MILLION) as answer:
        assert answer.status_code == 200
        body = answer.read()
    document = json.loads(body)
    assert len(document["rows"]) == 1_000_000
    assert len(document["totals"]) == CUSTOMERS
    assert {row["value"] for row in document["rows"]} == {0, 1}
    assert document["rows"][106] == {
        "start": "2026-10-05T10:00:00Z",
        "end": "2026-10-05T11:00:00Z",
        "group": {"customer": "customer-0"},
        "value": 1,
        "events": 10,
    }
    refused = crowd.client.get("/v1/meters/calls/usage", params=MILLION | {"to": "2026-11-11T16:00:00.001Z"})
    assert refused.status_code == 400
    (error,) = refused.json()["errors"]
    assert error["pointer"] == "limit"
    assert "1,001,000 rows, and may have 1,000,000" in error["detail"]
    assert (
        "keep the top groups with limit, group by less, or ask for a longer window or a shorter range"
        in error["detail"]
    )


def test_answers_that_come_in_pieces_are_what_the_document_says(crowd: Appliance) -> None:
    asked = MILLION | {"window": "day", "compare": "previous", "to": "2026-10-15T00:00:00Z"}
    body = crowd.client.get("/v1/meters/calls/usage", params=asked).content
    found = msgspec.json.decode(body, type=UsageOut)
    assert len(found.rows) == 14 * CUSTOMERS
    lines = crowd.client.get("/v1/meters/calls/usage", params=asked, headers={"accept": "text/csv"}).text.split("\r\n")
    assert len(lines) == 14 * CUSTOMERS + 2
    assert lines[5] == "2026-10-05T00:00:00Z,2026-10-06T00:00:00Z,customer-0,1,10,0,1,"


def test_several_answers_together_may_not_be_larger_than_one(crowd: Appliance) -> None:
    query = {"meter": "calls"} | MILLION
    refused = crowd.client.post("/v1/usage", json={"queries": [query | {"window": "total"}, query]})
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["pointer"] == "queries[1].limit"
    assert "1,001,000 rows" in refused.json()["detail"]


def test_a_hundred_of_them_at_once_are_answered_or_refused_and_events_land_meanwhile(crowd: Appliance) -> None:
    def ask(_number: int) -> int:
        with (
            crowd.client_with(crowd.admin_key, timeout_s=120) as client,
            client.stream("GET", "/v1/meters/calls/usage", params=MILLION) as answer,
        ):
            if answer.status_code == 503:
                assert int(answer.headers["retry-after"]) >= 1
                return 503
            next(answer.iter_raw())
            return answer.status_code

    with ThreadPoolExecutor(100) as threads:
        asking = [threads.submit(ask, number) for number in range(100)]
        landed = 0
        while not all(each.done() for each in asking):
            send(crowd.client, f"meanwhile-{landed}", count=10)
            landed += 1
    statuses = Counter(each.result() for each in asking)
    assert set(statuses) == {200, 503}
    assert landed > 0
    until(crowd, "large_answers", lambda taken: taken == 0)
    until(crowd, "scans_waiting", lambda taken: taken == 0)
    assert crowd.client.get("/v1/meters/calls/usage", params=MILLION | {"window": "total"}).status_code == 200


def test_a_large_answer_that_nobody_reads_holds_a_place_and_gives_it_back(crowd: Appliance) -> None:
    with crowd.client_with(crowd.admin_key, timeout_s=120) as client:
        held = [client.stream("GET", "/v1/meters/calls/usage", params=MILLION) for _ in range(3)]
        for each in held:
            assert each.__enter__().status_code == 200
        refused = client.get("/v1/meters/calls/usage", params=MILLION)
        assert refused.status_code == 503
        assert "large answers are being read" in refused.json()["detail"]
        small = client.get("/v1/meters/calls/usage", params=MILLION | {"window": "total"})
        assert small.status_code == 200
        for each in held:
            each.__exit__(None, None, None)
    until(crowd, "large_answers", lambda taken: taken == 0)


def test_a_client_that_goes_away_ends_its_scan(crowd: Appliance) -> None:
    for batch in range(5):
        send(crowd.client, f"many-{batch}", count=10_000)
    query: dict[str, Any] = {"meter": "seen"} | MILLION | {"limit": 1}  # Any: JSON values
    body = json.dumps({"queries": [query] * 50}).encode()
    host, port = crowd.url.removeprefix("http://").split(":")
    before = figure(crowd, "scans_cancelled_total")
    started = time.monotonic()
    whole = crowd.client.post("/v1/usage", content=body, headers={"content-type": "application/json"}, timeout=120)
    whole_s = time.monotonic() - started
    assert whole.status_code == 200
    impatient: list[socket.socket] = []
    for _ in range(10):
        connection = socket.create_connection((host, int(port)))
        connection.sendall(
            b"POST /v1/usage HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nauthorization: Bearer "
            + crowd.admin_key.encode()
            + b"\r\ncontent-length: %d\r\n\r\n" % len(body)
            + body
        )
        impatient.append(connection)
    until(crowd, "scans_waiting", lambda taken: taken == 10)
    started = time.monotonic()
    for connection in impatient:
        connection.close()
    until(crowd, "scans_waiting", lambda taken: taken == 0)
    # Ten of them, two at a time, would take five times as long as one.
    assert time.monotonic() - started < 2 * whole_s
    assert figure(crowd, "scans_cancelled_total") == before + 10
    assert 'status="499"' in crowd.client.get("/metrics").text
