"""Windows of the local calendar over HTTP: each window's length, and each event in the one that its local clock shows."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import httpx
import pytest


@pytest.mark.parametrize(
    ("timezone", "window", "start", "end", "hours"),
    [
        ("Europe/Berlin", "day", "2026-03-28", "2026-03-31", [24, 23, 24]),
        ("Europe/Berlin", "day", "2026-10-24", "2026-10-27", [24, 25, 24]),
        ("Europe/Berlin", "week", "2026-03-23", "2026-04-06", [167, 168]),
        ("Europe/Berlin", "month", "2026-03-01", "2026-05-01", [31 * 24 - 1, 30 * 24]),
        ("Australia/Lord_Howe", "day", "2026-04-04", "2026-04-07", [24, 24.5, 24]),
        ("Australia/Lord_Howe", "day", "2026-10-03", "2026-10-06", [24, 23.5, 24]),
        ("America/Sao_Paulo", "day", "2018-11-03", "2018-11-06", [24, 23, 24]),
        ("America/Sao_Paulo", "month", "2018-02-01", "2018-03-01", [28 * 24 + 1]),
        ("Asia/Kolkata", "day", "2026-11-01", "2026-11-03", [24, 24]),
        ("UTC", "week", "2026-10-26", "2026-11-09", [168, 168]),
        ("UTC", "month", "2024-02-01", "2024-04-01", [29 * 24, 31 * 24]),
    ],
)
def test_windows_are_as_long_as_the_local_calendar_says(
    client: httpx.Client, name: str, timezone: str, window: str, start: str, end: str, hours: list[float]
) -> None:
    first, last = (utc(day, timezone) for day in (start, end))
    define(client, name)
    # One event in the last minute of each window, and one at the first instant of the next, which is not in it.
    edges = [first]
    for length in hours:
        edges.append(edges[-1] + int(length * 3_600_000))
    assert edges[-1] == last
    times = [time for edge in edges[1:] for time in (edge - 60_000, edge)]
    send(client, name, times)
    asked = {"from": first, "to": last, "window": window, "timezone": timezone}
    answer = client.get(f"/v1/meters/{name}/usage", params=asked).json()
    assert [milliseconds(row["start"]) for row in answer["rows"]] == edges[:-1]
    assert [milliseconds(row["end"]) for row in answer["rows"]] == edges[1:]
    assert [row["events"] for row in answer["rows"]] == [1, *[2] * (len(hours) - 1)]
    assert answer["totals"][0]["events"] == 2 * len(hours) - 1


def test_the_hour_that_comes_twice_is_two_windows_and_the_skipped_one_is_none(client: httpx.Client, name: str) -> None:
    define(client, name)
    send(client, name, [milliseconds("2026-10-25T00:30:00Z"), milliseconds("2026-10-25T01:30:00Z")])
    send(client, name, [milliseconds("2026-03-29T00:30:00Z"), milliseconds("2026-03-29T01:30:00Z")])

    def local_hours(day: str) -> list[str]:
        first, last = utc(day, "Europe/Berlin"), utc(day, "Europe/Berlin") + 5 * 3_600_000
        asked = {"from": first, "to": last, "window": "hour", "timezone": "Europe/Berlin"}
        rows = client.get(f"/v1/meters/{name}/usage", params=asked).json()["rows"]
        zone = ZoneInfo("Europe/Berlin")
        return [f"{datetime.fromisoformat(row['start']).astimezone(zone):%H:%M}" for row in rows]

    assert local_hours("2026-10-25") == ["02:00", "02:00"]
    assert local_hours("2026-03-29") == ["01:00", "03:00"]


def test_the_top_groups_are_those_of_the_whole_range_and_totals_are_not_added_up(
    client: httpx.Client, name: str
) -> None:
    define(client, name)
    define(client, f"{name}-seen", event_type=name, aggregation="unique", field="properties.ip")
    events = [
        ("steady", "2026-11-01T10:00:00Z", 4, "a"),
        ("steady", "2026-11-02T10:00:00Z", 4, "a"),
        ("burst", "2026-11-02T10:00:00Z", 7, "b"),
    ]
    body = [
        {
            "id": f"{name}-{at}",
            "type": name,
            "customer": customer,
            "time": time,
            "value": value,
            "properties": {"ip": ip},
        }
        for at, (customer, time, value, ip) in enumerate(events)
    ]
    assert client.post("/v1/events", json=body).json()["accepted"] == 3
    asked = {"from": "2026-11-01T00:00:00Z", "to": "2026-11-04T00:00:00Z", "window": "day", "group_by": "customer"}
    top = client.get(f"/v1/meters/{name}/usage", params=asked | {"limit": 1, "fill": "zero"}).json()
    assert [(row["group"]["customer"], row["value"]) for row in top["rows"]] == [
        ("steady", 4),
        ("steady", 4),
        ("steady", 0),
    ]
    seen = client.get(f"/v1/meters/{name}-seen/usage", params=asked).json()
    assert [(total["group"]["customer"], total["value"]) for total in seen["totals"]] == [("burst", 1), ("steady", 1)]
    assert len(seen["rows"]) == 3


def utc(day: str, timezone: str) -> int:
    """Return the first instant of a local day, in milliseconds."""
    local = datetime.fromisoformat(f"{day}T00:00:00").replace(tzinfo=ZoneInfo(timezone))
    return round(local.timestamp() * 1_000)


def milliseconds(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1_000)


def define(client: httpx.Client, name: str, **fields: str) -> None:
    meter = {"key": name, "event_type": name, "aggregation": "sum"} | fields
    assert client.post("/v1/meters", json=meter).status_code == 201


def send(client: httpx.Client, name: str, times: list[int]) -> None:
    events = [{"id": f"{name}-{time}", "type": name, "customer": "acme", "time": time} for time in times]
    assert client.post("/v1/events", json=events).json()["accepted"] == len(times)
