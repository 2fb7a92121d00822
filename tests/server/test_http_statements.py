"""Statements over HTTP: the same bytes for ever, errors that name the parameter, and proofs that lead to the root."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tallystick.statement.check import Check, check_claims, check_events, check_proof
from tallystick.statement.proof import decode_proof
from tallystick.statement.statement import decode_statement
from tests.appliance import Appliance

RANGE = {"from": "2026-10-01T00:00:00Z", "to": "2026-11-01T00:00:00Z"}


def send(client: httpx.Client, *events: dict[str, Any]) -> None:
    answer = client.post("/v1/events", json=list(events))
    assert answer.status_code == 200, answer.text
    assert answer.json()["rejected"] == []


def call(name: str, number: int, **fields: object) -> dict[str, Any]:
    time = f"2026-10-{1 + number % 28:02d}T10:00:00Z"
    return {"id": f"{name}-{number}", "type": name, "customer": name, "time": time, **fields}


def statement(client: httpx.Client, name: str, **params: str | int | list[str]) -> httpx.Response:
    answer = client.get(f"/v1/customers/{name}/statement", params=RANGE | {"meter": name} | params)
    assert answer.status_code == 200, answer.text
    return answer


def listed(client: httpx.Client, name: str, **params: str | int | list[str]) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = client.get(f"/v1/customers/{name}/events", params=RANGE | params | cursor).json()
        items += page["items"]
        if page["next_cursor"] is None:
            return items
        cursor = {"cursor": page["next_cursor"]}


def bad(checks: list[Check]) -> list[str]:
    return [check.what for check in checks if not check.is_good]


@pytest.fixture
def metered(client: httpx.Client, name: str) -> str:
    """Return a name of which there is a meter, a customer and twenty events."""
    client.post("/v1/meters", json={"key": name, "event_type": name, "aggregation": "sum"}).raise_for_status()
    send(client, *[call(name, number, value=f"{number}.5", properties={"n": number % 3}) for number in range(20)])
    return name


def test_a_statement_has_the_same_bytes_whatever_came_since(client: httpx.Client, metered: str) -> None:
    first = statement(client, metered)
    as_of = first.json()["as_of"]
    send(client, *[call(metered, number, value=1000) for number in range(20, 40)])
    void = {"events": [{"id": f"{metered}-3"}], "reason": "wrong"}
    client.post("/v1/events/void", json=void).raise_for_status()
    client.patch(f"/v1/meters/{metered}", json={"aggregation": "count", "name": "Other"}).raise_for_status()
    client.delete(f"/v1/meters/{metered}").raise_for_status()
    assert statement(client, metered, as_of=as_of).content == first.content
    later = statement(client, metered).json()
    assert later["merkle_root"] != first.json()["merkle_root"]
    assert later["meters"][0]["definition"]["aggregation"] == "count"
    assert later["events"] == 39


def test_a_statement_outlives_kill_and_rebuild_of_what_it_was_made_from(
    start_appliance: Callable[..., Appliance], name: str
) -> None:
    appliance = start_appliance()
    appliance.client.post("/v1/meters", json={"key": name, "event_type": name, "aggregation": "sum"})
    send(appliance.client, *[call(name, number) for number in range(50)])
    first = statement(appliance.client, name)
    send(appliance.client, call(name, 50))
    appliance.kill()
    appliance.restart()
    assert statement(appliance.client, name, as_of=first.json()["as_of"]).content == first.content


def test_a_statement_follows_from_the_list_of_its_events(client: httpx.Client, metered: str) -> None:
    client.post("/v1/events/void", json={"events": [{"id": f"{metered}-5"}], "reason": "wrong"}).raise_for_status()
    document = decode_statement(statement(client, metered, window="day", timezone="Europe/Berlin").content)
    lines = [json.dumps(item).encode() for item in listed(client, metered, as_of=document.as_of, limit=7)]
    assert document.events == 19
    assert bad(check_claims(document)) == []
    assert bad(check_events(document, lines)) == []
    assert bad(check_events(document, lines[1:])) != []


def test_every_event_of_a_statement_is_proven_and_no_other(client: httpx.Client, metered: str) -> None:
    document = decode_statement(statement(client, metered).content)
    for number in (0, 7, 19):
        params = RANGE | {"as_of": document.as_of, "id": f"{metered}-{number}"}
        answer = client.get(f"/v1/customers/{metered}/statement/proof", params=params)
        assert answer.json()["receipt"] == client.get("/v1/events/by-id", params={"id": f"{metered}-{number}"}).json()
        assert bad(check_proof(document, decode_proof(answer.content))) == []
        forged = answer.content.replace(b'"value":', b'"value":1')
        assert bad(check_proof(document, decode_proof(forged))) != []


def test_an_event_that_is_not_counted_is_told_why(client: httpx.Client, metered: str) -> None:
    as_of = statement(client, metered).json()["as_of"]
    send(client, call(metered, 30), {**call(metered, 31), "customer": f"{metered}-2"})
    client.post("/v1/events/void", json={"events": [{"id": f"{metered}-1"}], "reason": "wrong"}).raise_for_status()

    def refused(event_id: str, **params: str | int | list[str]) -> tuple[int, str, str]:
        answer = client.get(f"/v1/customers/{metered}/statement/proof", params=RANGE | {"id": event_id} | params)
        return answer.status_code, answer.json()["type"].rpartition(":")[2], answer.json()["detail"]

    assert refused("nowhere")[:2] == (404, "not_found")
    assert refused(f"{metered}-1")[:2] == (404, "not_counted")
    assert "voided" in refused(f"{metered}-1")[2]
    assert f"after position {as_of}" in refused(f"{metered}-30", as_of=as_of)[2]
    assert "another customer" in refused(f"{metered}-31")[2]
    assert "outside of the range" in refused(f"{metered}-2", to="2026-10-02T00:00:00Z")[2]
    assert client.get(
        f"/v1/customers/{metered}/statement/proof", params=RANGE | {"id": f"{metered}-1", "as_of": as_of}
    ).is_success


def test_a_customer_without_events_has_a_statement_of_zeros(client: httpx.Client, metered: str) -> None:
    answer = client.get("/v1/customers/nobody%2Fat all/statement", params=RANGE | {"meter": metered}).json()
    assert answer["customer"] == "nobody/at all"
    assert answer["events"] == 0
    assert answer["merkle_root"] == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert answer["meters"][0]["total"] == {"value": 0, "events": 0}


def test_a_statement_without_meters_named_has_those_in_force(start_appliance: Callable[..., Appliance]) -> None:
    client = start_appliance().client
    for key in ("b", "a", "c"):
        client.post("/v1/meters", json={"key": key, "event_type": "call", "aggregation": "count"}).raise_for_status()
    client.delete("/v1/meters/b").raise_for_status()
    head = client.get("/v1/log/head").json()["position"]
    client.post("/v1/meters", json={"key": "later", "event_type": "call", "aggregation": "count"}).raise_for_status()

    def keys(**params: str | int | list[str]) -> list[str]:
        return [each["key"] for each in client.get("/v1/customers/x/statement", params=RANGE | params).json()["meters"]]

    assert keys() == ["a", "c", "later"]
    assert keys(as_of=head) == ["a", "c"]
    assert keys(as_of=head - 1) == ["a", "b", "c"]
    assert keys(as_of=0) == []
    assert keys(meter="c,b", as_of=head) == ["b", "c"]


@pytest.mark.parametrize(
    ("params", "status", "pointer"),
    [
        ({"from": "2026-11-01T00:00:00Z", "to": "2026-10-01T00:00:00Z"}, 400, "to"),
        ({"from": "yesterday"}, 400, "from"),
        ({"to": ""}, 400, "to"),
        ({"as_of": 10**15}, 400, "as_of"),
        ({"as_of": -1}, 400, "as_of"),
        ({"window": "year"}, 400, "window"),
        ({"timezone": "Mars/Base"}, 400, "timezone"),
        ({"meter": "no-such-meter"}, 404, None),
        ({"format": "pdf"}, 400, "format"),
    ],
    ids=str,
)
def test_a_bad_question_is_refused_by_the_name_of_its_parameter(
    client: httpx.Client, metered: str, params: dict[str, str], status: int, pointer: str | None
) -> None:
    answer = client.get(f"/v1/customers/{metered}/statement", params=RANGE | {"meter": metered} | params)
    assert answer.status_code == status, answer.text
    if pointer is not None:
        assert answer.json()["errors"][0]["pointer"] == pointer


def test_a_walk_through_a_list_stays_at_its_position(client: httpx.Client, metered: str) -> None:
    page = client.get(f"/v1/customers/{metered}/events", params=RANGE | {"limit": 8}).json()
    send(client, call(metered, 20))
    client.post("/v1/events/void", json={"events": [{"id": f"{metered}-15"}], "reason": "wrong"}).raise_for_status()
    rest = client.get(
        f"/v1/customers/{metered}/events", params=RANGE | {"limit": 100, "cursor": page["next_cursor"]}
    ).json()
    assert rest["as_of"] == page["as_of"]
    ids = [item["id"] for item in page["items"] + rest["items"]]
    assert ids == [f"{metered}-{number}" for number in range(20)]
    assert {item["state"] for item in rest["items"]} == {"counted"}
    states = [item["state"] for item in listed(client, metered)]
    assert states.count("voided") == 1
    for cursor in ("x", "1-", "99999999999999999999-1"):
        assert client.get(f"/v1/customers/{metered}/events", params=RANGE | {"cursor": cursor}).status_code == 400
