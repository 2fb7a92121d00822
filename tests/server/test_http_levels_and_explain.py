"""Levels, durations and what figures were made of, over HTTP."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import httpx
import pytest

from tests.server.test_http_meters import define, send

MORNING = {"from": "2026-11-02T09:00:00Z", "to": "2026-11-02T13:00:00Z"}


def asked(client: httpx.Client, name: str, what: str, **parameters: str | int) -> dict[str, Any]:  # Any: JSON
    answer = client.get(f"/v1/meters/{name}/{what}", params=MORNING | parameters)
    assert answer.status_code == 200, answer.text
    return json.loads(answer.text, parse_float=Decimal)


def explained(client: httpx.Client, name: str, *, limit: int, **parameters: str | int) -> list[dict[str, Any]]:
    """Return the items of all pages."""
    items: list[dict[str, Any]] = []
    page = asked(client, name, "explain", limit=limit, **parameters)
    while True:
        assert len(page["items"]) <= limit
        items += page["items"]
        if page["next_cursor"] is None:
            return items
        page = asked(client, name, "explain", limit=limit, cursor=page["next_cursor"], **parameters)


def test_a_running_total_stands_until_it_is_moved_again_or_its_time_is_over(client: httpx.Client, name: str) -> None:
    send(
        client,
        name,
        {"time": "2026-11-02T10:40:00Z", "value": -1},
        {"time": "2026-11-02T10:00:00Z"},
        {"time": "2026-11-02T10:10:00Z"},
    )
    for statistic, expected in (("peak", [2, 1, 1]), ("closing", [1, 1, 1]), ("average", [Decimal("1.5"), 1, 1])):
        key = f"{name}-{statistic}"
        define(client, key, event_type=name, aggregation="running_total", statistic=statistic)
        assert [row["value"] for row in asked(client, key, "usage", window="hour")["rows"]] == expected
        define(
            client, f"{key}-timeout", event_type=name, aggregation="running_total", statistic=statistic, timeout=2400
        )
        rows = asked(client, f"{key}-timeout", "usage", window="hour")["rows"]
        assert [row["start"] for row in rows] == ["2026-11-02T10:00:00Z", "2026-11-02T11:00:00Z"]


def test_a_question_as_of_a_position_counts_up_to_when_that_was_written(client: httpx.Client, name: str) -> None:
    define(client, name, aggregation="duration", series="machine")
    send(client, name, {"properties": {"machine": "a"}})
    head = client.get("/v1/log/head").json()["position"]
    question = {"from": "2026-11-02T09:00:00Z", "to": "2261-01-01T00:00:00Z", "as_of": head}
    before = client.get(f"/v1/meters/{name}/usage", params=question).text
    send(
        client,
        name,
        {"id": f"{name}-later", "time": "2026-11-02T10:30:00Z", "value": 0, "properties": {"machine": "a"}},
    )
    assert client.get(f"/v1/meters/{name}/usage", params=question).text == before
    (total,) = asked(client, name, "usage")["totals"]
    assert (total["value"], total["events"]) == (1800, 2)


def test_the_amounts_of_the_events_listed_add_up_to_the_figure(client: httpx.Client, name: str) -> None:
    define(client, name, field="properties.tokens")
    events = [
        {"time": f"2026-11-02T10:{59 - minute:02d}:00Z", "properties": {"tokens": minute * 0.1, "region": "eu"}}
        for minute in range(20)
    ]
    send(client, name, *events, {"properties": {"tokens": "many"}}, {"properties": {"tokens": 1000, "region": "us"}})
    (total,) = asked(client, name, "usage", **{"filter[region]": "eu"})["totals"]
    first = asked(client, name, "explain", limit=7, **{"filter[region]": "eu"})
    assert first["totals"] == [total]
    items = explained(client, name, limit=7, **{"filter[region]": "eu"})
    assert sum(item["amount"] for item in items) == total["value"] == 19
    assert len(items) == total["events"] == 20
    assert [item["time"] for item in items] == sorted(item["time"] for item in items)
    assert {item["kind"] for item in items} == {"event"}
    assert items[0]["id"] == f"{name}-19"


def test_pages_fit_together_while_events_come_and_are_voided(client: httpx.Client, name: str) -> None:
    define(client, name, aggregation="count")
    send(client, name, *[{"time": f"2026-11-02T10:{minute:02d}:00Z"} for minute in range(0, 50, 10)])
    first = asked(client, name, "explain", limit=2)
    send(client, name, {"id": f"{name}-between", "time": "2026-11-02T10:25:00Z"})
    client.post("/v1/events/void", json={"events": [{"id": f"{name}-3"}], "reason": "test"})
    items, page = list(first["items"]), first
    while page["next_cursor"] is not None:
        page = asked(client, name, "explain", limit=2, cursor=page["next_cursor"])
        assert page["totals"] is None
        assert page["as_of"] == first["as_of"]
        items += page["items"]
    assert [item["id"] for item in items] == [f"{name}-{number}" for number in range(5)]
    assert [item["id"] for item in explained(client, name, limit=2)] == [
        f"{name}-0", f"{name}-1", f"{name}-2", f"{name}-between", f"{name}-4",
    ]  # fmt: skip


def test_a_duration_is_explained_by_intervals_and_what_opened_and_closed_each(client: httpx.Client, name: str) -> None:
    define(client, name, aggregation="duration", series="properties.machine", timeout=5400)
    send(
        client,
        name,
        {"time": "2026-11-02T10:50:00Z", "properties": {"machine": "a"}},
        {"time": "2026-11-02T11:20:00Z", "value": 0, "properties": {"machine": "a"}},
        {"time": "2026-11-02T08:00:00Z", "properties": {"machine": "b"}},
    )
    assert asked(client, name, "explain")["totals"] == [{"group": {}, "value": 3600, "events": 2}]
    items = explained(client, name, limit=1)
    assert [(item["series"], item["start"], item["seconds"], item["level"], item["ending"]) for item in items] == [
        ("b", "2026-11-02T09:00:00Z", 1800, 1, "timeout"),
        ("a", "2026-11-02T10:50:00Z", 1800, 1, "event"),
    ]
    assert items[0]["closed"] is None
    assert [event["id"] for event in items[0]["opened"]["events"]] == [f"{name}-2"]
    assert [event["id"] for event in items[1]["closed"]["events"]] == [f"{name}-1"]


@pytest.mark.parametrize(
    "parameters",
    [
        {"limit": "0"},
        {"limit": "1001"},
        {"cursor": "x"},
        {"from": "x"},
        {"as_of": str(2**63 - 1)},
        {"timezone": "Mars/Base"},
        {"order": "desc"},
        {"version": "7"},
    ],
    ids=str,
)
def test_a_bad_question_is_a_400_that_names_the_parameter(
    client: httpx.Client, name: str, parameters: dict[str, str]
) -> None:
    define(client, name)
    answer = client.get(f"/v1/meters/{name}/explain", params=MORNING | parameters)
    assert answer.status_code == 400, answer.text
    assert next(iter(parameters)) in answer.text


def test_an_unknown_meter_cannot_be_explained_and_an_archived_one_to_who_asks_for_it(
    client: httpx.Client, name: str
) -> None:
    assert client.get(f"/v1/meters/{name}/explain", params=MORNING).status_code == 404
    define(client, name)
    send(client, name, {})
    client.delete(f"/v1/meters/{name}")
    assert client.get(f"/v1/meters/{name}/explain", params=MORNING).status_code == 404
    assert len(explained(client, name, limit=5, include_archived="true")) == 1


@pytest.mark.parametrize(
    ("fields", "status", "field"),
    [
        ({"aggregation": "level", "statistic": "median"}, 422, "statistic"),
        ({"aggregation": "duration", "statistic": "peak"}, 422, "statistic"),
        ({"aggregation": "sum", "timeout": 60}, 422, "timeout"),
        ({"aggregation": "level", "timeout": 0}, 400, "timeout"),
        ({"aggregation": "level", "timeout": 1.5}, 400, "timeout"),
        ({"aggregation": "level", "series": ""}, 400, "series"),
        ({"aggregation": "level", "series": "s" * 290}, 422, "series"),
        ({"aggregation": "running_total", "field": "customer"}, 422, "field"),
        ({"aggregation": "avg", "fields": ["value"]}, 422, "fields"),
    ],
    ids=str,
)
def test_an_option_that_makes_no_sense_is_refused_by_name(
    client: httpx.Client, name: str, fields: dict[str, Any], status: int, field: str
) -> None:
    answer = client.post("/v1/meters", json={"key": name, "event_type": name} | fields)
    assert answer.status_code == status, answer.text
    assert field in answer.text


def test_options_are_shown_changed_and_cleared(client: httpx.Client, name: str) -> None:
    made = define(client, name, aggregation="level", series="host", timeout=60, statistic="low")
    assert (made["series"], made["timeout"], made["statistic"]) == ("host", 60, "low")
    changed = client.patch(f"/v1/meters/{name}", json={"series": None, "timeout": 90}).json()
    assert (changed["series"], changed["timeout"], changed["statistic"]) == (None, 90, "low")


def test_every_aggregation_is_listed_with_its_options(client: httpx.Client) -> None:
    options = {each["name"]: each["options"] for each in client.get("/v1/aggregators").json()["items"]}
    assert {name: options[name] for name in ("avg", "latest", "unique", "running_total", "level", "duration")} == {
        "avg": [],
        "latest": [],
        "unique": ["fields"],
        "running_total": ["series", "timeout", "statistic"],
        "level": ["series", "timeout", "statistic"],
        "duration": ["series", "timeout"],
    }
