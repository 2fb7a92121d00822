"""What the pictures show: a fortnight of a small company that sells completions, storage and seats. The same in every run."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Any

from tests.appliance import Appliance

from .fixed_serve import NOW

CUSTOMERS = ("acme", "globex", "initech", "umbrella", "hooli", "stark", "wayne", "tyrell")
REGIONS = ("eu", "us", "ap")
MODELS = ("large", "small")
METERS: tuple[dict[str, Any], ...] = (  # Any: bodies as the API takes them
    {
        "key": "tokens",
        "name": "Tokens",
        "event_type": "completion",
        "aggregation": "sum",
        "field": "properties.tokens",
        "unit": "token",
        "dimensions": ["region", "model"],
    },
    {"key": "requests", "name": "Requests", "event_type": "completion", "aggregation": "count", "unit": "request"},
    {
        "key": "users",
        "name": "Active users",
        "event_type": "completion",
        "aggregation": "unique",
        "field": "properties.user",
        "unit": "user",
    },
    {"key": "storage", "name": "Storage", "event_type": "stored", "aggregation": "max", "unit": "GiB"},
)


def completions() -> list[dict[str, Any]]:
    """Return three events a customer every two hours of fourteen days, more by day than by night, more of the first customers."""
    end, events = datetime.fromisoformat(NOW), list[dict[str, Any]]()
    for number, customer in enumerate(CUSTOMERS):
        for step in range(168):
            at = end - timedelta(hours=2 * step, minutes=7 * number + 1)
            share = (1 + math.sin((at.hour - 8) / 24 * 2 * math.pi)) / 2
            for turn in range(3):
                tokens = int((200 + 1800 * share) / (number + 1)) + (step * 37 + turn * 11) % 97
                events.append(
                    {
                        "id": f"{customer}-{step}-{turn}",
                        "type": "completion",
                        "customer": customer,
                        "time": f"{at:%Y-%m-%dT%H:%M:%S}Z",
                        "properties": {
                            "tokens": tokens,
                            "region": REGIONS[(step + turn) % 3],
                            "model": MODELS[turn % 2],
                            "user": f"u{(step * 7 + turn) % (30 // (number + 1) + 2)}",
                        },
                        "source": "gateway-1",
                    }
                )
    return events


def stored() -> list[dict[str, Any]]:
    """Return one size of a store a customer and day."""
    end = datetime.fromisoformat(NOW)
    return [
        {
            "id": f"store-{customer}-{day}",
            "type": "stored",
            "customer": customer,
            "time": f"{end - timedelta(days=day, minutes=30):%Y-%m-%dT%H:%M:%S}Z",
            "value": f"{(14 - day) * 3.25 / (number + 1):.2f}",
            "properties": {"region": REGIONS[number % 3]},
            "source": "collector",
        }
        for number, customer in enumerate(CUSTOMERS)
        for day in range(14)
    ]


# Each is refused for a reason of its own, and so lies in quarantine.
BAD_EVENTS: tuple[dict[str, Any], ...] = (
    {"id": "bad-1", "type": "completion", "customer": "acme", "time": "yesterday"},
    {"id": "bad-2", "type": "completion", "customer": "", "time": "2026-11-25T08:00:00Z"},
    {"id": "bad-3", "type": "completion", "customer": "hooli", "time": "2026-11-25T08:00:00Z", "value": "1e40"},
    {"id": "bad-4", "type": "completion", "customer": "hooli", "time": "2027-01-01T00:00:00Z"},
    {"id": "acme-0-0", "source": "gateway-1", "type": "completion", "customer": "acme", "time": "2026-11-25T08:00:00Z"},
)


def fill(appliance: Appliance) -> None:
    """Define the meters and customers, and send the events, some of them twice, some of them wrong."""
    for meter in METERS:
        appliance.client.post("/v1/meters", json=meter).raise_for_status()
    for customer in CUSTOMERS[:4]:
        body = {"key": customer, "name": f"{customer.title()} Ltd.", "time_zone": "Europe/Berlin"}
        appliance.client.post("/v1/customers", json=body).raise_for_status()
    events = completions()
    for batch in (events[:2000], events[2000:], stored(), events[:50]):
        appliance.client.post("/v1/events", json=batch).raise_for_status()
    for event in BAD_EVENTS:
        appliance.client.post("/v1/events", json=[event])
    voids = [{"source": "gateway-1", "id": f"globex-3-{turn}"} for turn in range(3)]
    appliance.client.post("/v1/events/void", json={"events": voids, "reason": "test traffic"}).raise_for_status()
