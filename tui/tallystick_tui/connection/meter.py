"""Meters and what they can do, as the appliance answers them."""

from __future__ import annotations

from typing import Any

import msgspec

from .appliance_client import ApplianceClient

METERS_MAX = 1_000


class Meter(msgspec.Struct, frozen=True, kw_only=True):
    """A meter; see the appliance's `docs/meters.md` for what each field means."""

    key: str
    name: str
    event_type: str
    aggregation: str
    field: str
    fields: list[str]
    filter: dict[str, list[str]]
    unit: str | None
    dimensions: list[str]
    timeout: int | None
    series: str | None
    statistic: str | None
    options: dict[str, Any]  # Any: a plugin's aggregator defines what is in it
    version: int
    updated_at: str
    archived_at: str | None

    @property
    def reads(self) -> str:
        """What it does with which field, as people say it: sum of tokens."""
        fields = [short_field(field) for field in (self.fields or [self.field])]
        return self.aggregation if fields == ["value"] else f"{self.aggregation} of {', '.join(fields)}"


class MeterVersion(Meter, frozen=True, kw_only=True):
    """A meter as it was from a position of the log on."""

    position: int


class Aggregator(msgspec.Struct, frozen=True, kw_only=True):
    """What a meter can do with events; `options` are the fields of a meter that it understands, `error` says why it cannot be used."""

    name: str
    summary: str
    options: list[str]
    options_schema: dict[str, Any] | None  # Any: a JSON Schema
    source: str
    package: str
    version: str
    error: str | None


class Aggregators(msgspec.Struct, frozen=True):
    """All of them."""

    items: list[Aggregator]


class SkipReason(msgspec.Struct, frozen=True):
    """Why an event does not count."""

    field: str
    code: str
    detail: str


class SkippedEvent(msgspec.Struct, frozen=True):
    """An event that a meter does not count."""

    id: str
    source: str
    customer: str
    time: str
    reasons: list[SkipReason]


class SkippedEvents(msgspec.Struct, frozen=True):
    """Some of them, newest first."""

    items: list[SkippedEvent]
    next_cursor: str | None = None


def short_field(field: str) -> str:
    """Return a field as people say it."""
    return field.removeprefix("properties.")


async def ask_meters(client: ApplianceClient, *, with_archived: bool = False) -> list[Meter]:
    """Return the meters by key, at most a thousand. Raises `ApplianceFailure`."""
    params = [("include_archived", "true")] if with_archived else []
    return (await client.ask_page("/v1/meters", params, item=Meter, limit=METERS_MAX)).items


async def ask_aggregators(client: ApplianceClient) -> list[Aggregator]:
    """Return what meters can do, that which cannot be used as well. Raises `ApplianceFailure`."""
    return (await client.ask("/v1/aggregators", answer=Aggregators)).items
