"""The system's clock is set by an hour, a day or a year, forwards and back: order, identities and figures stay right."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from tallystick.api_key import Scope
from tallystick.decode import DecodeLimits, decode_events
from tallystick.engine import Engine
from tallystick.engine.engine import ignore_progress
from tallystick.engine_settings import EngineSettings
from tallystick.instant import NS_PER_HOUR, Instant
from tallystick.testing import ManualClock, SeededEntropy
from tests.crash import numbered_events, small_engine
from tests.crash.numbered_events import BATCH_EVENTS, numbers

HOUR = 3_600
JUMPS = [HOUR, -HOUR, 24 * HOUR, -24 * HOUR, -365 * 24 * HOUR]


def sent(engine: Engine, clock: ManualClock, batch: int) -> tuple[int, int]:
    # Times are the senders' own, so the appliance's clock only says what lies in the future.
    limits = DecodeLimits(future_ns_max=10_000 * NS_PER_HOUR)
    body = numbered_events.body(numbers(batch))
    answer = engine.ingest(
        decode_events(
            body, media_type="application/json", received_at=clock.now(), limits=limits, entropy=SeededEntropy()
        )
    )
    assert answer.rejected == []
    return answer.accepted, answer.duplicates


@pytest.mark.parametrize("jump", JUMPS)
def test_a_jump_of_the_clock_changes_neither_order_nor_identity_nor_figures(jump: int, memory_folder: Path) -> None:
    clock = ManualClock(small_engine.NOW)
    engine = Engine.open(memory_folder / "data", clock=clock, entropy=SeededEntropy(), settings=small_engine.SETTINGS)
    for batch in range(4):
        assert sent(engine, clock, batch) == (BATCH_EVENTS, 0)
    clock.advance(jump)
    for batch in range(8):
        assert sent(engine, clock, batch) == ((0, BATCH_EVENTS) if batch < 4 else (BATCH_EVENTS, 0))
    engine.checkpoint()
    clock.advance(-jump)
    for batch in range(8):
        assert sent(engine, clock, batch) == (0, BATCH_EVENTS)
    everything = range(8 * BATCH_EVENTS)
    assert small_engine.figure(engine, small_engine.COUNT) == len(everything)
    assert small_engine.figure(engine, small_engine.SUM) == numbered_events.total(everything)
    positions = [stored.position for stored in engine.scan_log()]
    assert all(before < after for before, after in pairwise(positions))
    assert engine.verify(ignore_progress).problems == []
    engine.close()


def test_a_key_expires_by_the_clock_as_it_is_now(memory_folder: Path) -> None:
    clock = ManualClock(small_engine.NOW)
    engine = Engine.open(memory_folder / "data", clock=clock, entropy=SeededEntropy(), settings=small_engine.SETTINGS)
    _, secret = engine.create_api_key(
        name="short", scopes=[Scope.READ], expires_at=Instant(clock.now() + NS_PER_HOUR // 2)
    )
    assert engine.authenticate(secret) is not None
    clock.advance(HOUR)
    assert engine.authenticate(secret) is None
    clock.advance(-HOUR)
    assert engine.authenticate(secret) is not None
    engine.close()


def test_with_a_dedupe_window_a_clock_set_back_forgets_nothing_too_early(memory_folder: Path) -> None:
    clock = ManualClock(small_engine.NOW)
    settings = EngineSettings(
        checkpoint_events=160, disk_free_min_bytes=1 << 20, map_bytes_max=1 << 30, dedupe_window_s=2 * HOUR
    )
    engine = Engine.open(
        memory_folder / "data", clock=clock, entropy=SeededEntropy(), settings=settings, with_background=False
    )
    assert sent(engine, clock, 0) == (BATCH_EVENTS, 0)
    clock.advance(-24 * HOUR)
    engine.checkpoint()
    engine.merge()
    assert sent(engine, clock, 0) == (0, BATCH_EVENTS)
    clock.advance(25 * HOUR)
    engine.merge()
    assert sent(engine, clock, 0) == (0, BATCH_EVENTS)
    clock.advance(3 * HOUR)
    engine.merge()
    assert sent(engine, clock, 0) == (BATCH_EVENTS, 0)
    engine.close()
