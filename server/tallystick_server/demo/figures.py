"""The demonstration's meters, and their figures asked over HTTP."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

import msgspec

from tallystick.instant import NS_PER_S, Instant, format_instant
from tallystick_server.cli.client import ApplianceClient, decode
from tallystick_server.cli.usage_table import UsageReply

from .trace import EVENT_TYPE, PUBLISHED, SERVICES

METERS: Final = (
    {"key": "requests", "name": "Requests", "aggregation": "count", "unit": "request"},
    {
        "key": "context_tokens",
        "name": "Context tokens",
        "aggregation": "sum",
        "field": "properties.context_tokens",
        "unit": "token",
    },
    {
        "key": "generated_tokens",
        "name": "Generated tokens",
        "aggregation": "sum",
        "field": "properties.generated_tokens",
        "unit": "token",
    },
    {"key": "active_customers", "name": "Active customers", "aggregation": "unique", "field": "customer"},
)
METER_KEYS: Final = tuple(meter["key"] for meter in METERS)
# What the largest customers come to in this hour is a little more, so it is passed while the last minutes are replayed.
SIGNAL: Final = {
    "key": "allowance",
    "name": "Allowance of generated tokens",
    "meter": "generated_tokens",
    "scope": {"customer": "*"},
    "condition": {"type": "threshold", "limit": 400_000, "thresholds": [80, 100]},
    "period": "month",
}
SIGNAL_WORDS: Final = "80 % and 100 % of 400,000 a month"
SLICE_S: Final = 5 * 60


class UsageReplies(msgspec.Struct, frozen=True):
    """The answers to several questions."""

    answers: list[UsageReply]


class Check(msgspec.Struct, frozen=True):
    """One figure beside the one that was published."""

    service: str
    meter: str
    counted: Decimal | None
    published: int

    @property
    def agrees(self) -> bool:
        """Whether they are the same number."""
        return self.counted == self.published


class Firing(msgspec.Struct, frozen=True):
    """A customer whose figure passed a threshold."""

    customer: str | None


class Firings(msgspec.Struct, frozen=True):
    """A page of them."""

    items: list[Firing]


class Slice(msgspec.Struct, frozen=True):
    """One piece of time, with a figure for each meter."""

    start: Instant
    figures: dict[str, Decimal]


class Figures:
    """Asks one appliance about the range of the trace."""

    def __init__(self, client: ApplianceClient, start: Instant, end: Instant) -> None:
        self._client, self._start, self._end = client, start, end

    def define_signal(self) -> None:
        """Define the signal."""
        self._client.call("POST", "/v1/signals", json=SIGNAL)

    def firings(self) -> list[Firing]:
        """Return how often the signal fired, newest first, and for whom."""
        body = self._client.get(f"/v1/signals/{SIGNAL['key']}/history", [("kind", "fired"), ("limit", "1000")])
        return decode(body, Firings).items

    def define_meters(self) -> None:
        """Define the meters."""
        for meter in METERS:
            definition = {"event_type": EVENT_TYPE, "dimensions": ["service"], **meter}
            self._client.call("POST", "/v1/meters", json=definition)

    def checks(self) -> list[Check]:
        """Return every figure of every service beside the published one."""
        found: list[Check] = []
        by_meter = {key: _by_group(self._ask(key, group_by="service"), "service") for key in METER_KEYS}
        for service in SERVICES:
            sums = PUBLISHED[service]
            published = (sums.requests, sums.context_tokens, sums.generated_tokens, sums.customers)
            for key, number in zip(METER_KEYS, published, strict=True):
                found.append(Check(service, key, by_meter[key].get(service), number))
        return found

    def slices(self) -> list[Slice]:
        """Return the figures of every five minutes, asked as exact ranges."""
        starts = range(self._start, self._end, SLICE_S * NS_PER_S)
        keys = METER_KEYS[:3]
        slices: list[Slice] = []
        for start in starts:
            end = min(start + SLICE_S * NS_PER_S, self._end)
            queries = [_query(key, Instant(start), Instant(end)) for key in keys]
            body = self._client.call("POST", "/v1/usage", json={"queries": queries})
            answers = decode(body, UsageReplies).answers
            slices.append(
                Slice(Instant(start), {key: _single(answer) for key, answer in zip(keys, answers, strict=True)})
            )
        return slices

    def top_customers(self, count: int) -> list[tuple[str, dict[str, Decimal]]]:
        """Return the customers with the most generated tokens, with their figures."""
        top = [total.group["customer"] or "" for total in self._ask("generated_tokens", "customer", count).totals]
        by_meter = {key: _by_group(self._ask(key, group_by="customer"), "customer") for key in METER_KEYS[:3]}
        rows = [(customer, {key: by_meter[key][customer] for key in METER_KEYS[:3]}) for customer in top]
        rows.sort(key=lambda row: row[1]["generated_tokens"], reverse=True)
        return rows

    def _ask(self, key: str, group_by: str, limit: int | None = None) -> UsageReply:
        params = [
            ("from", format_instant(self._start)),
            ("to", format_instant(self._end)),
            ("group_by", group_by),
            *([] if limit is None else [("limit", str(limit))]),
        ]
        return decode(self._client.get(f"/v1/meters/{key}/usage", params), UsageReply)


def _query(key: str, start: Instant, end: Instant) -> dict[str, Any]:  # Any: JSON
    return {"meter": key, "from": format_instant(start), "to": format_instant(end)}


def _by_group(reply: UsageReply, name: str) -> dict[str, Decimal]:
    return {total.group[name] or "": total.value for total in reply.totals if total.value is not None}


def _single(reply: UsageReply) -> Decimal:
    return next((total.value for total in reply.totals if total.value is not None), Decimal(0))
