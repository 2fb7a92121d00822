"""An engine whose limits are so small that checkpoints and merges happen all the time, on a clock that a test moves."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Final

from tallystick.decode import DecodeLimits, decode_events
from tallystick.engine import Engine
from tallystick.engine_settings import EngineSettings
from tallystick.event_batch import EventBatch
from tallystick.instant import Instant, parse_instant
from tallystick.meter import Meter
from tallystick.testing import ManualClock, SeededEntropy
from tallystick.usage.question import UsageQuestion
from tests.crash import numbered_events

SETTINGS: Final = EngineSettings(
    checkpoint_events=160, disk_free_min_bytes=1 << 20, map_bytes_max=1 << 30, block_cache_bytes=1 << 20
)
NOW: Final = "2026-11-01T12:00:00Z"
_LIMITS: Final = DecodeLimits()
COUNT: Final = Meter(key="calls", name="Calls", event_type=numbered_events.TYPE, aggregation="count")
SUM: Final = Meter(key="units", name="Units", event_type=numbered_events.TYPE, aggregation="sum")


def opened(
    directory: Path,
    *,
    settings: EngineSettings = SETTINGS,
    with_background: bool = True,
    clock: ManualClock | None = None,
) -> Engine:
    """Open the directory."""
    return Engine.open(
        directory,
        clock=clock or ManualClock(NOW),
        # The directory keeps the seed of its index, so another sequence in each process is as in production.
        entropy=SeededEntropy(),
        settings=settings,
        with_background=with_background,
    )


def batch_of(body: bytes) -> EventBatch:
    """Return what a request holds."""
    received_at: Instant = parse_instant(NOW)
    return decode_events(
        body, media_type="application/json", received_at=received_at, limits=_LIMITS, entropy=SeededEntropy()
    )


def figure(engine: Engine, meter: Meter) -> Decimal:
    """Return the total over all numbered events."""
    question = UsageQuestion(start=parse_instant(numbered_events.START), end=parse_instant(numbered_events.END))
    totals = engine.preview(meter, question).totals
    return Decimal(0) if not totals or totals[0].value is None else totals[0].value
