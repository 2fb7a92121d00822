"""Reconciling over HTTP: every item is in exactly one place of the answer, and the sums explain it."""

from __future__ import annotations

import gzip
import json
from typing import Any

import httpx
import pytest

RANGE = {"from": "2026-10-01T00:00:00Z", "to": "2026-11-01T00:00:00Z"}


def call(name: str, number: int, **fields: object) -> dict[str, Any]:
    time = f"2026-10-{1 + number % 28:02d}T10:00:00Z"
    return {"id": f"{name}-{number}", "type": "call", "customer": name, "time": time} | fields


def send(client: httpx.Client, *events: dict[str, Any]) -> None:
    answer = client.post("/v1/events", json=list(events))
    assert answer.json()["rejected"] == [], answer.text


def void(client: httpx.Client, *ids: str) -> None:
    body = {"events": [{"id": each} for each in ids], "reason": "wrong"}
    client.post("/v1/events/void", json=body).raise_for_status()


def compare(client: httpx.Client, name: str, items: object, **params: str | int | list[str]) -> dict[str, Any]:
    answer = client.post("/v1/reconcile", params=RANGE | {"customer": name} | params, json=items)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_list_that_agrees_is_told_so_with_equal_sums(client: httpx.Client, name: str) -> None:
    events = [call(name, number, value="0.1", properties={"n": number}) for number in range(30)]
    send(client, *events)
    for items in (events, list(reversed(events))):
        found = compare(client, name, items)
        assert found["agrees"] is True
        assert found["same"] == 30
        assert found["yours"] == found["appliance"] == {"events": 30, "value": 3}
    assert compare(client, name, [event["id"] for event in events])["agrees"] is True


def test_each_kind_of_disagreement_has_its_own_list(client: httpx.Client, name: str) -> None:
    send(client, *[call(name, number, value=2, properties={"n": 1, "region": "eu"}) for number in range(6)])
    void(client, f"{name}-3")
    items = [
        call(name, 0, value=2, properties={"n": "1", "region": "eu"}),
        call(name, 1, value=2.5, properties={"n": 1, "plan": "pro"}),
        call(name, 3, value=2, properties={"n": 1, "region": "eu"}),
        call(name, 99),
        call(name, 0, value=2, properties={"n": 1, "region": "eu"}),
        call(name, 1, value=9, properties={"n": 1}),
        {"type": "call", "id": f"{name}-bad", "value": "many"},
        {"type": "call"},
        {"value": 3},
        7,
    ]
    found = compare(client, name, items)
    assert found["agrees"] is False
    assert found["same"] == 1
    (differs,) = found["differs"]
    assert differs["index"] == 1
    assert differs["fields"] == [
        {"field": "value", "yours": 2.5, "appliance": 2},
        {"field": "properties.plan", "yours": "pro", "appliance": None},
        {"field": "properties.region", "yours": None, "appliance": "eu"},
    ]
    assert [(each["index"], each["id"], each["fields"]) for each in found["voided"]] == [(2, f"{name}-3", [])]
    assert [(each["index"], each["id"]) for each in found["only_yours"]] == [(3, f"{name}-99")]
    assert [(each["index"], each["first_index"], each["same_content"]) for each in found["repeated"]] == [
        (4, 0, True),
        (5, 1, False),
    ]
    assert [(each["index"], each["code"]) for each in found["unreadable"]] == [
        (6, "invalid_value"),
        (7, "invalid_id"),
        (8, "invalid_id"),
        (9, "invalid_event"),
    ]
    assert [each["id"] for each in found["only_appliance"]] == [f"{name}-2", f"{name}-4", f"{name}-5"]
    assert found["yours"] == {"events": 4, "value": 7.5}
    assert found["appliance"] == {"events": 5, "value": 10}


def test_parts_of_events_are_compared_in_what_they_name(client: httpx.Client, name: str) -> None:
    send(client, *[call(name, number, value=2, properties={"n": 1, "region": "eu"}) for number in range(5)])
    items = [
        {"id": f"{name}-0"},
        {"id": f"{name}-1", "value": "2.0"},
        {"id": f"{name}-2", "value": 3},
        {"id": f"{name}-3", "properties": {"region": "us"}, "type": None},
        f"{name}-4",
    ]
    found = compare(client, name, items)
    assert found["same"] == 3
    assert [(each["index"], each["fields"]) for each in found["differs"]] == [
        (2, [{"field": "value", "yours": 3, "appliance": 2}]),
        (3, [{"field": "properties.region", "yours": "us", "appliance": "eu"}]),
    ]
    assert found["yours"] == {"events": 5, "value": None}


def test_an_event_in_another_month_or_of_another_customer_is_a_difference_and_not_two_gaps(
    client: httpx.Client, name: str
) -> None:
    send(
        client,
        call(name, 0, time="2026-09-30T23:59:59Z"),
        call(name, 1, customer=f"{name}-other"),
        call(name, 2),
        call(name, 3, customer=f"{name}-other", time="2026-08-01T00:00:00Z"),
    )
    items = [
        call(name, 0, time="2026-10-01T00:00:00Z"),
        f"{name}-1",
        call(name, 2, time="2026-11-01T00:00:00Z"),
        call(name, 3, customer=f"{name}-other", time="2026-08-02T00:00:00Z"),
        call(name, 4, time="2026-12-01T00:00:00Z") | {"time": "2026-08-01T00:00:00Z"},
    ]
    found = compare(client, name, items)
    fields = {
        each["index"]: [(one["field"], one["yours"], one["appliance"]) for one in each["fields"]]
        for each in found["differs"]
    }
    assert fields == {
        0: [("time", "2026-10-01T00:00:00Z", "2026-09-30T23:59:59Z")],
        1: [("customer", name, f"{name}-other")],
        2: [("time", "2026-11-01T00:00:00Z", "2026-10-03T10:00:00Z")],
    }
    assert found["outside"] == 2
    assert found["only_appliance"] == found["only_yours"] == []
    assert found["yours"]["events"] == 2
    assert found["appliance"]["events"] == 1


