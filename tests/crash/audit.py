"""The books of a running appliance, from the outside: what its questions say, what its log lists, and what the clients were told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal

import httpx
import msgspec

from tests.appliance import Appliance
from tests.crash import numbered_events
from tests.crash.numbered_events import number_of, numbers

_EXACT = msgspec.json.Decoder(float_hook=Decimal)
METERS = (
    {"key": "calls", "name": "Calls", "event_type": numbered_events.TYPE, "aggregation": "count"},
    {"key": "units", "name": "Units", "event_type": numbered_events.TYPE, "aggregation": "sum"},
)


def define_meters(appliance: Appliance) -> None:
    """Define the two meters that the audit asks."""
    for meter in METERS:
        appliance.client.post("/v1/meters", json=meter).raise_for_status()


def figure(appliance: Appliance, meter: str) -> Decimal:
    """Return a meter's total over all numbered events."""
    answer = appliance.client.get(
        f"/v1/meters/{meter}/usage", params={"from": numbered_events.START, "to": numbered_events.END}
    )
    assert answer.status_code == 200, answer.text
    totals = _EXACT.decode(answer.content)["totals"]
    return Decimal(totals[0]["value"]) if totals else Decimal(0)


def events_there(appliance: Appliance) -> Counter[int]:
    """Return the number of each event that the events list shows, with how often it does."""
    found: Counter[int] = Counter()
    cursor: str | None = None
    while True:
        parameters: dict[str, str | int] = {"type": numbered_events.TYPE, "limit": 1_000}
        if cursor is not None:
            parameters["cursor"] = cursor
        answer = appliance.client.get("/v1/events", params=parameters)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found.update(number_of(item["id"]) for item in page["items"])
        cursor = page["next_cursor"]
        if cursor is None:
            return found


def audit(appliance: Appliance, *, acknowledged: Iterable[int], sent: Iterable[int]) -> None:
    """Compare while nothing is under way; fails with the first difference."""
    there = events_there(appliance)
    assert [number for number, times in there.items() if times != 1] == [], "listed more than once"
    lost = [number for batch in acknowledged for number in numbers(batch) if number not in there]
    assert lost == [], "acknowledged and not there"
    assert set(there) <= {number for batch in sent for number in numbers(batch)}, "there and never sent"
    assert figure(appliance, "calls") == len(there)
    assert figure(appliance, "units") == numbered_events.total(there)
    report = appliance.client.post("/v1/log/verify", timeout=httpx.Timeout(120))
    assert report.status_code == 200, report.text
    assert report.json()["problems"] == []
    assert report.json()["events"] == len(there)
