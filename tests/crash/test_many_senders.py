"""Many send the same, in any order and any cut, or vanish before they are answered: each event counts once, and the answers add up."""

from __future__ import annotations

import json
import random
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx
import pytest

from tests.appliance import ADMIN_KEY, Appliance

CLIENTS = 16
IDS = 10_000
FILE_EVENTS = 100_000
RANGE = {"from": "2026-01-01T00:00:00Z", "to": "2026-12-31T00:00:00Z"}


@pytest.fixture(scope="module")
def appliance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Appliance]:
    with Appliance(tmp_path_factory.mktemp("senders"), settings={"engine.checkpoint_events": 30_000}) as running:
        yield running


def counted(appliance: Appliance, event_type: str, aggregation: str = "count") -> int:
    meter = {"key": f"{event_type}-{aggregation}", "name": "m", "event_type": event_type, "aggregation": aggregation}
    answer = appliance.client.post("/v1/meters/preview", json={"meter": meter, "query": RANGE})
    assert answer.status_code == 200, answer.text
    totals = answer.json()["totals"]
    return totals[0]["value"] if totals else 0


def lines(event_type: str, numbers: list[int]) -> bytes:
    # Whole seconds and values by number, so that a re-send has the same content.
    return b"\n".join(
        b'{"id":"%s-%d","type":"%s","customer":"c%d","time":%d,"value":%d}'
        % (
            event_type.encode(),
            number,
            event_type.encode(),
            number % 31,
            1_770_000_000_000 + number * 60_000 % 10**9,
            number,
        )
        for number in numbers
    )


def post(client: httpx.Client, body: bytes) -> Counter[str]:
    answer = client.post("/v1/events", content=body, headers={"content-type": "application/x-ndjson"})
    assert answer.status_code == 200, answer.text[:500]
    told = answer.json()
    assert told["rejected"] == []
    return Counter({name: told[name] for name in ("accepted", "duplicates", "conflicts")})


@pytest.mark.slow
def test_sixteen_clients_that_send_the_same_ids_at_once_are_told_of_each_id_once(appliance: Appliance) -> None:
    barrier = threading.Barrier(CLIENTS)

    def send(seed: int) -> Counter[str]:
        numbers = list(range(IDS))
        random.Random(seed).shuffle(numbers)
        told: Counter[str] = Counter()
        with appliance.client_with(ADMIN_KEY, timeout_s=120) as client:
            barrier.wait(timeout=60)
            for start in range(0, IDS, 500):
                told += post(client, lines("same", numbers[start : start + 500]))
        return told

    with ThreadPoolExecutor(CLIENTS) as pool:
        told = sum(pool.map(send, range(CLIENTS)), Counter[str]())
    assert told["accepted"] == IDS
    assert told["duplicates"] == (CLIENTS - 1) * IDS
    assert told["conflicts"] == 0
    assert counted(appliance, "same") == IDS
    assert counted(appliance, "same", "sum") == sum(range(IDS))


@pytest.mark.slow
def test_a_file_sent_again_in_another_order_and_another_cut_is_all_duplicates(appliance: Appliance) -> None:
    numbers = list(range(FILE_EVENTS))
    with appliance.client_with(ADMIN_KEY, timeout_s=120) as client:
        first = sum(
            (post(client, lines("file", numbers[at : at + 10_000])) for at in range(0, FILE_EVENTS, 10_000)),
            Counter[str](),
        )
        assert first == {"accepted": FILE_EVENTS}
        chance = random.Random(5)
        chance.shuffle(numbers)
        second: Counter[str] = Counter()
        while numbers:
            size = chance.choice([1, 100, 3_000, 9_999])
            second += post(client, lines("file", numbers[:size]))
            del numbers[:size]
        assert second == {"duplicates": FILE_EVENTS}
    assert counted(appliance, "file") == FILE_EVENTS
    assert counted(appliance, "file", "sum") == sum(range(FILE_EVENTS))


def test_a_connection_dropped_before_the_answer_makes_the_re_send_a_duplicate(appliance: Appliance) -> None:
    address = urlsplit(appliance.url)
    for number in range(20):
        body = json.dumps(
            [{"id": f"gone-{number}", "type": "gone", "customer": "acme", "time": "2026-05-01T00:00:00Z"}]
        ).encode()
        head = (
            f"POST /v1/events HTTP/1.1\r\nhost: {address.netloc}\r\nauthorization: Bearer {ADMIN_KEY}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        ).encode()
        with socket.create_connection((address.hostname or "", address.port or 0), timeout=30) as connection:
            connection.sendall(head + body)
        # Whether the first was read before its sender was gone is open; that it counts once is not.
        answer = appliance.client.post("/v1/events", content=body, headers={"content-type": "application/json"})
        assert answer.json()["accepted"] + answer.json()["duplicates"] == 1
        again = appliance.client.post("/v1/events", content=body, headers={"content-type": "application/json"})
        assert again.json()["duplicates"] == 1
    assert counted(appliance, "gone") == 20


def test_a_request_that_was_cut_within_its_body_leaves_nothing(appliance: Appliance) -> None:
    address = urlsplit(appliance.url)
    body = json.dumps(
        [{"id": f"cut-{n}", "type": "cut", "customer": "acme", "time": 1_770_000_000_000} for n in range(50)]
    ).encode()
    head = (
        f"POST /v1/events HTTP/1.1\r\nhost: {address.netloc}\r\nauthorization: Bearer {ADMIN_KEY}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    ).encode()
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=30) as connection:
        connection.sendall(head + body[:-20])
    answer = appliance.client.post("/v1/events", content=body, headers={"content-type": "application/json"})
    assert answer.json() == {"accepted": 50, "duplicates": 0, "conflicts": 0, "rejected": []}
    assert counted(appliance, "cut") == 50
