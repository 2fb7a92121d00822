"""Events: what is counted, what is a duplicate or a conflict, what is refused, and how each is told."""

from __future__ import annotations

import gzip
import json
from typing import Any

import httpx
import pytest
import zstandard

from tests.contract.asked import define, exact, send, usage

TIME = "2026-03-01T10:00:00Z"
WHOLE = {"start": "2026-01-01T00:00:00Z", "end": "2026-12-31T00:00:00Z"}


def event(unique: str, number: int = 0, **more: Any) -> dict[str, Any]:
    return {"id": f"{unique}-{number}", "type": unique, "customer": "acme", "time": TIME} | more


def test_an_answer_says_how_many_were_accepted_duplicates_conflicts_and_which_were_rejected(
    client: httpx.Client, unique: str
) -> None:
    send(client, event(unique, 1), event(unique, 2))
    answer = exact(
        client.post(
            "/v1/events",
            json=[event(unique, 1), event(unique, 2, value=7), event(unique, 3), {"id": "x", "customer": "acme"}],
        )
    )
    assert (answer["accepted"], answer["duplicates"], answer["conflicts"]) == (1, 1, 1)
    assert [(each["index"], each["code"]) for each in answer["rejected"]] == [(1, "conflict"), (3, "missing_type")]
    assert all(each["detail"] for each in answer["rejected"])


def test_identity_is_source_and_id(client: httpx.Client, unique: str) -> None:
    answers = [send(client, event(unique, source=source)) for source in ("", "a", "b", "a")]
    assert [answer["accepted"] for answer in answers] == [1, 1, 1, 0]


def test_without_an_id_an_identical_event_with_a_time_is_the_same_and_one_without_is_new(
    client: httpx.Client, unique: str
) -> None:
    timed = {"type": unique, "customer": "acme", "time": TIME}
    timeless = {"type": unique, "customer": "acme"}
    assert [send(client, timed)["accepted"] for _ in range(2)] == [1, 0]
    assert [send(client, timeless)["accepted"] for _ in range(2)] == [1, 1]


def test_without_a_time_an_event_sent_again_with_its_id_is_a_duplicate(client: httpx.Client, unique: str) -> None:
    untimed = {"id": unique, "type": unique, "customer": "acme"}
    assert [send(client, untimed)["duplicates"] for _ in range(2)] == [0, 1]


@pytest.mark.parametrize("same", [1, 1.0, "1", "1.0", "1.000"])
def test_a_number_is_the_same_however_it_is_spelled(same: object, client: httpx.Client, unique: str) -> None:
    # A property is text unless it is a number: "1" is the text of 1, "1.0" is not.
    in_property = "1" if isinstance(same, str) else same
    send(client, event(unique, value=1, properties={"n": 1}))
    again = exact(client.post("/v1/events", json=event(unique, value=same, properties={"n": in_property})))
    assert again["duplicates"] == 1


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"type": None}, "missing_type"),
        ({"customer": None}, "missing_customer"),
        ({"value": 10**26}, "value_out_of_range"),
    ],
)
def test_a_bad_event_is_rejected_with_its_code_and_kept_in_quarantine(
    change: dict[str, Any], code: str, client: httpx.Client, unique: str
) -> None:
    bad = {name: value for name, value in (event(unique) | change).items() if value is not None}
    answer = client.post("/v1/events", json=[bad])
    assert answer.status_code == 422
    assert answer.json()["rejected"][0]["code"] == code
    kept = exact(client.get("/v1/quarantine", params={"limit": 50}))["items"]
    assert any(each["code"] == code and unique in json.dumps(each) for each in kept)


@pytest.mark.parametrize("body", [b"{", b"[1,", b'"text"', b"\xff\xfe", b"", b"[" * 10_000])
def test_a_body_that_cannot_be_parsed_is_a_400_and_stores_nothing(body: bytes, client: httpx.Client) -> None:
    answer = client.post("/v1/events", content=body, headers={"content-type": "application/json"})
    assert answer.status_code in {400, 422}
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_a_compressed_body_is_the_body(encoding: str, client: httpx.Client, unique: str) -> None:
    body = json.dumps([event(unique)]).encode()
    packed = gzip.compress(body) if encoding == "gzip" else zstandard.compress(body)
    headers = {"content-type": "application/json", "content-encoding": encoding}
    assert exact(client.post("/v1/events", content=packed, headers=headers))["accepted"] == 1
    assert send(client, event(unique))["duplicates"] == 1


def test_10_001_events_are_too_many(client: httpx.Client, unique: str) -> None:
    assert client.post("/v1/events", json=[event(unique, n) for n in range(10_001)]).status_code == 413
    assert exact(client.get("/v1/events", params={"type": unique}))["items"] == []


def test_a_voided_event_stays_listed_and_no_longer_counts(client: httpx.Client, unique: str) -> None:
    define(client, unique, "sum")
    send(client, event(unique, 1, value="0.1"), event(unique, 2, value="0.2"))
    void = {"events": [{"source": "", "id": f"{unique}-1"}, {"source": "", "id": "never"}], "reason": "wrong"}
    for _ in range(2):
        answer = exact(client.post("/v1/events/void", json=void))
        assert [each["id"] for each in answer["not_found"]] == ["never"]
    assert str(usage(client, unique, **WHOLE)["totals"][0]["value"]) == "0.2"
    states = {each["id"]: each["state"] for each in exact(client.get("/v1/events", params={"type": unique}))["items"]}
    assert states == {f"{unique}-1": "voided", f"{unique}-2": "counted"}
    assert send(client, event(unique, 1, value="0.1"))["duplicates"] == 1


def test_an_awaited_void_holds_when_the_event_comes(client: httpx.Client, unique: str) -> None:
    define(client, unique, "count")
    void = {"events": [{"source": "", "id": f"{unique}-9"}], "reason": "early", "if_missing": "remember"}
    exact(client.post("/v1/events/void", json=void))
    assert send(client, event(unique, 9))["accepted"] == 1
    assert sum(total["value"] for total in usage(client, unique, **WHOLE)["totals"]) == 0


def test_a_receipt_names_the_block_that_the_log_shows(client: httpx.Client, unique: str) -> None:
    send(client, event(unique))
    send(client, event(unique))
    receipt = exact(client.get("/v1/events/by-id", params={"source": "", "id": f"{unique}-0"}))
    block = exact(client.get(f"/v1/log/blocks/{receipt['block']}"))
    assert block["hash"] == receipt["block_hash"]
    assert receipt["duplicates_seen"] == 1
    assert exact(client.get("/v1/log/head"))["position"] >= receipt["position"]


def test_events_are_listed_newest_first_page_by_page(client: httpx.Client, unique: str) -> None:
    send(client, *(event(unique, n, time=f"2026-03-01T10:{n:02d}:00Z") for n in range(25)))
    listed: list[str] = []
    cursor = None
    while True:
        query = {"type": unique, "limit": 7} | ({"cursor": cursor} if cursor else {})
        page = exact(client.get("/v1/events", params=query))
        listed += [each["id"] for each in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert listed == [f"{unique}-{n}" for n in reversed(range(25))]
