"""Sending and asking as a client would, with every number exact."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import httpx


def exact(answer: httpx.Response) -> Any:  # Any: JSON
    """Return the body of a good answer, its numbers as decimals and integers."""
    assert answer.status_code in {200, 201}, answer.text[:1_000]
    return json.loads(answer.content, parse_float=Decimal)


def send(client: httpx.Client, *events: dict[str, Any]) -> dict[str, Any]:
    """Send events that are all accepted or duplicates."""
    return exact(client.post("/v1/events", json=list(events)))


def usage(client: httpx.Client, meter: str, **parameters: Any) -> dict[str, Any]:
    """Ask a meter; `start` and `end` stand for the parameters `from` and `to`."""
    query = {{"start": "from", "end": "to"}.get(name, name): value for name, value in parameters.items()}
    return exact(client.get(f"/v1/meters/{meter}/usage", params=query))


def define(client: httpx.Client, key: str, aggregation: str, **more: Any) -> None:
    """Define a meter over the events of the type that is its key, unless it says otherwise."""
    meter = {"key": key, "name": key, "event_type": key, "aggregation": aggregation} | more
    assert client.post("/v1/meters", json=meter).status_code == 201
