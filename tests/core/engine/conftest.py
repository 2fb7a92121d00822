"""An engine on a real disk, with a clock and an entropy of the test's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tallystick.decode import DecodeLimits, decode_events
from tallystick.engine import Engine
from tallystick.engine_settings import EngineSettings
from tallystick.event_batch import EventBatch
from tallystick.progress import Progress
from tallystick.testing import ManualClock, SeededEntropy


class EngineHouse:
    """A directory, and the engine that is open on it now; `restart` is what a crash or an operator does."""

    def __init__(
        self, directory: Path, *, settings: EngineSettings | None = None, clock: ManualClock | None = None
    ) -> None:
        self.directory = directory
        self.clock = clock or ManualClock()
        self.entropy = SeededEntropy()
        self.settings = settings or EngineSettings(checkpoint_events=50, disk_free_min_bytes=0)
        self.engine = self.open()

    def open(self) -> Engine:
        return Engine.open(
            self.directory, clock=self.clock, entropy=self.entropy, settings=self.settings, with_background=False
        )

    def restart(self) -> None:
        """Open the directory anew. Closing writes nothing, so this is what remains after a crash, too."""
        self.engine.close()
        self.engine = self.open()

    def batch(self, *events: dict[str, object]) -> EventBatch:
        """Return events as a request would bring them."""
        return decode_events(
            msgspec.json.encode(events),
            media_type="application/json",
            received_at=self.clock.now(),
            limits=DecodeLimits(),
            entropy=self.entropy,
        )


def call(event_id: str, *, customer: str = "acme", **fields: object) -> dict[str, object]:
    """Return an event of one type at one time; `fields` beats the rest."""
    return {"id": event_id, "type": "call", "customer": customer, "time": "2026-11-01T10:00:00Z", **fields}


def ignore(_progress: Progress) -> None:
    """Report to nobody."""


@pytest.fixture
def house(tmp_path: Path) -> Iterator[EngineHouse]:
    house = EngineHouse(tmp_path / "data")
    yield house
    house.engine.close()
