"""Questions that cannot be answered as asked: each fault is a 400 that names the parameter and says what is allowed."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

RANGE = {"from": "2026-11-01T00:00:00Z", "to": "2026-11-08T00:00:00Z"}
WINDOWS = "minute, hour, day, week, month, total"
PARAMETERS = "filter[NAME], from, group_by, include_archived, limit, order, timezone, to, version, window"
FILTERS = "a filter is an object of exact values"


@pytest.fixture
def meter(client: httpx.Client, name: str) -> str:
    body = {"key": name, "event_type": name, "aggregation": "sum"}
    assert client.post("/v1/meters", json=body).status_code == 201
    event = {"id": name, "type": name, "customer": "acme", "time": "2026-11-02T10:00:00Z", "properties": {"a": "x"}}
    assert client.post("/v1/events", json=event).status_code == 200
    return name


def fault(answer: httpx.Response) -> tuple[str, str]:
    assert answer.status_code == 400, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    (error,) = answer.json()["errors"]
    return error["pointer"], error["detail"]


def words(text: str) -> set[str]:
    return set(text.replace(",", " ").split())


@pytest.mark.parametrize(
    ("parameters", "pointer", "allowed"),
    [
        ({"window": "fortnight"}, "window", WINDOWS),
        ({"window": ""}, "window", WINDOWS),
        ({"timezone": "Mars/Base"}, "timezone", "no IANA time zone, such as Europe/Berlin or UTC"),
        ({"timezone": "europe/berlin"}, "timezone", "such as Europe/Berlin or UTC"),
        ({"timezone": "x" * 65}, "timezone", "64"),
        ({"from": "yesterday"}, "from", "RFC 3339 time with a zone, such as 2026-11-01T10:00:00.123Z"),
        ({"from": "2026-11-01T00:00:00"}, "from", "RFC 3339 time with a zone"),
        ({"from": "-1"}, "from", "before 1970"),
        ({"to": "2026-13-01T00:00:00Z"}, "to", "no valid time"),
        ({"to": "9999-01-01T00:00:00Z"}, "to", "after 2261"),
        ({"to": "2026-10-01T00:00:00Z"}, "to", "lies before from"),
        ({"limit": "0"}, "limit", "at least 1"),
        ({"limit": "many"}, "limit", "a whole number"),
        ({"limit": "1000001"}, "limit", "between 1 and 1,000,000"),
        ({"order": "up"}, "order", "asc, desc"),
        ({"fill": "null"}, "fill", "none, zero"),
        ({"compare": "last-year"}, "compare", "none, previous"),
        ({"compare": "previous", "from": "1970-01-02T00:00:00Z"}, "compare", "later or a shorter range"),
        ({"as_of": "-1"}, "as_of", "at least 0"),
        ({"as_of": "now"}, "as_of", "a whole number"),
        ({"as_of": str(2**62)}, "as_of", "the log ends at"),
        ({"version": "0"}, "version", "at least 1"),
        ({"version": "2"}, "version", "has the versions 1 to 1"),
        ({"group_by": "a,,b"}, "group_by", "customer or a property of 1 to 256 characters"),
        ({"group_by": "a,a"}, "group_by", "each name may be given once"),
        ({"group_by": "a,b,c,d,e,f,g,h,i"}, "group_by", "more than 8"),
        ({"window": "minute", "from": "1970-01-01T00:00:00Z"}, "window", "a longer window or a shorter range"),
        ({"include_archived": "maybe"}, "include_archived", "true or false"),
        ({"windw": "day"}, "windw", PARAMETERS),
        ({"groupBy": "customer"}, "groupBy", PARAMETERS),
        ({"filter": "a=x"}, "filter", PARAMETERS),
        ({"filter[]": "x"}, "filter[]", PARAMETERS),
        ({"filter[a": "x"}, "filter[a", PARAMETERS),
        ({"filter[a][regex]": "x.*"}, "filter[a][regex]", PARAMETERS),
        ({"filter[a]~": "x"}, "filter[a]~", PARAMETERS),
        ({"filter[a]": "x.*"}, "filter", "a filter compares whole texts"),
        ({"filter[a]": "^x"}, "filter", "list the values, or group by 'a'"),
        ({"filter[a]": "(?i)x"}, "filter", "looks like a regular expression"),
        ({"filter[a]": "x.+"}, "filter", "looks like a regular expression"),
        ({f"filter[{'n' * 257}]": "x"}, "filter", "1 to 256 characters"),
    ],
    ids=str,
)
def test_a_bad_parameter_is_named_with_what_is_allowed(
    client: httpx.Client, meter: str, parameters: dict[str, str], pointer: str, allowed: str
) -> None:
    named, detail = fault(client.get(f"/v1/meters/{meter}/usage", params=RANGE | parameters))
    assert named == pointer
    assert allowed in detail or words(allowed) <= words(detail)


def test_a_parameter_that_is_missing_or_comes_twice_is_named(client: httpx.Client, meter: str) -> None:
    assert fault(client.get(f"/v1/meters/{meter}/usage")) == ("from", "is required")
    twice = client.get(f"/v1/meters/{meter}/usage", params=[*RANGE.items(), ("from", "2026-11-02T00:00:00Z")])
    assert fault(twice) == ("from", "is given twice")


@pytest.mark.parametrize(
    ("fields", "pointer", "allowed"),
    [
        ({"window": "fortnight"}, "window", WINDOWS),
        ({"window": 3}, "window", "a text"),
        ({"timezone": "Mars/Base"}, "timezone", "such as Europe/Berlin or UTC"),
        ({"from": None}, "from", "a whole number or a text"),
        ({"from": 1.5}, "from", "a whole number or a text"),
        ({"limit": 0}, "limit", "at least 1"),
        ({"order": "up"}, "order", "asc, desc"),
        ({"compare": "x"}, "compare", "none, previous"),
        ({"as_of": 1.5}, "as_of", "a whole number"),
        ({"group_by": ["a", "a"]}, "group_by", "each name may be given once"),
        ({"group_by": [1]}, "group_by[0]", "a text"),
        ({"groupBy": ["a"]}, "groupBy", "from, to, window, timezone, group_by, filter, order, limit, fill, compare"),
        ({"filter": {"a": {"regex": "x.*"}}}, "filter[...]", FILTERS),
        ({"filter": {"a": None}}, "filter[...]", FILTERS),
        ({"filter": {"a": [["x"]]}}, "filter[...][0]", FILTERS),
        ({"filter": "a=x"}, "filter", FILTERS),
        ({"filter": ["a"]}, "filter", FILTERS),
        ({"filter": {"a": []}}, "filter", "give at least one, or leave the name out"),
        ({"filter": {"a": "x.*"}}, "filter", "looks like a regular expression"),
        ({"filter": {"": "x"}}, "filter", "1 to 256 characters"),
    ],
    ids=str,
)
@pytest.mark.parametrize("route", ["usage", "preview"])
def test_a_bad_field_of_a_body_is_named_with_what_is_allowed(
    client: httpx.Client, meter: str, route: str, fields: dict[str, Any], pointer: str, allowed: str
) -> None:
    query = RANGE | fields
    if route == "usage":
        answer, place = client.post("/v1/usage", json={"queries": [{"meter": meter} | query]}), "queries[0]."
    else:
        body = {"meter": {"event_type": meter, "aggregation": "sum"}, "query": query}
        answer, place = client.post("/v1/meters/preview", json=body), "query."
    named, detail = fault(answer)
    assert named.removeprefix(place) == pointer
    assert allowed in detail or words(allowed) <= words(detail)


def test_an_unknown_meter_is_a_404_wherever_it_is_asked(client: httpx.Client, name: str) -> None:
    for path in ("usage", "skipped", "versions"):
        parameters = RANGE if path != "versions" else {}
        assert client.get(f"/v1/meters/{name}/{path}", params=parameters).status_code == 404
    assert client.post("/v1/usage", json={"queries": [{"meter": name} | RANGE]}).status_code == 404


@pytest.mark.parametrize(
    "filters",
    [{"filter[nowhere]": "x"}, {"filter[a]": "y"}, {"filter[customer]": "nobody"}, {"filter[a]": ""}],
    ids=str,
)
def test_a_filter_that_nothing_passes_is_an_empty_answer(
    client: httpx.Client, meter: str, filters: dict[str, str]
) -> None:
    answer = client.get(f"/v1/meters/{meter}/usage", params=RANGE | filters)
    assert (answer.status_code, answer.json()["rows"], answer.json()["totals"]) == (200, [], [])


@pytest.mark.parametrize(
    "text", ["/v1/users/{id}/*", "C:\\windows\\docs", "US$", "[x]", "a|b", "1.0", "what?", "*", "(x)"]
)
def test_a_text_that_only_holds_signs_of_patterns_is_compared(client: httpx.Client, name: str, text: str) -> None:
    meter = {"key": name, "event_type": name, "aggregation": "count", "filter": {"a": text}}
    assert client.post("/v1/meters", json=meter).status_code == 201
    event = {"id": name, "type": name, "customer": "acme", "time": "2026-11-02T10:00:00Z", "properties": {"a": text}}
    assert client.post("/v1/events", json=event).status_code == 200
    answer = client.get(f"/v1/meters/{name}/usage", params=RANGE | {"filter[a]": text})
    assert answer.json()["totals"] == [{"group": {}, "value": 1, "events": 1}]


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"filter": {"a": "x.*"}}, "filter"),
        ({"aggregation": "median"}, "aggregation"),
        ({"statistic": "peak"}, "statistic"),
        ({"options": {"x": 1}}, "options"),
    ],
    ids=str,
)
def test_a_bad_option_of_a_meter_is_a_422_that_names_it(
    client: httpx.Client, name: str, fields: dict[str, Any], pointer: str
) -> None:
    meter = {"key": name, "event_type": name, "aggregation": "sum"} | fields
    preview = {"meter": {key: meter[key] for key in meter if key != "key"}, "query": RANGE}
    for answer in (client.post("/v1/meters", json=meter), client.post("/v1/meters/preview", json=preview)):
        assert answer.status_code == 422, answer.text
        assert answer.json()["errors"][0]["pointer"] == pointer


def test_an_unknown_field_of_a_meter_is_named_with_those_there_are(client: httpx.Client, name: str) -> None:
    meter = {"key": name, "event_type": name, "aggregation": "sum", "optoins": 1}
    named, detail = fault(client.post("/v1/meters", json=meter))
    assert named == "optoins"
    assert {"key", "event_type", "aggregation", "filter", "options"} <= words(detail)
