"""Customers who have a time zone other than UTC: what a signal in each customer's own zone needs to know on every look.

Costs a walk through all described customers when it is first asked, and follows the catalog from then on.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Final

from tallystick.catalog.catalog import Catalog

UTC: Final = "UTC"
_PAGE: Final = 10_000


class CustomerZones:
    """The zones. `put` belongs to the writer's thread, the rest to the one that looks."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._guard = threading.Lock()
        self._changed: dict[str, str] = {}
        self._zones: dict[str, str] | None = None
        self._members: dict[str, dict[str, None]] = {}

    def put(self, customer: str, zone: str) -> None:
        """Note what a customer's zone is from now on."""
        if self._zones is not None:
            with self._guard:
                self._changed[customer] = zone

    def load(self) -> None:
        """Read every described customer, unless that was done."""
        if self._zones is not None:
            return
        self._zones = {}  # first, so that what changes meanwhile is noted
        cursor: str | None = None
        while True:
            page, cursor = self._catalog.customers(limit=_PAGE, cursor=cursor)
            for customer in page:
                self._set(customer.key, customer.time_zone)
            if cursor is None:
                return

    def take_changes(self) -> list[tuple[str, str, str]]:
        """Return whose zone is another since this was last asked: customer, zone before, zone now."""
        with self._guard:
            changed, self._changed = self._changed, {}
        moved = [(customer, self.zone_of(customer), zone) for customer, zone in changed.items()]
        for customer, zone in changed.items():
            self._set(customer, zone)
        return [each for each in moved if each[1] != each[2]]

    def zone_of(self, customer: str) -> str:
        """Return a customer's zone."""
        return (self._zones or {}).get(customer, UTC)

    def zones(self) -> list[str]:
        """Return every zone that somebody has, UTC first."""
        return [UTC, *(zone for zone, members in self._members.items() if members)]

    def members(self, zone: str) -> list[str] | None:
        """Return the customers of a zone; None for UTC, which is everybody's but `others`."""
        return None if zone == UTC else list(self._members.get(zone, ()))

    def others(self) -> Sequence[str]:
        """Return the customers whose zone is not UTC."""
        return list(self._zones or ())

    def _set(self, customer: str, zone: str) -> None:
        zones = self._zones
        if zones is None:
            return
        before = zones.pop(customer, None)
        if before is not None:
            del self._members[before][customer]
        if zone != UTC:
            zones[customer] = zone
            self._members.setdefault(zone, {})[customer] = None
