"""What the contract says of events, asked of a real appliance."""

from __future__ import annotations

import gzip
import json

import httpx
import msgspec
import pytest
import zstandard


def test_an_event_sent_twice_is_counted_once(client: httpx.Client, name: str) -> None:
    event = {"id": name, "type": name, "customer": "acme", "value": 2}
    first, second = (client.post("/v1/events", json=event) for _ in range(2))
    assert first.status_code == second.status_code == 200
    assert first.json() == {"accepted": 1, "duplicates": 0, "conflicts": 0, "rejected": []}
    assert second.json() == {"accepted": 0, "duplicates": 1, "conflicts": 0, "rejected": []}


def test_an_accepted_event_is_visible_when_the_answer_comes(client: httpx.Client, name: str) -> None:
    client.post("/v1/events", json={"id": name, "type": name, "customer": name})
    assert [event["id"] for event in client.get("/v1/events", params={"customer": name}).json()["items"]] == [name]


def test_a_conflict_is_listed_and_the_first_event_stays(client: httpx.Client, name: str) -> None:
    client.post("/v1/events", json={"id": name, "type": name, "customer": "acme", "value": 1})
    answer = client.post("/v1/events", json=[{"id": name, "type": name, "customer": "acme", "value": 2}])
    assert answer.status_code == 422
    assert answer.json()["conflicts"] == 1
    assert answer.json()["rejected"][0]["code"] == "conflict"
    assert client.get("/v1/events/by-id", params={"id": name}).json()["value"] == 1


def test_a_bad_event_never_takes_its_neighbours_down(client: httpx.Client, name: str) -> None:
    good = [{"id": f"{name}-{each}", "type": name, "customer": "acme"} for each in range(3)]
    answer = client.post("/v1/events", json=[good[0], {"id": "bad"}, good[1], "text", good[2]])
    assert answer.status_code == 200
    assert answer.json()["accepted"] == 3
    assert [entry["index"] for entry in answer.json()["rejected"]] == [1, 3]


def test_a_request_of_bad_events_alone_is_a_422_that_says_why(client: httpx.Client) -> None:
    answer = client.post("/v1/events", json=[{"id": "bad"}, {"type": "x"}])
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert [entry["code"] for entry in answer.json()["rejected"]] == ["missing_type", "missing_customer"]


def test_every_format_says_the_same_event(client: httpx.Client, name: str) -> None:
    event = {"id": name, "type": name, "customer": "acme", "time": "2026-11-01T10:00:00Z", "properties": {"n": 1}}
    cloud = {
        "specversion": "1.0",
        "id": name,
        "source": "",
        "type": name,
        "subject": "acme",
        "time": "2026-11-01T10:00:00Z",
        "data": {"n": "1.0"},
    }
    bodies = [
        ("application/json", json.dumps(event).encode()),
        ("application/json; charset=utf-8", json.dumps([event]).encode()),
        ("application/x-ndjson", json.dumps(event).encode() + b"\n"),
        ("application/msgpack", msgspec.msgpack.encode([event])),
        ("application/cloudevents-batch+json", json.dumps([cloud]).encode()),
    ]
    answers = [client.post("/v1/events", content=body, headers={"content-type": kind}) for kind, body in bodies]
    assert [answer.status_code for answer in answers[:4]] == [200] * 4, [answer.text for answer in answers]
    assert [answer.json()["accepted"] for answer in answers[:4]] == [1, 0, 0, 0]


@pytest.mark.parametrize("encoding", ["gzip", "zstd", "GZIP"])
def test_a_compressed_body_is_read(client: httpx.Client, name: str, encoding: str) -> None:
    body = json.dumps([{"id": f"{name}-{n}", "type": name, "customer": "acme"} for n in range(500)]).encode()
    packed = zstandard.compress(body) if encoding == "zstd" else gzip.compress(body)
    answer = client.post(
        "/v1/events", content=packed, headers={"content-encoding": encoding, "content-type": "application/json"}
    )
    assert answer.json()["accepted"] == 500, answer.text


