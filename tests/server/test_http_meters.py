"""Meters and usage over HTTP."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal
from typing import Any

import httpx
import pytest

RANGE = {"from": "2026-11-01T00:00:00Z", "to": "2026-11-08T00:00:00Z"}


def send(client: httpx.Client, name: str, *events: dict[str, Any]) -> None:  # Any: JSON
    common = {"type": name, "customer": "acme", "time": "2026-11-02T10:00:00Z"}
    body = [common | {"id": f"{name}-{number}"} | event for number, event in enumerate(events)]
    answer = client.post("/v1/events", json=body)
    assert answer.json()["accepted"] == len(events), answer.text


def define(client: httpx.Client, name: str, **fields: object) -> dict[str, Any]:
    answer = client.post("/v1/meters", json={"key": name, "event_type": name, "aggregation": "sum"} | fields)
    assert answer.status_code == 201, answer.text
    return answer.json()


def usage(client: httpx.Client, name: str, **parameters: str | int) -> dict[str, Any]:
    answer = client.get(f"/v1/meters/{name}/usage", params=RANGE | parameters)
    assert answer.status_code == 200, answer.text
    return json.loads(answer.text, parse_float=Decimal)


def listed(client: httpx.Client, limit: int = 1_000, **parameters: str) -> list[str]:
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = client.get("/v1/meters", params=parameters | cursor | {"limit": str(limit)}).json()
        assert len(page["items"]) <= limit
        found += [each["key"] for each in page["items"]]
        if page["next_cursor"] is None:
            return found
        cursor = {"cursor": page["next_cursor"]}


def test_a_meter_covers_events_that_came_before_it_and_after(client: httpx.Client, name: str) -> None:
    send(client, name, {"value": 1}, {"value": 2})
    define(client, name)
    send(client, name, {"value": 4, "id": f"{name}-late"})
    assert usage(client, name)["totals"] == [{"group": {}, "value": 7, "events": 3}]


def test_ten_times_a_tenth_is_one(client: httpx.Client, name: str) -> None:
    define(client, name)
    send(client, name, *[{"value": 0.1}] * 10)
    answer = client.get(f"/v1/meters/{name}/usage", params=RANGE)
    assert '"value":1,' in answer.text


def test_usage_is_grouped_filtered_and_cut(client: httpx.Client, name: str) -> None:
    define(client, name, dimensions=["region"])
    send(
        client,
        name,
        {"value": 5, "properties": {"region": "eu", "n": 1}},
        {"value": 7, "properties": {"region": "us", "n": 1.0}},
        {"value": 9, "properties": {"n": "1"}},
        {"value": 100, "properties": {"n": 2}},
    )
    answer = usage(client, name, group_by="region", order="desc", **{"filter[n]": "1"})
    assert [(row["group"]["region"], row["value"]) for row in answer["totals"]] == [("eu", 5), ("us", 7), (None, 9)]
    assert [
        row["value"] for row in usage(client, name, group_by="region", limit=1, **{"filter[n]": "1"})["totals"]
    ] == [9]


def test_windows_follow_the_local_calendar_and_are_answered_in_utc(client: httpx.Client, name: str) -> None:
    define(client, name)
    send(client, name, {"time": "2026-11-02T22:59:59Z"}, {"time": "2026-11-02T23:00:00Z"})
    rows = usage(client, name, window="day", timezone="Europe/Berlin")["rows"]
    assert [(row["start"], row["events"]) for row in rows] == [("2026-11-01T23:00:00Z", 1), ("2026-11-02T23:00:00Z", 1)]


def test_a_range_is_never_widened(client: httpx.Client, name: str) -> None:
    define(client, name)
    send(client, name, {"time": "2026-11-02T10:00:00Z"}, {"time": "2026-11-02T10:30:00Z"})
    answer = usage(client, name, **{"from": "2026-11-02T10:00:00.001Z", "window": "day"})
    assert [row["events"] for row in answer["rows"]] == [1]
    assert answer["rows"][0]["start"] == "2026-11-02T10:00:00.001Z"


def test_fill_zero_has_a_row_for_every_window(client: httpx.Client, name: str) -> None:
    define(client, name)
    send(client, name, {"value": 3})
    assert [row["value"] for row in usage(client, name, window="day", fill="zero")["rows"]] == [0, 3, 0, 0, 0, 0, 0]


def test_as_of_answers_what_was_known_then(client: httpx.Client, name: str) -> None:
    define(client, name)
    send(client, name, {"value": 3})
    head = client.get("/v1/log/head").json()["position"]
    before = client.get(f"/v1/meters/{name}/usage", params=RANGE | {"as_of": head}).text
    send(client, name, {"value": 5, "id": f"{name}-later"})
    client.post("/v1/events/void", json={"events": [{"id": f"{name}-0"}], "reason": "test"})
    assert client.get(f"/v1/meters/{name}/usage", params=RANGE | {"as_of": head}).text == before
    assert usage(client, name)["totals"][0]["value"] == 5


def test_csv_is_answered_to_who_accepts_it_and_runs_nothing(client: httpx.Client, name: str) -> None:
    define(client, name)
    send(client, name, {"value": 1.5, "customer": '=HYPERLINK("x")'})
    answer = client.get(
        f"/v1/meters/{name}/usage", params=RANGE | {"group_by": "customer"}, headers={"accept": "text/csv"}
    )
    assert answer.headers["content-type"].startswith("text/csv")
    (row,) = csv.DictReader(io.StringIO(answer.text))
    assert row["customer"] == '\'=HYPERLINK("x")'
    assert (row["value"], row["events"]) == ("1.5", "1")


def test_an_answer_that_nobody_accepts_is_a_406(client: httpx.Client, name: str) -> None:
    define(client, name)
    assert client.get(f"/v1/meters/{name}/usage", params=RANGE, headers={"accept": "image/png"}).status_code == 406


@pytest.mark.parametrize(
    "parameters",
    [
        {"window": "fortnight"},
        {"timezone": "Mars/Base"},
        {"from": "x"},
        {"from": "2026-11-09T00:00:00Z"},
        {"limit": "0"},
        {"order": "up"},
        {"fill": "one"},
        {"as_of": "-1"},
        {"as_of": "x"},
        {"group_by": "a,,b"},
        {"windw": "day"},
        {"window": "minute", "from": "1970-01-01T00:00:00Z", "fill": "zero"},
    ],
    ids=str,
)
def test_a_bad_question_is_a_400(client: httpx.Client, name: str, parameters: dict[str, str]) -> None:
    define(client, name)
    answer = client.get(f"/v1/meters/{name}/usage", params=RANGE | parameters)
    assert answer.status_code == 400, answer.text


def test_several_questions_are_answered_in_order(client: httpx.Client, name: str) -> None:
    define(client, name)
    define(client, f"{name}-count", event_type=name, aggregation="count")
    send(client, name, {"value": 5}, {"value": 6})
    queries = [
        {"meter": f"{name}-count"} | RANGE,
        {"meter": name, "group_by": ["customer"], "filter": {"customer": "acme"}} | RANGE,
    ]
    answers = client.post("/v1/usage", json={"queries": queries}).json()["answers"]
    assert [(answer["meter"], answer["totals"][0]["value"]) for answer in answers] == [(f"{name}-count", 2), (name, 11)]


def test_a_preview_answers_and_saves_nothing(client: httpx.Client, name: str) -> None:
    send(client, name, {"properties": {"tokens": 40}}, {"properties": {"tokens": "2"}})
    meter = {"event_type": name, "aggregation": "sum", "field": "properties.tokens"}
    answer = client.post("/v1/meters/preview", json={"meter": meter, "query": RANGE})
    assert answer.json()["totals"][0]["value"] == 42, answer.text
    assert "preview" not in listed(client)
    assert client.post("/v1/meters", json=meter | {"key": "preview"}).status_code == 422


def test_a_patch_changes_what_it_names_and_nothing_else(client: httpx.Client, name: str) -> None:
    before = define(client, name, unit="token", filter={"model": ["large", "small"], "region": "eu"}, dimensions=["a"])
    after = client.patch(
        f"/v1/meters/{name}", json={"name": "New", "unit": None, "filter": {"model": None, "cached": True}}
    ).json()
    assert after["name"] == "New"
    assert after["unit"] is None
    assert after["filter"] == {"region": ["eu"], "cached": ["true"]}
    assert after["dimensions"] == ["a"]
    assert after["version"] == before["version"] + 1
    assert after["created_at"] == before["created_at"]


def test_an_archived_meter_is_listed_and_read_by_those_who_ask_for_it(client: httpx.Client, name: str) -> None:
    define(client, name)
    send(client, name, {"value": 3})
    assert client.delete(f"/v1/meters/{name}").json()["archived_at"]
    assert client.delete(f"/v1/meters/{name}").status_code == 200
    keys = listed(client)
    assert name not in keys
    assert name in listed(client, include_archived="true")
    assert client.get(f"/v1/meters/{name}").status_code == 404
    assert client.get(f"/v1/meters/{name}/usage", params=RANGE).status_code == 404
    assert usage(client, name, include_archived="true")["totals"][0]["value"] == 3


def test_a_meter_that_breaks_a_rule_is_a_422_that_names_the_field(client: httpx.Client, name: str) -> None:
    answer = client.post("/v1/meters", json={"key": name, "event_type": name, "aggregation": "median"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "aggregation"
    assert (
        client.post("/v1/meters", json={"key": "no spaces", "event_type": name, "aggregation": "sum"}).status_code
        == 400
    )


def test_a_meter_is_not_defined_twice(client: httpx.Client, name: str) -> None:
    define(client, name)
    assert client.post("/v1/meters", json={"key": name, "event_type": name, "aggregation": "sum"}).status_code == 409


def test_every_aggregation_is_listed(client: httpx.Client) -> None:
    names = [each["name"] for each in client.get("/v1/aggregators").json()["items"]]
    assert names == sorted(names)
    assert {"count", "sum", "min", "max", "unique"} <= set(names)


def test_a_changed_meter_makes_a_version_and_figures_name_the_one_that_made_them(
    client: httpx.Client, name: str
) -> None:
    define(client, name)
    send(client, name, {"value": 3}, {"value": 4})
    head = client.get("/v1/log/head").json()["position"]
    then = client.get(f"/v1/meters/{name}/usage", params=RANGE | {"as_of": head}).text
    changed = client.patch(f"/v1/meters/{name}", json={"aggregation": "count"})
    assert changed.json()["version"] == 2
    assert (usage(client, name)["meter_version"], usage(client, name)["totals"][0]["value"]) == (2, 2)
    assert client.get(f"/v1/meters/{name}/usage", params=RANGE | {"as_of": head}).text == then
    older = usage(client, name, version=1)
    assert (older["meter_version"], older["totals"][0]["value"]) == (1, 7)
    posted = client.post("/v1/usage", json={"queries": [{"meter": name, "version": 1} | RANGE]}).json()["answers"]
    assert posted[0]["totals"][0]["value"] == 7
    refused = client.get(f"/v1/meters/{name}/usage", params=RANGE | {"version": 3})
    assert refused.status_code == 400
    assert refused.json()["errors"] == [{"pointer": "version", "detail": f"the meter '{name}' has the versions 1 to 2"}]


def test_versions_of_a_meter_are_listed_newest_first_with_their_positions(client: httpx.Client, name: str) -> None:
    define(client, name)
    first = client.get("/v1/log/head").json()["position"]
    client.patch(f"/v1/meters/{name}", json={"aggregation": "count"})
    client.patch(f"/v1/meters/{name}", json={"name": "Counted"})
    page = client.get(f"/v1/meters/{name}/versions", params={"limit": 2}).json()
    assert [(each["version"], each["aggregation"], each["name"]) for each in page["items"]] == [
        (3, "count", "Counted"),
        (2, "count", name),
    ]
    rest = client.get(f"/v1/meters/{name}/versions", params={"limit": 2, "cursor": page["next_cursor"]}).json()
    assert [(each["version"], each["position"], each["aggregation"]) for each in rest["items"]] == [(1, first, "sum")]
    assert rest["next_cursor"] is None
    assert page["items"][0] == client.get(f"/v1/meters/{name}").json() | {"position": page["items"][0]["position"]}
    assert client.get(f"/v1/meters/{name}-no/versions").status_code == 404
    assert client.get(f"/v1/meters/{name}/versions", params={"cursor": "x"}).status_code == 400
    client.delete(f"/v1/meters/{name}")
    assert client.get(f"/v1/meters/{name}/versions").status_code == 404
    archived = client.get(f"/v1/meters/{name}/versions", params={"include_archived": "true"}).json()
    assert archived["items"][0]["archived_at"] is not None


def test_usage_stands_beside_that_of_the_period_before(client: httpx.Client, name: str) -> None:
    define(client, name)
    send(
        client,
        name,
        {"time": "2026-10-26T10:00:00Z", "value": 4, "customer": "gone"},
        {"time": "2026-10-27T10:00:00Z", "value": 3},
        {"time": "2026-11-03T10:00:00Z", "value": 4},
    )
    answer = usage(client, name, compare="previous", group_by="customer", window="day")
    assert answer["compared_with"] == {"from": "2026-10-25T00:00:00Z", "to": "2026-11-01T00:00:00Z"}
    assert answer["totals"] == [
        {
            "group": {"customer": "acme"},
            "value": 4,
            "events": 1,
            "previous": 3,
            "change": 1,
            "change_percent": Decimal("33.3333"),
        },
        {
            "group": {"customer": "gone"},
            "value": 0,
            "events": 0,
            "previous": 4,
            "change": -4,
            "change_percent": -100,
        },
    ]
    assert [(row["start"], row["value"], row["previous"]) for row in answer["rows"]] == [
        ("2026-11-03T00:00:00Z", 4, 3),
        ("2026-11-02T00:00:00Z", 0, 4),
    ]
    assert "previous" not in usage(client, name)["totals"][0]
    queries = [{"meter": name, "compare": "previous"} | RANGE]
    posted = client.post("/v1/usage", json={"queries": queries}).json()["answers"][0]["totals"]
    assert posted == [{"group": {}, "value": 4, "events": 1, "previous": 7, "change": -3, "change_percent": -42.8571}]
    lines = client.get(
        f"/v1/meters/{name}/usage", params=RANGE | {"compare": "previous"}, headers={"accept": "text/csv"}
    ).text.split("\r\n")
    assert lines[:2] == [
        "start,end,value,events,previous,change,change_percent",
        "2026-11-01T00:00:00Z,2026-11-08T00:00:00Z,4,1,7,-3,-42.8571",
    ]


@pytest.mark.parametrize(
    ("fault", "status", "pointer"),
    [
        ({"meter": "no-such-meter"}, 404, "queries[1].meter"),
        ({"timezone": "Mars/Base"}, 400, "queries[1].timezone"),
        ({"from": "yesterday"}, 400, "queries[1].from"),
        ({"to": "2026-10-01T00:00:00Z"}, 400, "queries[1].to"),
        ({"filter": {"region": []}}, 400, "queries[1].filter"),
        ({"version": 9}, 400, "queries[1].version"),
        ({"as_of": 2**62}, 400, "queries[1].as_of"),
    ],
    ids=str,
)
def test_one_of_several_questions_that_cannot_be_answered_is_named(
    client: httpx.Client, name: str, fault: dict[str, Any], status: int, pointer: str
) -> None:
    define(client, name)
    good = {"meter": name} | RANGE
    answer = client.post("/v1/usage", json={"queries": [good, good | fault]})
    assert answer.status_code == status, answer.text
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert answer.json()["detail"].startswith("queries[1]: ")


def test_at_most_fifty_questions_are_taken_at_once(client: httpx.Client, name: str) -> None:
    define(client, name)
    query = {"meter": name} | RANGE
    assert client.post("/v1/usage", json={"queries": [query] * 50}).status_code == 200
    for queries in ([], [query] * 51):
        refused = client.post("/v1/usage", json={"queries": queries})
        assert refused.status_code == 400
        assert "queries" in refused.text


def test_a_preview_takes_everything_that_usage_takes(client: httpx.Client, name: str) -> None:
    send(
        client,
        name,
        {"value": 1, "customer": "a", "properties": {"region": "eu"}},
        {"value": 5, "customer": "b", "properties": {"region": "eu"}},
        {"value": 9, "customer": "c", "properties": {"region": "us"}},
        {"value": 2, "customer": "b", "time": "2026-10-27T10:00:00Z", "properties": {"region": "eu"}},
    )
    head = client.get("/v1/log/head").json()["position"]
    query: dict[str, Any] = RANGE | {
        "window": "day",
        "timezone": "Europe/Berlin",
        "group_by": "customer",
        "filter": {"region": "eu"},
        "order": "desc",
        "limit": 1,
        "fill": "zero",
        "compare": "previous",
        "as_of": head,
    }
    meter = {"event_type": name, "aggregation": "sum"}
    answer = client.post("/v1/meters/preview", json={"meter": meter, "query": query})
    (total,) = answer.json()["totals"]
    assert (total["group"], total["value"], total["previous"]) == ({"customer": "b"}, 5, 2)
    # From 01:00 in Berlin: eight pieces of seven days.
    assert len(answer.json()["rows"]) == 8
    define(client, name)
    parameters: dict[str, Any] = {key: value for key, value in query.items() if key != "filter"}
    parameters["filter[region]"] = "eu"
    same = client.get(f"/v1/meters/{name}/usage", params=parameters)
    assert same.json() | {"meter": "preview"} == answer.json()
    lines = client.post(
        "/v1/meters/preview", json={"meter": meter, "query": query}, headers={"accept": "text/csv"}
    ).text.split("\r\n")
    assert len(lines) == 10
    refused = client.post("/v1/meters/preview", json={"meter": meter, "query": query | {"version": 1}})
    assert refused.status_code == 400


def test_events_that_a_meter_skips_are_listed_with_their_reasons(client: httpx.Client, name: str) -> None:
    define(client, name, field="properties.tokens", filter={"region": "eu"})
    send(
        client,
        name,
        {"properties": {"region": "eu", "tokens": "many"}},
        {"properties": {"region": "eu"}, "time": "2026-11-02T11:00:00Z"},
        {"properties": {"region": "eu", "tokens": "1.50"}},
        {"properties": {"region": "us"}},
    )
    page = client.get(f"/v1/meters/{name}/skipped", params=RANGE | {"limit": 1}).json()
    (newest,) = page["items"]
    assert newest["id"] == f"{name}-1"
    assert newest["reasons"] == [
        {"field": "properties.tokens", "code": "missing", "detail": "the event has no properties.tokens"}
    ]
    rest = client.get(f"/v1/meters/{name}/skipped", params=RANGE | {"cursor": page["next_cursor"]}).json()
    assert [(each["id"], each["reasons"][0]["code"]) for each in rest["items"]] == [(f"{name}-0", "not_a_number")]
    assert rest["next_cursor"] is None
    assert client.get(f"/v1/meters/{name}-no/skipped", params=RANGE).status_code == 404
    for wrong in ({"limit": 0}, {"cursor": "x"}, {"to": "2026-10-01T00:00:00Z"}, {"from": "soon"}, {"window": "day"}):
        refused = client.get(f"/v1/meters/{name}/skipped", params=RANGE | wrong)
        assert refused.status_code == 400, wrong
        assert next(iter(wrong)) in refused.json()["errors"][0]["pointer"]


def test_a_meter_that_is_not_saved_says_which_events_it_would_skip(client: httpx.Client, name: str) -> None:
    send(
        client, name,
        {"time": "2026-11-02T10:00:00Z", "properties": {"tokens": "many"}},
        {"time": "2026-11-03T10:00:00Z", "properties": {}},
        {"time": "2026-11-03T11:00:00Z", "properties": {"tokens": 7}},
    )  # fmt: skip
    meter = {"event_type": name, "aggregation": "sum", "field": "properties.tokens"}
    url = "/v1/meters/preview/skipped"
    first = client.post(url, json={"meter": meter, "query": RANGE | {"limit": 1}}).json()
    assert [(each["id"], each["reasons"][0]["code"]) for each in first["items"]] == [(f"{name}-1", "missing")]
    rest = client.post(url, json={"meter": meter, "query": RANGE | {"cursor": first["next_cursor"]}}).json()
    assert [(each["id"], each["reasons"][0]["code"]) for each in rest["items"]] == [(f"{name}-0", "not_a_number")]
    none = client.post(url, json={"meter": meter | {"field": "value"}, "query": RANGE})
    assert (none.status_code, none.json()["items"]) == (200, [])
    wrong = client.post(url, json={"meter": meter | {"aggregation": "guess"}, "query": RANGE})
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "aggregation")
    assert client.post(url, json={"meter": meter, "query": RANGE | {"limit": 0}}).status_code == 400


def test_meters_are_listed_page_by_page_in_the_order_of_their_keys(client: httpx.Client, name: str) -> None:
    for suffix in ("b", "a", "c.d", "c"):
        define(client, f"{name}-{suffix}", event_type=name)
    keys = listed(client)
    assert keys == sorted(keys)
    assert [key for key in keys if key.startswith(f"{name}-")] == [f"{name}-{each}" for each in ("a", "b", "c", "c.d")]
    assert listed(client, limit=3) == keys
    for foreign in ("x", "bWV0ZXIA", "é", "====="):
        assert client.get("/v1/meters", params={"cursor": foreign}).status_code == 400


def test_what_a_meter_can_be_grouped_by_is_found_in_its_events(client: httpx.Client, name: str) -> None:
    define(client, name, filter={"region": ["eu", "us"]})
    send(
        client,
        name,
        {"properties": {"region": "eu", "tokens": 1.50}, "customer": "bolt"},
        {"properties": {"region": "eu", "cached": True}},
        {"properties": {"region": "us"}},
        {"properties": {"region": "ap", "tokens": 7}},
    )
    answer = client.get(f"/v1/meters/{name}/dimensions", params=RANGE).json()
    assert (answer["meter"], answer["event_type"], answer["events"], answer["complete"]) == (name, name, 3, True)
    found = {item["name"]: [(each["value"], each["events"]) for each in item["values"]] for item in answer["items"]}
    assert list(found) == ["customer", "cached", "region", "tokens"]
    assert (found["region"], found["tokens"]) == ([("eu", 2), ("us", 1)], [("1.5", 1)])
    one = client.get(f"/v1/meters/{name}/dimensions", params={"name": "region", "values": 1}).json()
    assert one["items"] == [{"name": "region", "events": 3, "distinct": 2, "values": [{"value": "eu", "events": 2}]}]
    assert one["from"] == "1970-01-01T00:00:00Z"
    assert client.get(f"/v1/meters/{name}-no/dimensions").status_code == 404
    for wrong in ({"values": 1001}, {"values": "few"}, {"name": ""}, {"to": "2026-10-01T00:00:00Z"}, {"from": "soon"}):
        refused = client.get(f"/v1/meters/{name}/dimensions", params=RANGE | wrong)
        assert refused.status_code == 400, wrong
        assert next(iter(wrong)) in refused.json()["errors"][0]["pointer"]
