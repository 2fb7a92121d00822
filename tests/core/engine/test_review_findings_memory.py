"""What is in memory only is bounded by bytes as well as by events."""

from __future__ import annotations

from pathlib import Path
from time import monotonic

from tallystick.engine import Engine
from tallystick.engine_settings import EngineSettings

from .conftest import EngineHouse, call

_PATIENCE_S = 20


def test_large_events_are_written_to_files_sooner_than_their_number_asks(tmp_path: Path) -> None:
    settings = EngineSettings(checkpoint_events=1_000, disk_free_min_bytes=0)
    house = EngineHouse(tmp_path / "data", settings=settings)
    house.engine.close()
    # With its background; the clock stands still, so that no checkpoint is due by age.
    house.engine = Engine.open(house.directory, clock=house.clock, entropy=house.entropy, settings=settings)
    for number in range(100):
        text = f"{number} " * 2_000
        house.engine.ingest(house.batch(call(f"e{number}", properties={"text": text[:8_000]})))
    deadline = monotonic() + _PATIENCE_S
    while house.engine.health().counters["checkpoints"] == 0:
        assert monotonic() < deadline, "800 kB are in memory, and 1,000 usual events were the bound"
    house.engine.close()
