"""A meter: a named question over events, defined before or after they came."""

from __future__ import annotations

from typing import Any

import msgspec

from .event import Position
from .instant import Instant


class Meter(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a meter.

    `field` is `value`, `customer` or `properties.NAME`; `fields` names several, for aggregations that take them.
    `filter` is an AND between properties and an OR within a list; its texts compare as `event.property_text` does.
    `options` belongs to the aggregation, which checks it.
    """

    key: str
    name: str
    event_type: str
    aggregation: str
    field: str = "value"
    fields: tuple[str, ...] = ()
    filter: dict[str, tuple[str, ...]] = {}
    unit: str | None = None
    dimensions: tuple[str, ...] = ()
    timeout: int | None = None
    series: str | None = None
    statistic: str | None = None
    options: dict[str, Any] = {}  # Any: a plugin's aggregator defines what is in it
    version: int = 1
    created_at: Instant = Instant(0)
    updated_at: Instant = Instant(0)
    archived_at: Instant | None = None

    def says_the_same_as(self, other: Meter) -> bool:
        """Return whether both ask the same and are called the same, whichever version they are."""
        kept = {name: getattr(other, name) for name in ("version", "created_at", "updated_at")}
        return msgspec.structs.replace(self, **kept) == other


class MeterVersion(msgspec.Struct, frozen=True):
    """A version of a meter, and the position of the log at which it came into force."""

    position: Position
    meter: Meter
