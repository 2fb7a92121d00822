"""Signals over HTTP, on a real appliance: defined, changed, looked at, snoozed; and what is refused, in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import monotonic, sleep
from typing import Any

import httpx
import pytest

from tests.appliance import Appliance

CAP = {
    "key": "cap",
    "name": "Cap",
    "meter": "calls",
    "scope": {"customer": "*"},
    "condition": {"type": "threshold", "limit": 4, "thresholds": [50, 100]},
    "channels": ["ops"],
}


@pytest.fixture
def watched(start_appliance: Callable[..., Appliance]) -> Appliance:
    return prepared(start_appliance(allowed_networks="127.0.0.0/8"))


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Appliance]:
    """Start one appliance for tests that leave nothing behind."""
    directory = tmp_path_factory.mktemp("signals")
    with Appliance(directory, settings={"allowed_networks": "127.0.0.0/8"}) as running:
        yield prepared(running)


def prepared(appliance: Appliance) -> Appliance:
    call = appliance.client.post
    meter = {"key": "calls", "event_type": "call", "aggregation": "count"}
    assert call("/v1/meters", json=meter).status_code == 201
    channel = {"key": "ops", "kind": "webhook", "url": "http://127.0.0.1:9/"}
    assert call("/v1/channels", json=channel).status_code == 201
    return appliance


def define(appliance: Appliance, **fields: Any) -> httpx.Response:  # Any: JSON
    return appliance.client.post("/v1/signals", json=CAP | fields)


def cross(appliance: Appliance, *customers: str) -> None:
    """Let each customer have three calls, so that `CAP` is at level 1 of two, and wait until it was noticed."""
    calls = [
        {"id": f"{customer}-{n}", "type": "call", "customer": customer} for customer in customers for n in (1, 2, 3)
    ]
    assert appliance.client.post("/v1/events", json=calls).json()["accepted"] == len(calls)
    ends_at = monotonic() + 30
    while set(customers) - {each["customer"] for each in fired(appliance)}:
        assert monotonic() < ends_at, appliance.log
        sleep(0.05)


def fired(appliance: Appliance, **narrowed: str) -> list[dict[str, Any]]:  # Any: JSON
    return appliance.client.get("/v1/signals/fired", params=narrowed).json()["items"]


def detail(answer: httpx.Response) -> str:
    assert answer.status_code == 422, answer.text
    return str(answer.json()["detail"])


def test_a_signal_comes_back_as_it_was_given(watched: Appliance) -> None:
    made = define(watched)
    assert made.status_code == 201, made.text
    signal = made.json()
    assert signal.pop("created_at") == signal.pop("updated_at")
    assert signal == CAP | {
        "measure": "usage",
        "filter": {},
        "group_by": [],
        "period": "month",
        "timezone": "UTC",
        "condition": {"type": "threshold", "op": ">=", "limit": 4, "thresholds": [50, 100]},
        "digest": "none",
        "template": None,
        "enabled": True,
        "owner": None,
        "snoozed_until": None,
        "version": 1,
    }
    assert watched.client.get("/v1/signals/cap").json() == made.json()
    assert watched.client.get("/v1/signals").json() == {"items": [made.json()], "next_cursor": None}
    assert define(watched).status_code == 409


@pytest.mark.parametrize(
    ("given", "answered"),
    [
        (
            {"type": "threshold", "op": ">=", "value": 100000},
            {"type": "threshold", "op": ">=", "value": 100000},
        ),
        (
            {"type": "threshold", "op": "<", "value": "0.000000000001"},
            {"type": "threshold", "op": "<", "value": 1e-12},
        ),
        (
            {"type": "percent_change", "value": 50, "direction": "down", "floor": 10},
            {"type": "percent_change", "value": 50, "direction": "down", "floor": 10},
        ),
        ({"type": "absolute_change", "value": 5}, {"type": "absolute_change", "value": 5, "direction": "any"}),
        ({"type": "no_data", "silence_s": 3600}, {"type": "no_data", "silence_s": 3600}),
    ],
)
def test_a_condition_is_answered_with_what_means_something_for_it(
    shared: Appliance, given: dict[str, object], answered: dict[str, object]
) -> None:
    made = define(shared, condition=given)
    assert made.status_code == 201, made.text
    assert made.json()["condition"] == answered
    assert shared.client.delete("/v1/signals/cap").status_code == 204


def test_a_patch_merges_and_a_condition_with_a_type_takes_the_place_of_the_other(watched: Appliance) -> None:
    define(watched, filter={"region": ["eu"], "model": "large"})

    def patch(**fields: Any) -> dict[str, Any]:  # Any: JSON
        answer = watched.client.patch("/v1/signals/cap", json=fields)
        assert answer.status_code == 200, answer.text
        return answer.json()

    assert patch(condition={"limit": 8})["condition"]["thresholds"] == [50, 100]
    assert patch(condition={"limit": None, "thresholds": [3]})["condition"] == {
        "type": "threshold",
        "op": ">=",
        "thresholds": [3],
    }
    assert patch(condition={"type": "no_data", "silence_s": 60})["condition"] == {"type": "no_data", "silence_s": 60}
    assert patch(filter={"model": None})["filter"] == {"region": ["eu"]}
    changed = patch(scope={"customer": "acme"}, name=None, channels=None, timezone="customer", digest="daily")
    assert (changed["scope"], changed["name"], changed["channels"]) == ({"customer": "acme"}, None, [])
    assert (changed["timezone"], changed["digest"], changed["version"]) == ("customer", "daily", 6)
    assert patch(enabled=False)["enabled"] is False


def test_signals_are_paged_by_key_and_narrowed_by_meter(watched: Appliance) -> None:
    watched.client.post("/v1/meters", json={"key": "other", "event_type": "x", "aggregation": "count"})
    for key in ("c", "a", "b"):
        define(watched, key=key, meter="other" if key == "b" else "calls")
    page = watched.client.get("/v1/signals", params={"limit": 2}).json()
    assert [item["key"] for item in page["items"]] == ["a", "b"]
    rest = watched.client.get("/v1/signals", params={"limit": 2, "cursor": page["next_cursor"]}).json()
    assert ([item["key"] for item in rest["items"]], rest["next_cursor"]) == (["c"], None)
    narrowed = watched.client.get("/v1/signals", params={"meter": "other"}).json()
    assert [item["key"] for item in narrowed["items"]] == ["b"]
    assert watched.client.get("/v1/signals", params={"cursor": "bm9uZQ"}).status_code == 400


def test_a_deleted_signal_is_gone_and_frees_its_channel(watched: Appliance) -> None:
    define(watched)
    assert watched.client.delete("/v1/channels/ops").status_code == 422
    assert watched.client.delete("/v1/signals/cap").status_code == 204
    assert watched.client.get("/v1/signals/cap").status_code == 404
    assert watched.client.delete("/v1/signals/cap").status_code == 404
    assert watched.client.delete("/v1/channels/ops").status_code == 204


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"measure": "cost"}, "measure: cost comes with rate cards"),
        ({"meter": "nobody"}, "there is no meter 'nobody'"),
        ({"channels": ["nowhere"]}, "there is no channel 'nowhere'"),
        ({"key": "fired"}, "route of its own"),
        ({"key": "preview"}, "route of its own"),
        ({"timezone": "Europe/Nowhere"}, "no IANA time zone"),
        ({"scope": {}, "timezone": "customer"}, "all together have no zone"),
        ({"group_by": ["customer"]}, 'scope.customer is "*"'),
        ({"group_by": ["a", "b", "c", "d", "e"]}, "more than 4"),
        ({"condition": {"type": "threshold"}}, "needs a value"),
        ({"condition": {"type": "threshold", "value": 1, "limit": 2}}, "either one value"),
        ({"condition": {"type": "threshold", "value": "NaN"}}, "is no number"),
        ({"condition": {"type": "threshold", "value": "1e999999999"}}, "digits before the point"),
        ({"condition": {"type": "threshold", "value": "0.0000000000001"}}, "more than 12 decimals"),
        ({"condition": {"type": "threshold", "limit": 4, "thresholds": [0]}}, "percent of a limit lie above 0"),
        ({"condition": {"type": "percent_change"}}, "needs its size in percent"),
        ({"condition": {"type": "percent_change", "value": 5, "silence_s": 60}}, "means nothing for percent_change"),
        ({"condition": {"type": "no_data"}}, "needs the seconds of silence"),
        ({"condition": {"type": "no_data", "silence_s": 60}, "scope": {"customer": None}}, "is an outage"),
        ({"template": "{{ who"}, "template"),
        ({"template": "{{ ''.__class__.__mro__ }}"}, "template"),
        ({"template": "{{ who }}", "digest": "daily"}, "leave out template or digest"),
    ],
)
def test_what_is_no_signal_is_refused_with_the_reason(shared: Appliance, fields: dict[str, Any], said: str) -> None:
    assert said in detail(define(shared, **fields))
    assert shared.client.get("/v1/signals").json()["items"] == []


def test_a_body_of_another_shape_is_refused_by_the_name_of_its_field(shared: Appliance) -> None:
    answer = define(shared, condition={"type": "treshold"})
    assert answer.status_code == 400
    assert "absolute_change, no_data, percent_change, threshold" in answer.json()["detail"]
    answer = define(shared, condition={"type": "threshold", "valeu": 3})
    assert "valeu" in answer.json()["detail"]


def test_who_crossed_is_in_states_history_and_the_list_of_what_is_fired(watched: Appliance) -> None:
    define(watched)
    define(watched, key="quiet", condition={"type": "threshold", "value": 1000})
    cross(watched, "acme")
    cross(watched, "beta")
    client = watched.client
    states = client.get("/v1/signals/cap/states").json()["items"]
    assert sorted((each["customer"], each["state"], each["level"]) for each in states) == [
        ("acme", "fired", 1),
        ("beta", "fired", 1),
    ]
    page = client.get("/v1/signals/cap/history", params={"customer": "acme", "kind": "fired"}).json()
    (step,) = page["items"]
    assert (step["figure"], step["threshold"], step["percent"], step["limit"]) == (3, 2, 50, 4)
    assert (step["kind"], step["reason"], step["level"], step["group"]) == ("fired", "usage", 1, {})
    page = client.get("/v1/signals/fired").json()
    assert (page["count"], [each["customer"] for each in page["items"]]) == (2, ["beta", "acme"])
    assert page["items"][1]["since"] == step["at"]
    assert {name: page["items"][1][name] for name in ("signal", "name", "meter", "figure", "state")} == {
        "signal": "cap",
        "name": "Cap",
        "meter": "calls",
        "figure": 3,
        "state": "fired",
    }
    assert fired(watched, signal="quiet") == []
    assert client.get("/v1/signals/fired", params={"signal": "nobody"}).status_code == 404
    assert [each["customer"] for each in fired(watched, customer="acme")] == ["acme"]


def test_what_is_fired_is_paged_to_its_end(watched: Appliance) -> None:
    define(watched)
    cross(watched, *(f"c{number}" for number in range(5)))
    found: list[str] = []
    cursor = None
    while True:
        params = {"limit": 2} | ({} if cursor is None else {"cursor": cursor})
        page = watched.client.get("/v1/signals/fired", params=params).json()
        found += [each["customer"] for each in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert sorted(found) == ["c0", "c1", "c2", "c3", "c4"]
    assert watched.client.get("/v1/signals/fired", params={"cursor": "xyz"}).status_code == 400


def test_a_snoozed_subject_says_so_and_wakes(watched: Appliance) -> None:
    define(watched)
    cross(watched, "acme")
    cross(watched, "beta")

    def snooze(**body: Any) -> dict[str, Any]:  # Any: JSON
        answer = watched.client.post("/v1/signals/cap/snooze", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    snoozed = snooze(customer="acme", for_s=3600)
    assert (snoozed["customer"], snoozed["state"], snoozed["level"]) == ("acme", "snoozed", 1)
    states = {each["customer"]: each for each in watched.client.get("/v1/signals/cap/states").json()["items"]}
    assert (states["acme"], states["beta"]["state"]) == (snoozed, "fired")
    open_now = {each["customer"]: each for each in fired(watched)}
    assert (open_now["acme"]["state"], open_now["acme"]["since"]) == ("snoozed", snoozed["since"])
    assert snooze(customer="acme", until=None)["state"] == "fired"
    everybody = snooze(until="2100-01-01T00:00:00Z")
    assert (everybody["customer"], everybody["snoozed_until"]) == (None, "2100-01-01T00:00:00Z")
    assert watched.client.get("/v1/signals/cap").json()["snoozed_until"] == "2100-01-01T00:00:00Z"
    items = watched.client.get("/v1/signals/cap/states").json()["items"]
    assert {(each["customer"], each["state"]) for each in items} == {("acme", "snoozed"), ("beta", "snoozed")}
    assert snooze(until=None)["state"] == "armed"
    kinds = [each["kind"] for each in watched.client.get("/v1/signals/cap/history").json()["items"]]
    assert kinds[:4] == ["woken", "snoozed", "woken", "snoozed"]
    assert watched.client.get("/v1/signals").json()["items"][0]["snoozed_until"] is None


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "either until"),
        ({"until": None, "for_s": 60}, "either until"),
        ({"until": "2020-01-01T00:00:00Z"}, "is over already"),
        ({"group": {"region": "eu"}, "for_s": 60}, "name one beside the group"),
        ({"customer": "acme", "group": {"model": "x"}, "for_s": 60}, "a value for each of: region"),
        ({"customer": "acme", "for_s": 60}, "a value for each of: region"),
    ],
)
def test_a_snooze_of_nobody_is_refused(shared: Appliance, body: dict[str, Any], said: str) -> None:
    define(shared, group_by=["region"])
    assert said in detail(shared.client.post("/v1/signals/cap/snooze", json=body))
    assert shared.client.delete("/v1/signals/cap").status_code == 204


def test_a_snooze_fits_whom_the_signal_watches(watched: Appliance) -> None:
    define(watched, key="one", scope={"customer": "acme"}, group_by=["region"])
    define(watched, key="all", scope={})
    post = watched.client.post
    one = post("/v1/signals/one/snooze", json={"group": {"region": "eu"}, "for_s": 60}).json()
    assert (one["customer"], one["group"], one["state"]) == ("acme", {"region": "eu"}, "snoozed")
    assert "'acme' alone" in detail(
        post("/v1/signals/one/snooze", json={"customer": "b", "group": {"region": "eu"}, "for_s": 60})
    )
    assert "together" in detail(post("/v1/signals/all/snooze", json={"customer": "b", "for_s": 60}))
    assert post("/v1/signals/all/snooze", json={"for_s": 60}).json()["state"] == "snoozed"
    (state,) = watched.client.get("/v1/signals/all/states").json()["items"]
    assert (state["customer"], state["state"], state["since"]) == (None, "snoozed", None)
    assert post("/v1/signals/nobody/snooze", json={"for_s": 60}).status_code == 404


def test_a_key_that_only_reads_changes_nothing(watched: Appliance) -> None:
    define(watched)
    with watched.client_with(watched.new_key("read")) as reader:
        assert reader.get("/v1/signals").status_code == 200
        assert reader.get("/v1/signals/fired").status_code == 200
        assert reader.post("/v1/signals", json=CAP).status_code == 403
        assert reader.patch("/v1/signals/cap", json={}).status_code == 403
        assert reader.delete("/v1/signals/cap").status_code == 403
        assert reader.post("/v1/signals/cap/snooze", json={"for_s": 60}).status_code == 403


def test_a_preview_tells_when_a_signal_would_have_fired_and_saves_nothing(watched: Appliance) -> None:
    events = [
        {"id": f"{customer}-{day}-{n}", "type": "call", "customer": customer, "time": f"2026-06-0{day}T1{n}:00:00Z"}
        for customer, count in (("acme", 4), ("beta", 2))
        for day in (1, 2)
        for n in range(count)
    ]
    assert watched.client.post("/v1/events", json=events).json()["accepted"] == len(events)
    draft = {name: CAP[name] for name in ("meter", "scope", "condition")} | {"period": "day"}
    asked = {"signal": draft, "from": "2026-06-01T12:00:00Z", "to": "2026-06-03T00:00:00Z"}
    answer = watched.client.post("/v1/signals/preview", json=asked | {"limit": 2, "top": 1})
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert (found["from"], found["to"], found["thresholds"]) == ("2026-06-01T00:00:00Z", "2026-06-03T00:00:00Z", [2, 4])
    counts = {name: found[name] for name in ("firings", "recoveries", "subjects", "subjects_seen", "periods")}
    assert counts == {"firings": 6, "recoveries": 0, "subjects": 2, "subjects_seen": 2, "periods": 2}
    newest, before = found["steps"]
    assert (newest["customer"], newest["at"], newest["level"], newest["figure"]) == (
        "acme",
        "2026-06-02T13:00:00Z",
        2,
        4,
    )
    assert newest["period"] == {"start": "2026-06-02T00:00:00Z", "end": "2026-06-03T00:00:00Z"}
    assert (newest["threshold"], newest["percent"], newest["limit"]) == (4, 100, 4)
    assert before["at"] == "2026-06-02T11:00:00Z"
    assert found["truncated"] is True
    (top,) = found["top"]
    assert (top["customer"], top["firings"]) == ("acme", 4)
    assert [(each["value"], each["level"], each["fired_at"]) for each in top["figures"]] == [
        (4, 2, "2026-06-01T11:00:00Z"),
        (4, 2, "2026-06-02T11:00:00Z"),
    ]
    assert watched.client.get("/v1/signals").json()["items"] == []
    with watched.client_with(watched.new_key("read")) as reader:
        assert reader.post("/v1/signals/preview", json=asked).json()["firings"] == 6


@pytest.mark.parametrize(
    ("asked", "status", "said"),
    [
        ({"from": "2026-06-02T00:00:00Z", "to": "2026-06-01T00:00:00Z"}, 400, "to: lies before from"),
        ({"from": "yesterday"}, 400, "from"),
        ({"limit": 0}, 400, "limit"),
        ({"from": "2000-01-01T00:00:00Z", "signal": {"period": "hour"}}, 400, "periods"),
        ({"signal": {"meter": "nobody"}}, 422, "there is no meter 'nobody'"),
        ({"signal": {"measure": "cost"}}, 422, "rate cards"),
        ({"signal": {"condition": {"type": "threshold"}}}, 422, "needs a value"),
    ],
)
def test_a_preview_that_makes_no_sense_is_refused(
    shared: Appliance, asked: dict[str, Any], status: int, said: str
) -> None:
    draft = {name: CAP[name] for name in ("meter", "scope", "condition")} | asked.get("signal", {})
    answer = shared.client.post("/v1/signals/preview", json=asked | {"signal": draft})
    assert (answer.status_code, said in answer.json()["detail"]) == (status, True), answer.text


def test_a_customers_own_signal_watches_that_customer_alone_and_tells_allowed_kinds_of_channel(
    start_appliance: Callable[..., Appliance],
) -> None:
    appliance = prepared(start_appliance(allowed_networks="127.0.0.0/8", customer_channels="json, mailtos"))
    channel = {"key": "own", "kind": "apprise", "url": "json://127.0.0.1:9/"}
    assert appliance.client.post("/v1/channels", json=channel).status_code == 201
    own: dict[str, Any] = {"owner": "acme", "scope": {"customer": "acme"}, "channels": ["own"]}
    assert "watches that customer alone" in detail(define(appliance, **own | {"scope": {"customer": "beta"}}))
    assert "watches that customer alone" in detail(define(appliance, **own | {"scope": {}}))
    assert "watches that customer alone" in detail(
        define(appliance, **own | {"owner": "*", "scope": {"customer": "*"}})
    )
    refused = detail(define(appliance, **own | {"channels": ["own", "ops"]}))
    assert "'ops' is of the kind webhook, and a customer's own signal may use json, mailtos" in refused
    assert "there is no channel 'gone'" in detail(define(appliance, **own | {"channels": ["gone"]}))
    made = define(appliance, **own)
    assert (made.status_code, made.json()["owner"]) == (201, "acme")
    assert "watches that" in detail(appliance.client.patch("/v1/signals/cap", json={"scope": {"customer": "*"}}))
    assert "of the kind webhook" in detail(appliance.client.patch("/v1/signals/cap", json={"channels": ["ops"]}))
    define(appliance, key="operators")
    listed = appliance.client.get("/v1/signals", params={"owner": "acme"}).json()["items"]
    assert [each["key"] for each in listed] == ["cap"]
    assert appliance.client.patch("/v1/signals/cap", json={"owner": None, "channels": ["ops"]}).json()["owner"] is None


def test_without_the_setting_a_customers_own_signal_tells_nobody(shared: Appliance) -> None:
    own: dict[str, Any] = {"owner": "acme", "scope": {"customer": "acme"}}
    assert "may use none" in detail(define(shared, **own))
    assert define(shared, **own, channels=[]).status_code == 201
    assert shared.client.delete("/v1/signals/cap").status_code == 204
