"""What is in memory only is bounded by bytes as well as by events."""

from __future__ import annotations

from pathlib import Path
from time import monotonic

from tallystick.engine import Engine
from tallystick.engine.block_cache import BlockCache
from tallystick.engine_settings import EngineSettings
from tallystick.identity import Identity
from tallystick.log.event_log import EventLog

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


def test_re_sends_are_written_once_they_are_many_and_not_by_age_alone(tmp_path: Path) -> None:
    settings = EngineSettings(checkpoint_events=10, disk_free_min_bytes=0)
    house = EngineHouse(tmp_path / "data", settings=settings)
    house.engine.ingest(house.batch(call("a")))
    house.engine.checkpoint()
    house.engine.close()
    house.engine = Engine.open(house.directory, clock=house.clock, entropy=house.entropy, settings=settings)
    house.engine.ingest(house.batch(*(call("a") for _ in range(100))))
    deadline = monotonic() + _PATIENCE_S
    while house.engine.health().counters["checkpoints"] == 0:
        assert monotonic() < deadline, "a hundred re-sends wait in memory"
    receipt = house.engine.receipt(Identity("", "a"))
    assert receipt is not None
    assert receipt.duplicates_seen == 100
    house.engine.close()


def test_the_cache_of_blocks_is_bounded_by_bytes_where_events_are_large(tmp_path: Path) -> None:
    settings = EngineSettings(disk_free_min_bytes=0, block_cache_bytes=100_000)
    house = EngineHouse(tmp_path / "data", settings=settings)
    texts = [f"{number} {letter}" * 1_300 for number in range(10) for letter in "ab"]
    for number, text in enumerate(texts):
        house.engine.ingest(house.batch(call(f"e{number}", properties={"text": text[:8_000]})))
    log = EventLog(house.engine._ledger.tables)  # pyright: ignore[reportPrivateUsage] - the engine offers no other way to its log
    cache = BlockCache(log, bytes_max=settings.block_cache_bytes)
    first = cache.columns_at(1)
    assert cache.columns_at(1) is first
    for position in range(2, len(texts) + 1):
        cache.columns_at(position)
    assert cache.columns_at(1) is not first
    house.engine.close()
