"""What every figure must and should be: the one place where the bench's demands stand."""

from __future__ import annotations

from collections.abc import Sequence

from tests.bench.engine_rates import EngineFigures
from tests.bench.figures import Figure, Rate, number
from tests.bench.http_rates import BATCHES, DISCARD, DISCARD_TWICE, POSTGRESQL, TALLYSTICK, Delays, Replay

GIB = 2**30


def _ratio(rates: Sequence[Rate], other: str, *, batch: int, must: float, aim: float) -> list[Figure]:
    found = {rate.subject: rate.events_per_s for rate in rates if rate.batch == batch}
    if TALLYSTICK not in found or other not in found:
        return []
    ours, theirs = found[TALLYSTICK], found[other]
    return [
        Figure(
            name=f"against {other}, batch {batch:,}",
            measured=ours / theirs,
            must=must,
            aim=aim,
            evidence=f"{number(ours)} : {number(theirs)} events/s",
        )
    ]


def rate_figures(rates: Sequence[Rate]) -> list[Figure]:
    """Compare Tallystick with PostgreSQL, and with doing nothing but decoding."""
    figures: list[Figure] = []
    for batch in BATCHES:
        figures += _ratio(rates, POSTGRESQL, batch=batch, must=5, aim=10)
    for other in (DISCARD, DISCARD_TWICE):
        for batch in BATCHES[1:]:
            figures += _ratio(rates, other, batch=batch, must=0.6, aim=0.85)
    return figures


def delay_figures(delays: Delays | None) -> list[Figure]:
    """Judge the acknowledge times."""
    if delays is None:
        return []
    name = "p99 acknowledge time, batch 1, 64 connections, half of the top rate"
    evidence = f"{number(delays.rate_per_s)} requests/s; p50 {number(delays.p50_ms)} ms, max {number(delays.max_ms)} ms"
    return [Figure(name=name, measured=delays.p99_ms, must=25, aim=10, unit="ms", is_ceiling=True, evidence=evidence)]


def replay_figures(replay: Replay | None) -> list[Figure]:
    """Judge duplicates against new events."""
    if replay is None:
        return []
    measured = replay.duplicates_per_s / replay.new_per_s
    evidence = f"{number(replay.duplicates_per_s)} : {number(replay.new_per_s)} events/s"
    return [Figure(name=f"replay of {replay.events:,} events", measured=measured, must=1, aim=2, evidence=evidence)]


def engine_figures(engine: EngineFigures | None) -> list[Figure]:
    """Judge the engine at its size."""
    if engine is None:
        return []
    size = f"{engine.events / 1e6:,.0f} M"
    rates = (
        f"{number(engine.late_per_s)} : {number(engine.early_per_s)} events/s; {number(engine.overall_per_s)} over all"
    )
    memory = f"highest {number(engine.memory_peak_bytes / GIB)}, after the restart {number(engine.memory_after_restart_bytes / GIB)}"
    return [
        Figure(
            name=f"rate at {size} keys against 1 M (engine, no HTTP)",
            measured=engine.late_per_s / engine.early_per_s,
            must=0.7,
            aim=0.9,
            evidence=rates,
        ),
        Figure(
            name="disk per event, all projections",
            measured=engine.disk_bytes_per_event,
            must=100,
            aim=60,
            unit="bytes",
            is_ceiling=True,
            evidence=f"{number(engine.disk_bytes / GIB)} GiB",
        ),
        Figure(
            name=f"memory at {size} events",
            measured=engine.memory_bytes / GIB,
            must=1.5,
            aim=0.7,
            unit="GiB",
            is_ceiling=True,
            evidence=memory,
        ),
        Figure(
            name=f"ready after kill -9 at {size} events",
            measured=engine.ready_after_kill_s,
            must=5,
            aim=1,
            unit="s",
            is_ceiling=True,
            evidence="from the start of the process to 200 at /health/ready",
        ),
    ]
