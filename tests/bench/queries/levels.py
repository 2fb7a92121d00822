"""A level over a year by day: 336,776 events that move it up and down, as many as the flights of the demonstration's year."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import numpy as np
import polars as pl

from tallystick.decode import DecodeLimits, decode_events
from tallystick.instant import NS_PER_DAY, NS_PER_MS, NS_PER_S, Instant
from tallystick.meter import Meter
from tallystick.usage.question import UsageQuestion, WindowSize
from tallystick_server.present import SystemClock, SystemEntropy
from tests.bench.queries.tallystick_store import opened

EVENTS = 336_776
CUSTOMERS = 16
START = int(datetime(2025, 1, 1, tzinfo=UTC).timestamp()) * NS_PER_S
METER = Meter(key="level", name="Level", event_type="flight", aggregation="running_total")
_BATCH_EVENTS = 10_000


class LevelTimes(msgspec.Struct, frozen=True):
    """Seconds of the first question, and of later ones."""

    first_s: float
    later_s: float
    rows: int


def measure(directory: Path) -> LevelTimes:
    """Load the year into a fresh directory and ask for each day's level."""
    random = np.random.default_rng(17)
    clock, entropy = SystemClock(), SystemEntropy()
    engine = opened(directory)
    try:
        times = np.sort(random.integers(0, 365 * NS_PER_DAY // NS_PER_MS, EVENTS)) + START // NS_PER_MS
        frame = pl.DataFrame(
            {"time": times, "customer": random.integers(0, CUSTOMERS, EVENTS), "move": random.choice([-1, 1], EVENTS)}
        )
        for piece in frame.iter_slices(_BATCH_EVENTS):
            body = msgspec.json.encode(
                [
                    {
                        "type": "flight",
                        "customer": f"carrier-{customer}",
                        "time": at,
                        "value": move,
                        "id": entropy.token_bytes(12).hex(),
                    }
                    for at, customer, move in piece.iter_rows()
                ]
            )
            engine.ingest(
                decode_events(
                    body,
                    media_type="application/json",
                    received_at=clock.now(),
                    limits=DecodeLimits(),
                    entropy=entropy,
                )
            )
        engine.checkpoint()
        question = UsageQuestion(start=Instant(START), end=Instant(START + 365 * NS_PER_DAY), window=WindowSize.DAY)
        seconds: list[float] = []
        rows = 0
        for _ in range(4):
            started = time.perf_counter()
            rows = len(engine.preview(METER, question).rows)
            seconds.append(time.perf_counter() - started)
        return LevelTimes(seconds[0], sorted(seconds[1:])[1], rows)
    finally:
        engine.close()


if __name__ == "__main__":
    sys.stdout.write(msgspec.json.encode(measure(Path(sys.argv[1]))).decode() + "\n")
