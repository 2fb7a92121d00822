"""An engine with some segments, late events among them, and questions whose states it has made."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tallystick.instant import parse_instant
from tallystick.meter import Meter
from tallystick.usage.question import UsageQuestion, WindowSize
from tests.core.engine.conftest import EngineHouse

METER = Meter(key="m", name="M", event_type="call", aggregation="sum")
BY_DAY = UsageQuestion(
    start=parse_instant("2026-10-01T00:00:00Z"),
    end=parse_instant("2026-11-01T00:00:00Z"),
    window=WindowSize.DAY,
    group_by=("customer",),
)


def send(house: EngineHouse, first: int, count: int) -> None:
    """Send numbered events, each an hour after the one before, and make a segment of them."""
    batch: list[dict[str, object]] = [
        {
            "id": f"id-{number}",
            "type": "call",
            "customer": f"c-{number % 7}",
            "time": f"2026-10-{1 + number // 24 % 30:02d}T{number % 24:02d}:30:00Z",
            "value": number,
        }
        for number in range(first, first + count)
    ]
    house.engine.ingest(house.batch(*batch))
    house.engine.checkpoint()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[EngineHouse]:
    house = EngineHouse(tmp_path / "data")
    for first in range(0, 600, 200):
        send(house, first, 200)
    yield house
    house.engine.close()
