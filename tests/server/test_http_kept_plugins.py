"""The plugins that are kept here, installed as their users install them, on a running appliance."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from decimal import ROUND_CEILING, Decimal
from typing import Any

import httpx
import pytest

from tests.server.test_http_meters import RANGE, define, send, usage

REGIONS = ("eu", "us", None)
MODELS = ("large", "small", "other")
PRICES = {"large": Decimal("0.015"), "small": Decimal("0.002"), "other": Decimal(1)}
WEIGHTED = {"property": "model", "weights": {"large": "0.015", "small": 0.002}, "otherwise": 1}


def events() -> Iterator[dict[str, Any]]:  # Any: JSON
    for number in range(240):
        region = REGIONS[number % 3]
        yield {
            "time": f"2026-11-0{2 + number % 5}T{number % 24:02}:30:00Z",
            "customer": f"c{number % 4}",
            "value": number * 7919 % 1_009 / 8,
            "properties": {"model": MODELS[number // 3 % 3]} | ({} if region is None else {"region": region}),
        }


EVENTS = list(events())


def nearest_rank(chosen: list[dict[str, Any]], p: int) -> Decimal:
    values = sorted(Decimal(event["value"]) for event in chosen)
    return values[int((Decimal(p) * len(values) / 100).to_integral_value(ROUND_CEILING)) - 1]


def p95(chosen: list[dict[str, Any]]) -> Decimal:
    return nearest_rank(chosen, 95)


def priced(chosen: list[dict[str, Any]]) -> Decimal:
    return sum((Decimal(event["value"]) * PRICES[event["properties"]["model"]] for event in chosen), Decimal(0))


@pytest.fixture
def asked(client: httpx.Client, name: str) -> str:
    send(client, name, *EVENTS)
    define(client, f"{name}.p95", event_type=name, aggregation="percentile", options={"p": 95})
    define(client, f"{name}.priced", event_type=name, aggregation="weighted", options=WEIGHTED)
    return name


@pytest.mark.parametrize(("meter", "expected"), [("p95", p95), ("priced", priced)])
def test_figures_are_those_of_plain_python_in_every_window_and_group(
    client: httpx.Client, asked: str, meter: str, expected: Callable[[list[dict[str, Any]]], Decimal]
) -> None:
    key = f"{asked}.{meter}"
    assert usage(client, key)["totals"] == [{"group": {}, "value": expected(EVENTS), "events": 240}]
    answer = usage(client, key, window="day", group_by="region,customer", **{"filter[model]": "large"})
    found = {(row["start"][:10], *row["group"].values()): (row["value"], row["events"]) for row in answer["rows"]}
    by_key: dict[tuple[str | None, ...], list[dict[str, Any]]] = {}
    for event in EVENTS:
        if event["properties"]["model"] == "large":
            place = (event["time"][:10], event["properties"].get("region"), event["customer"])
            by_key.setdefault(place, []).append(event)
    assert found == {place: (expected(chosen), len(chosen)) for place, chosen in by_key.items()}
    top = usage(client, key, group_by="customer", limit=1, order="asc")["totals"]
    totals = {f"c{place}": expected(EVENTS[place::4]) for place in range(4)}
    smallest = min(totals, key=lambda customer: (totals[customer], customer))
    assert [(row["group"]["customer"], row["value"]) for row in top] == [(smallest, totals[smallest])]


def test_a_plugin_answers_as_csv_and_in_a_preview(client: httpx.Client, asked: str) -> None:
    answer = client.get(
        f"/v1/meters/{asked}.p95/usage", params=RANGE | {"group_by": "region"}, headers={"accept": "text/csv"}
    )
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["region"] for row in rows] == ["eu", "us", ""]
    assert [Decimal(row["value"]) for row in rows] == [nearest_rank(EVENTS[place::3], 95) for place in range(3)]
    meter = {"event_type": asked, "aggregation": "percentile", "options": {"p": 100}}
    preview = client.post("/v1/meters/preview", json={"meter": meter, "query": RANGE})
    assert preview.json()["totals"][0]["value"] == max(event["value"] for event in EVENTS)


def test_late_events_and_voids_change_a_plugins_figure_and_an_older_position_does_not(
    client: httpx.Client, asked: str
) -> None:
    url, head = f"/v1/meters/{asked}.priced/usage", client.get("/v1/log/head").json()["position"]
    before = client.get(url, params=RANGE | {"as_of": head}).text
    late = {"id": f"{asked}-late", "time": "2026-11-02T00:00:00Z", "value": 1_000, "properties": {"model": "large"}}
    send(client, asked, late)
    assert usage(client, f"{asked}.priced")["totals"][0]["value"] == priced([*EVENTS, late])
    assert client.post("/v1/events/void", json={"events": [{"id": f"{asked}-7"}], "reason": "test"}).status_code == 200
    assert usage(client, f"{asked}.priced")["totals"][0]["value"] == priced([*EVENTS[:7], *EVENTS[8:], late])
    assert client.get(url, params=RANGE | {"as_of": head}).text == before


def test_windows_without_an_event_are_filled_with_what_the_plugin_says(client: httpx.Client, asked: str) -> None:
    filled = {
        meter: usage(client, f"{asked}.{meter}", window="day", fill="zero")["rows"] for meter in ("p95", "priced")
    }
    assert [filled["p95"][0]["value"], filled["priced"][0]["value"]] == [None, 0]


def test_both_are_listed_with_the_schema_of_their_options(client: httpx.Client) -> None:
    items = json.loads(client.get("/v1/aggregators").text)["items"]
    listed = {each["name"]: each for each in items if each["source"] == "plugin"}
    assert {name: each["package"] for name, each in listed.items()} == {
        "percentile": "tallystick-percentile",
        "weighted": "tallystick-weighted",
    }
    options = listed["percentile"]["options_schema"]["$defs"]["PercentileOptions"]
    assert options["required"] == ["p"]
    assert options["properties"]["p"]["maximum"] == 100
    assert options["properties"]["accuracy"]["default"] in {"0.01", 0.01}
