"""Allowances over HTTP: every acknowledged event in the very next answer, periods by the clock, and what is refused, in words."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tallystick.api_key import Scope
from tallystick.engine import Engine
from tallystick.engine_settings import EngineSettings
from tallystick.testing import ManualClock, SeededEntropy
from tallystick_server.allowance_lane import AllowanceQuestion, plain_question
from tallystick_server.app import create_app
from tallystick_server.settings import Settings
from tests.appliance import ADMIN_KEY, Appliance


def limit(client: httpx.Client, name: str, **fields: Any) -> dict[str, Any]:  # Any: JSON
    """Define a meter of this name that counts events of this type, once, and a signal that limits it."""
    client.post("/v1/meters", json={"key": name, "event_type": name, "aggregation": "count"})
    signal = {
        "key": name,
        "meter": name,
        "scope": {"customer": "*"},
        "condition": {"type": "threshold", "limit": 4, "thresholds": [50, 100]},
    }
    answer = client.post("/v1/signals", json=signal | fields)
    assert answer.status_code == 201, answer.text
    return answer.json()


def send(client: httpx.Client, name: str, *ids: str, **fields: Any) -> None:  # Any: as above
    events = [{"id": f"{name}-{each}", "type": name, "customer": "acme"} | fields for each in ids]
    assert client.post("/v1/events", json=events).json()["accepted"] == len(ids)


def allowance(
    client: httpx.Client, name: str, customer: str = "acme", **params: str
) -> dict[str, Any]:  # Any: as above
    answer = client.get(f"/v1/customers/{quote(customer, safe='')}/allowance", params={"meter": name} | params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_an_allowance_counts_down_warns_is_exceeded_and_comes_back(client: httpx.Client, name: str) -> None:
    limit(client, name)
    seen: list[tuple[object, ...]] = []
    for event in ["", "a", "b", "c", "d", "e"]:
        if event:
            send(client, name, event)
        found = allowance(client, name)
        seen.append((found["state"], found["used"], found["remaining"]))
        assert found["limit"] == 4
        assert found["limits"][0] | {"signal": name, "level": 0} == found["limits"][0] | {"level": 0}
    assert seen == [
        ("ok", 0, 4),
        ("ok", 1, 3),
        ("warning", 2, 2),
        ("warning", 3, 1),
        ("exceeded", 4, 0),
        ("exceeded", 5, 0),
    ]
    client.post("/v1/events/void", json={"events": [{"id": f"{name}-a"}, {"id": f"{name}-b"}], "reason": "wrong"})
    assert allowance(client, name)["remaining"] == 1


def test_the_answer_names_the_period_and_when_it_begins_anew(client: httpx.Client, name: str) -> None:
    limit(client, name, period="day", timezone="Asia/Tokyo")
    found = allowance(client, name)
    (only,) = found["limits"]
    assert only["resets_at"] == found["resets_at"]
    assert found["resets_at"].endswith("T15:00:00Z")
    assert only["period_start"].endswith("T15:00:00Z")
    assert (only["period"], only["timezone"], only["op"]) == ("day", "Asia/Tokyo", ">=")
    assert (only["filter"], only["group"]) == ({}, {})


def test_a_meter_without_a_limit_is_unlimited(client: httpx.Client, name: str) -> None:
    client.post("/v1/meters", json={"key": name, "event_type": name, "aggregation": "sum"})
    found = allowance(client, name)
    position = found.pop("position")
    assert position <= client.get("/v1/log/head").json()["position"]
    assert found == {
        "customer": "acme",
        "meter": name,
        "state": "unlimited",
        "limit": None,
        "used": None,
        "remaining": None,
        "resets_at": None,
        "limits": [],
    }


def test_several_limits_are_listed_the_tightest_first_and_the_customers_own_beats_that_of_all(
    client: httpx.Client, name: str
) -> None:
    limit(client, name)
    limit(client, name, key=f"{name}-day", period="day", condition={"type": "threshold", "value": 3})
    limit(client, name, key=f"{name}-own", scope={"customer": "acme"}, condition={"type": "threshold", "value": 100})
    send(client, name, "a")
    own = allowance(client, name)
    assert [each["signal"] for each in own["limits"]] == [f"{name}-day", f"{name}-own"]
    assert (own["limit"], own["remaining"]) == (3, 2)
    assert [each["signal"] for each in allowance(client, name, "globex")["limits"]] == [f"{name}-day", name]


def test_properties_of_what_is_to_be_served_leave_out_limits_of_something_else(client: httpx.Client, name: str) -> None:
    limit(client, name, filter={"model": "large"})
    limit(client, name, key=f"{name}-each", group_by=["region"], period="day")
    send(client, name, "a", "b", properties={"model": "small", "region": "eu"})
    send(client, name, "c", properties={"model": "large", "region": "us"})
    found = allowance(client, name)
    assert {each["signal"]: (each["used"], each["group"]) for each in found["limits"]} == {
        name: (1, {}),
        f"{name}-each": (2, {"region": "eu"}),
    }
    params = {"properties[model]": "small", "properties[region]": "us"}
    (only,) = allowance(client, name, **params)["limits"]
    assert (only["signal"], only["used"], only["group"]) == (f"{name}-each", 1, {"region": "us"})


def test_any_customer_key_can_be_asked_about(client: httpx.Client, name: str) -> None:
    limit(client, name)
    for customer in ["a/b", "späti", "a b?", "*"]:
        send(client, name, customer, customer=customer)
        assert allowance(client, name, customer)["used"] == 1


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ("?meter=no-such-meter", 404, "no-such-meter"),
        ("", 400, "meter"),
        ("?meter=", 400, "meter"),
        ("?meter=a&meter=b", 400, "given twice"),
        ("?meter=a&filter[model]=large", 400, "is no parameter of this route; it has meter, properties[NAME]"),
        ("?meter=a&properties=large", 400, "is no parameter of this route"),
        ("?meter=a&properties[x]=1&properties[x]=2", 400, "given twice"),
    ],
)
def test_what_cannot_be_answered_is_said_in_words(client: httpx.Client, query: str, status: int, words: str) -> None:
    answer = client.get(f"/v1/customers/acme/allowance{query}")
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert words in answer.text


def test_the_quick_way_answers_as_the_route_does_byte_for_byte(client: httpx.Client, name: str) -> None:
    limit(client, name, filter={"model": ["large", "xl"]})
    limit(client, name, key=f"{name}-day", period="day", condition={"type": "threshold", "thresholds": ["0.5", 2]})
    send(client, name, "a", properties={"model": "xl"}, customer="acme/ü")
    url = f"/v1/customers/{quote('acme/ü', safe='')}/allowance?meter={name}&properties[model]=large"
    client.get(url)
    # A question with a body, though of nothing, is none for the quick way.
    answers = [client.get(url, headers={"x-request-id": "same"} | more) for more in ({}, {"content-length": "0"})]
    quick, route = answers
    assert quick.content == route.content
    assert quick.json()["limits"][0]["used"] == 1
    assert quick.headers.keys() == route.headers.keys()
    assert all(quick.headers[each] == route.headers[each] for each in quick.headers if each != "date")
    lines = client.get("/metrics").text.splitlines()
    template = 'route="/v1/customers/{key}/allowance"'
    assert any("requests_total" in line and template in line and 'status="200"' in line for line in lines)


@pytest.mark.parametrize(
    ("path", "query", "asked"),
    [
        ("/v1/customers/acme/allowance", "meter=calls", AllowanceQuestion("acme", "calls", {})),
        ("/v1/customers/a%2Fb%C3%BC/allowance", "meter=c%2Fd", AllowanceQuestion("a/bü", "c/d", {})),
        (
            "/v1/customers/a/allowance",
            "properties%5Bm%5D=x&meter=c&properties[n]=",
            AllowanceQuestion("a", "c", {"m": "x", "n": ""}),
        ),
        ("/v1/customers/a/allowance", "", None),
        ("/v1/customers/a/allowance", "meter=", None),
        ("/v1/customers/a/allowance", "meter", None),
        ("/v1/customers/a/allowance", f"meter={'m' * 129}", None),
        ("/v1/customers/a/allowance", "meter=a&meter=a", None),
        ("/v1/customers/a/allowance", "meter=a&properties[x]=1&properties[x]=1", None),
        ("/v1/customers/a/allowance", "meter=a&other=1", None),
        ("/v1/customers/a/allowance", "meter=a+b", None),
        ("/v1/customers/a/allowance", "meter=a&", None),
        ("/v1/customers/a/allowance", "meter=%FF", None),
        ("/v1/customers/%FF/allowance", "meter=a", None),
        ("/v1/customers//allowance", "meter=a", None),
        ("/v1/customers/allowance", "meter=a", None),
        ("/v1/customers/a/b/allowance", "meter=a", None),
        ("/v2/customers/a/allowance", "meter=a", None),
    ],
)
def test_only_plain_questions_go_the_quick_way(path: str, query: str, asked: AllowanceQuestion | None) -> None:
    assert plain_question(path.encode(), query.encode()) == asked


def test_an_archived_meter_is_not_found(client: httpx.Client, name: str) -> None:
    limit(client, name)
    assert allowance(client, name)["state"] == "ok"
    client.delete(f"/v1/meters/{name}")
    assert client.get("/v1/customers/acme/allowance", params={"meter": name}).status_code == 404


def test_the_scope_read_is_needed(appliance: Appliance, client: httpx.Client, name: str) -> None:
    limit(client, name)
    keys = {
        scope: client.post("/v1/api-keys", json={"name": scope, "scopes": [scope]}).json()["key"]
        for scope in ("read", "ingest")
    }
    url = f"{appliance.url}/v1/customers/acme/allowance?meter={name}"
    asked = {scope: httpx.get(url, headers={"x-api-key": key}).status_code for scope, key in keys.items()}
    assert asked == {"read": 200, "ingest": 403}
    assert httpx.get(url).status_code == 401
    assert httpx.get(url, headers={"x-api-key": "wrong"}).status_code == 401


def test_every_acknowledged_event_is_in_the_very_next_answer_while_others_send(
    start_appliance: Callable[..., Appliance],
) -> None:
    """Small checkpoints, so that states outlive the memory that their events were in."""
    appliance = start_appliance(**{"engine.checkpoint_events": 300})
    limit(appliance.client, "calls", condition={"type": "threshold", "limit": 50})
    ended, faults = threading.Event(), list[str]()

    def send_noise() -> None:
        with httpx.Client(base_url=appliance.url, headers={"x-api-key": ADMIN_KEY}) as client:
            number = 0
            while not ended.is_set():
                events = [{"id": f"noise-{number}-{n}", "type": "calls", "customer": "noise"} for n in range(50)]
                client.post("/v1/events", json=events).raise_for_status()
                number += 1

    def send_and_ask(customer: str) -> None:
        with httpx.Client(base_url=appliance.url, headers={"x-api-key": ADMIN_KEY}) as client:
            for number in range(1, 61):
                send(client, "calls", f"{customer}-{number}", customer=customer)
                found = allowance(client, "calls", customer)
                expected = (number, "exceeded" if number >= 50 else "ok")
                if (found["used"], found["state"]) != expected:
                    faults.append(f"{customer}: {found} after {number}")

    noise = threading.Thread(target=send_noise)
    askers = [threading.Thread(target=send_and_ask, args=(f"customer {number}",)) for number in range(3)]
    for thread in (noise, *askers):
        thread.start()
    for thread in askers:
        thread.join()
    ended.set()
    noise.join()
    assert faults == []


def test_a_new_period_begins_with_the_clock_on_a_day_of_25_hours(tmp_path: Path) -> None:
    """In New York clocks go back on the first of November 2026: the day ends 25 hours after it began."""
    clock, entropy = ManualClock("2026-11-01T03:59:59Z"), SeededEntropy()
    store = Engine.open(tmp_path / "data", clock=clock, entropy=entropy, settings=EngineSettings(disk_free_min_bytes=0))
    store.adopt_api_key(ADMIN_KEY, name="admin", scopes=[Scope.ADMIN])
    app: Any = create_app(store, Settings(data=str(tmp_path)), clock=clock, entropy=entropy)  # Any: httpx's ASGI types

    async def ask() -> list[tuple[object, ...]]:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://test", headers={"x-api-key": ADMIN_KEY}
        ) as client:
            await client.post("/v1/meters", json={"key": "calls", "event_type": "call", "aggregation": "count"})
            await client.post("/v1/customers", json={"key": "acme", "time_zone": "America/New_York"})
            signal = {
                "key": "cap",
                "meter": "calls",
                "scope": {"customer": "*"},
                "period": "day",
                "timezone": "customer",
                "condition": {"type": "threshold", "limit": 10},
            }
            assert (await client.post("/v1/signals", json=signal)).status_code == 201
            seen: list[tuple[object, ...]] = []
            for seconds in (0, 1, 25 * 3_600 - 1, 1):
                clock.advance(seconds)
                await client.post("/v1/events", json={"type": "call", "customer": "acme", "id": str(clock.now())})
                answer = await client.get("/v1/customers/acme/allowance", params={"meter": "calls"})
                found = answer.json()
                seen.append((found["used"], found["resets_at"]))
            return seen

    try:
        assert asyncio.run(ask()) == [
            (1, "2026-11-01T04:00:00Z"),
            (1, "2026-11-02T05:00:00Z"),
            (2, "2026-11-02T05:00:00Z"),
            (1, "2026-11-03T05:00:00Z"),
        ]
    finally:
        store.close()
