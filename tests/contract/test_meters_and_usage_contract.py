"""Meters and usage: windows of the local calendar, exact ranges, exact digits, groups compared by text, and answers as of a position."""

from __future__ import annotations

from decimal import Decimal

import httpx
import pytest

from tests.contract.asked import define, exact, send, usage

YEAR = {"start": "2026-01-01T00:00:00Z", "end": "2027-01-01T00:00:00Z"}


def test_ten_times_a_tenth_is_one(client: httpx.Client, unique: str) -> None:
    send(
        client,
        *({"type": unique, "customer": "a", "time": f"2026-02-01T00:00:{n:02d}Z", "value": 0.1} for n in range(10)),
    )
    define(client, unique, "sum")
    answer = client.get(f"/v1/meters/{unique}/usage", params={"from": YEAR["start"], "to": YEAR["end"]})
    assert '"value":1,' in answer.text.replace(" ", "")


def test_a_meter_covers_events_that_came_before_it(client: httpx.Client, unique: str) -> None:
    send(
        client,
        {"id": unique, "type": unique, "customer": "a", "time": "2020-02-29T12:00:00Z", "value": "26.000000000001"},
    )
    define(client, unique, "max")
    answer = usage(client, unique, start="2020-01-01T00:00:00Z", end="2021-01-01T00:00:00Z")
    assert answer["totals"][0]["value"] == Decimal("26.000000000001")


def test_days_follow_the_local_calendar_on_the_day_with_25_hours(client: httpx.Client, unique: str) -> None:
    # 25 October 2026 in Berlin: from 22:00 UTC of the 24th to 23:00 UTC of the 25th.
    hours = [f"2026-10-24T{hour:02d}:30:00Z" for hour in (21, 22, 23)] + [
        f"2026-10-25T{hour:02d}:30:00Z" for hour in range(24)
    ]
    send(client, *({"id": f"{unique}-{at}", "type": unique, "customer": "a", "time": at} for at in hours))
    define(client, unique, "count")
    answer = usage(
        client, unique, start="2026-10-24T00:00:00Z", end="2026-10-27T00:00:00Z", window="day", timezone="Europe/Berlin"
    )
    rows = [(row["start"], row["end"], row["value"]) for row in answer["rows"]]
    assert rows == [
        ("2026-10-24T00:00:00Z", "2026-10-24T22:00:00Z", 1),
        ("2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", 25),
        ("2026-10-25T23:00:00Z", "2026-10-26T23:00:00Z", 1),
    ]


def test_a_range_is_half_open_and_never_widened(client: httpx.Client, unique: str) -> None:
    times = ["2026-05-01T00:00:00Z", "2026-05-01T00:59:59.999Z", "2026-05-01T01:00:00Z"]
    send(client, *({"id": f"{unique}-{at}", "type": unique, "customer": "a", "time": at} for at in times))
    define(client, unique, "count")
    answer = usage(client, unique, start="2026-05-01T00:00:00.001Z", end="2026-05-01T01:00:00Z", window="hour")
    assert [row["value"] for row in answer["rows"]] == [1]
    assert answer["rows"][0]["start"] == "2026-05-01T00:00:00.001Z"


def test_totals_are_taken_over_the_range_and_not_from_rows(client: httpx.Client, unique: str) -> None:
    send(
        client,
        *(
            {"id": f"{unique}-{day}-{who}", "type": unique, "customer": who, "time": f"2026-06-0{day}T12:00:00Z"}
            for day in (1, 2, 3)
            for who in ("ann", "ben")
        ),
    )
    define(client, unique, "unique", field="customer")
    answer = usage(client, unique, **YEAR, window="day")
    assert [row["value"] for row in answer["rows"]] == [2, 2, 2]
    assert answer["totals"][0]["value"] == 2


def test_groups_and_filters_compare_values_by_their_text(client: httpx.Client, unique: str) -> None:
    values: list[object] = [1, 1.0, "1", "1.0", True, "true", None]
    send(
        client,
        *(
            {
                "id": f"{unique}-{at}",
                "type": unique,
                "customer": "a",
                "time": "2026-06-01T00:00:00Z",
                "properties": {} if value is None else {"n": value},
            }
            for at, value in enumerate(values)
        ),
    )
    define(client, unique, "count")
    totals = usage(client, unique, **YEAR, group_by="n")["totals"]
    by_group = {total["group"]["n"]: total["value"] for total in totals}
    assert by_group["true"] == 2
    assert by_group[None] == 1
    assert by_group["1"] >= 3
    assert sum(by_group.values()) == len(values)
    filtered = usage(client, unique, **YEAR, **{"filter[n]": "1"})
    assert filtered["totals"][0]["value"] == by_group["1"]


def test_an_answer_as_of_a_position_stays_byte_for_byte(client: httpx.Client, unique: str) -> None:
    define(client, unique, "sum")
    send(client, {"id": f"{unique}-1", "type": unique, "customer": "a", "time": "2026-06-01T00:00:00Z", "value": 5})
    position = exact(client.get("/v1/log/head"))["position"]
    query = {"from": YEAR["start"], "to": YEAR["end"], "as_of": position}
    before = client.get(f"/v1/meters/{unique}/usage", params=query).content
    send(client, {"id": f"{unique}-2", "type": unique, "customer": "a", "time": "2026-06-01T00:00:00Z", "value": 7})
    exact(client.post("/v1/events/void", json={"events": [{"source": "", "id": f"{unique}-1"}], "reason": "later"}))
    assert client.get(f"/v1/meters/{unique}/usage", params=query).content == before
    assert usage(client, unique, **YEAR)["totals"][0]["value"] == 7


def test_the_top_groups_come_first_and_filled_windows_are_zero(client: httpx.Client, unique: str) -> None:
    send(
        client,
        *(
            {"id": f"{unique}-{n}", "type": unique, "customer": f"c{n}", "time": "2026-06-01T00:30:00Z", "value": n}
            for n in range(1, 6)
        ),
    )
    define(client, unique, "sum")
    top = usage(
        client, unique, start="2026-06-01T00:00:00Z", end="2026-06-01T03:00:00Z", window="hour", group_by="customer",
        limit=2, fill="zero",
    )  # fmt: skip
    assert {total["group"]["customer"] for total in top["totals"]} == {"c5", "c4"}
    assert sorted(row["value"] for row in top["rows"]) == [0, 0, 0, 0, 4, 5]


def test_an_archived_meter_answers_only_when_asked_for(client: httpx.Client, unique: str) -> None:
    define(client, unique, "count")
    assert client.delete(f"/v1/meters/{unique}").status_code in {200, 204}
    query = {"from": YEAR["start"], "to": YEAR["end"]}
    assert client.get(f"/v1/meters/{unique}/usage", params=query).status_code == 404
    assert client.get(f"/v1/meters/{unique}/usage", params=query | {"include_archived": "true"}).status_code == 200


@pytest.mark.parametrize("query", [{}, {"from": "yesterday"}, {"from": YEAR["start"], "window": "fortnight"}])
def test_a_question_that_cannot_be_answered_is_a_400_that_says_why(
    query: dict[str, str], client: httpx.Client, unique: str
) -> None:
    define(client, unique, "count")
    answer = client.get(f"/v1/meters/{unique}/usage", params=query)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