def test_what_lands_meanwhile_does_not_move_an_answer_of_a_position(client: httpx.Client, name: str) -> None:
    send(client, *[call(name, number) for number in range(3)])
    first = compare(client, name, [f"{name}-0", f"{name}-3"])
    send(client, call(name, 3))
    void(client, f"{name}-0")
    assert compare(client, name, [f"{name}-0", f"{name}-3"], as_of=first["as_of"]) == first
    later = compare(client, name, [f"{name}-0", f"{name}-3"])
    assert [each["id"] for each in later["voided"]] == [f"{name}-0"]
    assert later["same"] == 1


def test_a_source_narrows_both_sides_and_is_that_of_items_without_one(client: httpx.Client, name: str) -> None:
    send(client, call(name, 0, source="a"), call(name, 0, source="b"), call(name, 1, source="b"))
    found = compare(client, name, [f"{name}-0", {"id": f"{name}-9", "source": "c"}], source="a")
    assert found["agrees"] is True
    assert (found["same"], found["outside"]) == (1, 1)
    assert found["appliance"]["events"] == 1
    found = compare(client, name, [], source="b")
    assert [each["id"] for each in found["only_appliance"]] == [f"{name}-0", f"{name}-1"]


def test_a_list_alone_is_looked_up_without_searching_for_what_it_lacks(client: httpx.Client, name: str) -> None:
    send(client, call(name, 0), call(name, 1))
    found = compare(client, name, [f"{name}-0", f"{name}-7"], direction="yours")
    assert found["appliance"] is None
    assert found["only_appliance"] == []
    assert found["same"] == 1
    assert [each["index"] for each in found["only_yours"]] == [1]


def test_a_meter_is_made_of_both_sides(client: httpx.Client, name: str) -> None:
    for key, asked in {"sum": {"aggregation": "sum"}, "most": {"aggregation": "max", "field": "properties.n"}}.items():
        client.post("/v1/meters", json={"key": f"{name}-{key}", "event_type": "call"} | asked).raise_for_status()
    events = [call(name, number, value=2, properties={"n": number}) for number in range(4)]
    send(client, *events)
    found = compare(client, name, events[:3], meter=f"{name}-sum,{name}-most")
    assert found["meters"] == [
        {"meter": f"{name}-sum", "version": 1, "yours": 6, "yours_events": 3, "appliance": 8, "appliance_events": 4},
        {"meter": f"{name}-most", "version": 1, "yours": 2, "yours_events": 3, "appliance": 3, "appliance_events": 4},
    ]
    answer = client.post("/v1/reconcile", params=RANGE | {"customer": name, "meter": f"{name}-sum"}, json=[f"{name}-0"])
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "meter")


def test_a_list_comes_as_lines_and_compressed(client: httpx.Client, name: str) -> None:
    events = [call(name, number) for number in range(3)]
    send(client, *events)
    lines = "".join(json.dumps(event) + "\n" for event in events[:2]) + f'"{name}-2"\n'
    for content, encoding in ((lines.encode(), "identity"), (gzip.compress(lines.encode()), "gzip")):
        headers = {"content-type": "application/x-ndjson", "content-encoding": encoding}
        answer = client.post("/v1/reconcile", params=RANGE | {"customer": name}, content=content, headers=headers)
        assert answer.json()["agrees"] is True, answer.text


@pytest.mark.parametrize(
    ("params", "content", "media_type", "status"),
    [
        ({}, b"[]", "application/json", 200),
        ({}, b"", "application/json", 400),
        ({}, b"[1", "application/json", 400),
        ({}, b"[]", "text/plain", 415),
        ({}, b"[" + b",".join([b'"x"'] * 10_001) + b"]", "application/json", 413),
        ({"to": "2026-09-01T00:00:00Z"}, b"[]", "application/json", 400),
        ({"as_of": "x"}, b"[]", "application/json", 400),
        ({"as_of": 10**12}, b"[]", "application/json", 400),
        ({"direction": "left"}, b"[]", "application/json", 400),
        ({"customer": ""}, b"[]", "application/json", 400),
        ({"meter": "no-such-meter"}, b"[]", "application/json", 404),
        ({"meter": "a", "source": "b"}, b"[]", "application/json", 400),
        ({"cursor": "a"}, b"[]", "application/json", 400),
    ],
    ids=str,
)
def test_a_bad_comparison_is_refused_and_an_empty_list_is_none(
    client: httpx.Client, name: str, params: dict[str, str], content: bytes, media_type: str, status: int
) -> None:
    answer = client.post(
        "/v1/reconcile",
        params=RANGE | {"customer": name} | params,
        content=content,
        headers={"content-type": media_type},
    )
    assert answer.status_code == status, answer.text


def test_ten_thousand_events_of_several_megabytes_are_one_request(client: httpx.Client, name: str) -> None:
    events = [call(name, number, properties={"text": "x" * 300}) for number in range(10_000)]
    for start in range(0, 10_000, 5_000):
        send(client, *events[start : start + 5_000])
    assert compare(client, name, events)["agrees"] is True
