"""What the engine must agree with: a dictionary of events by identity. Obviously right, and nothing else."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import NamedTuple

from tallystick.event import Event
from tallystick.instant import parse_instant


class Sent(NamedTuple):
    """An event as a test sends it."""

    id: str
    customer: str
    value: str
    region: str
    minute: int = 0

    @property
    def time(self) -> str:
        return f"2026-11-01T10:{self.minute:02d}:00Z"

    def as_event(self) -> Event:
        return Event(
            source="",
            id=self.id,
            type="call",
            customer=self.customer,
            time=parse_instant(self.time),
            time_given=True,
            value=Decimal(self.value),
            properties={"region": self.region},
        )

    def as_json(self) -> dict[str, object]:
        return {
            "id": self.id,
            "type": "call",
            "customer": self.customer,
            "time": self.time,
            "value": self.value,
            "properties": {"region": self.region},
        }


class PlainModel:
    """The first event of each identity counts, unless it was voided before or after it came."""

    def __init__(self) -> None:
        self.events: dict[str, Sent] = {}
        self.voided: set[str] = set()
        self.remembered: set[str] = set()
        self.resent: Counter[str] = Counter()

    def send(self, batch: list[Sent]) -> tuple[int, int, int]:
        """Return how many are accepted, duplicates and conflicts."""
        accepted = duplicates = conflicts = 0
        for event in batch:
            known = self.events.get(event.id)
            if known is None:
                self.events[event.id] = event
                accepted += 1
                if event.id in self.remembered:
                    self.voided.add(event.id)
            elif known == event:
                duplicates += 1
                self.resent[event.id] += 1
            else:
                conflicts += 1
        return accepted, duplicates, conflicts

    def void(self, ids: set[str], *, remember: bool) -> tuple[int, int, int]:
        """Return how many are voided now, were before, and are not there."""
        there = {each for each in ids if each in self.events}
        fresh = there - self.voided
        self.voided |= fresh
        if remember:
            self.remembered |= ids - there
        return len(fresh), len(there - fresh), len(ids - there)

    def counted(self) -> list[Event]:
        """Return the events that count, in the order of the log."""
        return [event.as_event() for event in self.events.values() if event.id not in self.voided]

    def usage_by_customer(self) -> dict[str, tuple[Decimal, int]]:
        """Return the sum and the number of the events that count, by customer."""
        totals: dict[str, tuple[Decimal, int]] = {}
        for event in self.events.values():
            if event.id not in self.voided:
                total, count = totals.get(event.customer, (Decimal(0), 0))
                totals[event.customer] = (total + Decimal(event.value), count + 1)
        return totals