def test_a_large_batch_is_decoded_off_the_event_loop_with_the_same_result(client: httpx.Client, name: str) -> None:
    events = [{"id": f"{name}-{n}", "type": name, "customer": f"c{n % 7}", "value": "0.1"} for n in range(10_000)]
    answer = client.post("/v1/events", json=events)
    assert answer.json()["accepted"] == 10_000
    again = client.post("/v1/events", json=events)
    assert again.json() == {"accepted": 0, "duplicates": 10_000, "conflicts": 0, "rejected": []}


def test_numbers_come_out_exactly(client: httpx.Client, name: str) -> None:
    value = "12345678901234567890123456.123456789012"
    body = f'{{"id":"{name}","type":"{name}","customer":"a","value":{value},"properties":{{"price":0.10,"big":1e3,"ok":true,"s":"1.0"}}}}'
    assert client.post("/v1/events", content=body).status_code == 200
    text = client.get("/v1/events/by-id", params={"id": name}).text
    assert f'"value":{value},' in text
    assert '"price":0.1' in text
    assert '"big":1000' in text
    assert '"ok":true' in text
    assert '"s":"1.0"' in text


def test_a_receipt_names_the_block_that_holds_the_event(client: httpx.Client, name: str) -> None:
    client.post("/v1/events", json={"id": name, "type": name, "customer": "acme", "source": "s"})
    client.post("/v1/events", json={"id": name, "type": name, "customer": "acme", "source": "s"})
    receipt = client.get("/v1/events/by-id", params={"id": name, "source": "s"}).json()
    assert receipt["duplicates_seen"] == 1
    block = client.get(f"/v1/log/blocks/{receipt['block']}").json()
    assert block["hash"] == receipt["block_hash"]


def test_events_are_paged_newest_first_without_gaps(client: httpx.Client, name: str) -> None:
    for n in range(7):
        client.post(
            "/v1/events", json={"id": f"{name}-{n}", "type": name, "customer": name, "time": 1_790_000_000_000 + n}
        )
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = client.get(
            "/v1/events", params={"type": name, "limit": 3} | ({"cursor": cursor} if cursor else {})
        ).json()
        seen += [event["id"] for event in page["items"]]
        cursor = page["next_cursor"]
    assert seen == [f"{name}-{n}" for n in reversed(range(7))]


def test_a_voided_event_stays_in_the_log_and_its_id_is_not_free_again(client: httpx.Client, name: str) -> None:
    event = {"id": name, "type": name, "customer": name}
    client.post("/v1/events", json=event)
    void = {"events": [{"id": name}, {"id": f"{name}-unseen"}], "reason": "test"}
    first, second = (client.post("/v1/events/void", json=void).json() for _ in range(2))
    assert first == {
        "voided": 1,
        "already_voided": 0,
        "remembered": 0,
        "not_found": [{"source": "", "id": f"{name}-unseen"}],
    }
    assert second["already_voided"] == 1
    receipt = client.get("/v1/events/by-id", params={"id": name}).json()
    assert receipt["state"] == "voided"
    assert receipt["voided"]["reason"] == "test"
    assert receipt["voided"]["position"] > receipt["position"]
    assert receipt["voided"]["at"] >= receipt["received_at"]
    assert client.get("/v1/events", params={"customer": name}).json()["items"][0]["state"] == "voided"
    assert client.post("/v1/events", json=event).json()["duplicates"] == 1


def test_a_void_that_is_remembered_takes_the_event_when_it_comes(client: httpx.Client, name: str) -> None:
    void = {"events": [{"id": name}], "reason": "test", "if_missing": "remember"}
    assert client.post("/v1/events/void", json=void).json()["remembered"] == 1
    client.post("/v1/events", json={"id": name, "type": name, "customer": name})
    assert client.get("/v1/events", params={"customer": name}).json()["items"][0]["state"] == "voided"


def test_a_trailing_slash_is_the_same_route(client: httpx.Client, name: str) -> None:
    answer = client.post("/v1/events/", json={"id": name, "type": name, "customer": "acme"})
    assert answer.json()["accepted"] == 1
