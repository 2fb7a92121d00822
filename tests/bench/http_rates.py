"""Rates over HTTP: each subject in turn, batches of 1, 100 and 1,000, the same generator; then Tallystick's delays and its duplicates."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import msgspec

from tests.bench.bench_events import bodies, write_templates
from tests.bench.figures import Rate
from tests.bench.measured_process import cpu_s
from tests.bench.paced_client import http_request, send
from tests.bench.subjects import (
    Subject,
    decode_discard,
    decode_discard_twice,
    events_in_log,
    postgresql_ingest,
    tallystick,
)
from tests.bench.wrk import CONNECTIONS, load

BATCHES = (1, 100, 1_000)
WARM_UP_S = 2
TALLYSTICK = "Tallystick, fsync"
DISCARD = "decode, discard"
DISCARD_TWICE = "Litestar `data`, discard"
POSTGRESQL = "PostgreSQL 15, fsync"
SUBJECTS: dict[str, Callable[[Path], AbstractContextManager[Subject]]] = {
    DISCARD: decode_discard,
    DISCARD_TWICE: decode_discard_twice,
    TALLYSTICK: tallystick,
    POSTGRESQL: postgresql_ingest,
}


class NotCounted(Exception):
    """The subject answered with success, and did something else than what is measured."""


class Delays(msgspec.Struct, frozen=True, kw_only=True):
    """Acknowledge times at a fixed rate, single events, from the time each was due."""

    rate_per_s: float
    requests: int
    p50_ms: float
    p99_ms: float
    max_ms: float


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """The same events sent twice, in batches of 1,000 over 64 connections."""

    events: int
    new_per_s: float
    duplicates_per_s: float


def measure_rates(subject_name: str, folder: Path, *, seconds: float) -> list[Rate]:
    """Start one subject afresh and load it with each batch size; a warm-up before each does not count."""
    rates: list[Rate] = []
    with SUBJECTS[subject_name](folder) as subject:
        for batch in BATCHES:
            templates = folder / f"bodies-{batch}.json"
            if not templates.exists():
                write_templates(templates, batch=batch)
            load(subject, templates=templates, seconds=WARM_UP_S, seed=2 * batch)
            before, cpu_before_s = events_in_log(subject), _cpu_s(subject)
            seen = load(subject, templates=templates, seconds=seconds, seed=2 * batch + 1)
            if subject.says_count and events_in_log(subject) - before < seen.requests * batch:
                raise NotCounted(
                    f"{subject_name} answered {seen.requests} requests of {batch}, and counted fewer events"
                )
            rates.append(
                Rate(
                    subject=subject_name,
                    batch=batch,
                    requests_per_s=seen.requests_per_s,
                    p50_ms=seen.p50_us / 1e3,
                    p99_ms=seen.p99_us / 1e3,
                    cpu_us_per_event=_cpu_us(subject, cpu_before_s, seen.requests * batch),
                )
            )
    return rates


def _cpu_s(subject: Subject) -> float:
    return 0.0 if subject.pid is None else cpu_s(subject.pid)


def _cpu_us(subject: Subject, before_s: float, events: int) -> float | None:
    return None if subject.pid is None else (cpu_s(subject.pid) - before_s) * 1e6 / events


def _requests(subject: Subject, *, seed: int, batch: int, count: int) -> Sequence[bytes]:
    return [http_request(body, subject.headers) for body in itertools.islice(bodies(seed=seed, batch=batch), count)]


def measure_delays(folder: Path, *, rate_per_s: float, seconds: float) -> Delays:
    """Send single events to a fresh appliance at a fixed rate."""
    with tallystick(folder) as subject:
        count = round(rate_per_s * seconds)
        warm_up = _requests(subject, seed=11, batch=1, count=round(rate_per_s * WARM_UP_S))
        send(subject.port, warm_up, connections=CONNECTIONS, rate_per_s=rate_per_s)
        requests = _requests(subject, seed=12, batch=1, count=count)
        paced = send(subject.port, requests, connections=CONNECTIONS, rate_per_s=rate_per_s)
    return Delays(
        rate_per_s=rate_per_s,
        requests=count,
        p50_ms=paced.percentile_ms(50),
        p99_ms=paced.percentile_ms(99),
        max_ms=paced.percentile_ms(100),
    )


def measure_replay(folder: Path, *, events: int) -> Replay:
    """Send events to a fresh appliance, and the very same again."""
    with tallystick(folder) as subject:
        warm_up = _requests(subject, seed=21, batch=1_000, count=100)
        send(subject.port, warm_up, connections=CONNECTIONS)
        requests = _requests(subject, seed=22, batch=1_000, count=events // 1_000)
        before = events_in_log(subject)
        new = send(subject.port, requests, connections=CONNECTIONS)
        between = events_in_log(subject)
        again = send(subject.port, requests, connections=CONNECTIONS)
        after = events_in_log(subject)
        if (between - before, after - between) != (events, 0):
            raise NotCounted(f"of {events} events sent twice, {between - before} were counted, then {after - between}")
    return Replay(events=events, new_per_s=events / new.duration_s, duplicates_per_s=events / again.duration_s)
