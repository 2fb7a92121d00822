"""A process that feeds the engine without HTTP: bodies from a pipe, decoded and submitted as the server does, several under way.

Started as `python -m tests.bench.engine_load DIRECTORY EVENTS`. Prints one line of JSON (`LoadReport`) once that many events are on
disk, and then goes on, so that it can be killed under load.
"""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

import msgspec

from tallystick.decode import DecodeLimits, decode_events
from tallystick.engine import Engine
from tallystick.engine_settings import EngineSettings
from tallystick.errors import TallystickError
from tallystick.store import IngestAnswer
from tallystick_server.present import SystemClock, SystemEntropy
from tests.bench.event_source import BATCH, read_bodies
from tests.bench.load_report import LoadReport

UNDER_WAY = 64  # as many requests as the HTTP runs have connections
EARLY_EVENTS = 1_000_000
WINDOW_EVENTS = 2_000_000


class LoadRefused(Exception):
    """The engine did not take an event of the bench: the figure would mean nothing."""


class _Answered:
    """How many events are on disk, and when round numbers of them were."""

    def __init__(self, marks: set[int]) -> None:
        self.slots = threading.Semaphore(UNDER_WAY)
        self.count = 0
        self.reached_at: dict[int, float] = {}
        self.refusal: str | None = None
        self._marks = marks

    def done(self, answer: IngestAnswer | TallystickError) -> None:
        if not isinstance(answer, IngestAnswer) or answer.accepted != BATCH:
            self.refusal = repr(answer)
        self.count += BATCH  # on the writer's thread alone
        if self.count in self._marks:
            self.reached_at[self.count] = time.perf_counter()
        self.slots.release()


def feed(directory: Path, *, events: int) -> None:
    """Feed the engine for ever; print the report when `events` are on disk. Raises `LoadRefused`."""
    clock, entropy, limits = SystemClock(), SystemEntropy(), DecodeLimits()
    engine = Engine.open(directory, clock=clock, entropy=entropy, settings=EngineSettings())
    first = BATCH
    early_start = min(EARLY_EVENTS, events // 4)
    early_end = min(early_start + WINDOW_EVENTS, events // 2)
    late_start = events - (early_end - early_start)
    answered = _Answered({first, early_start, early_end, late_start, events})
    is_reported = False
    for body in read_bodies(sys.stdin.buffer):
        batch = decode_events(
            body, media_type="application/json", received_at=clock.now(), limits=limits, entropy=entropy
        )
        answered.slots.acquire()
        engine.submit(batch, answered.done)
        if answered.refusal is not None:
            raise LoadRefused(answered.refusal)
        if not is_reported and events in answered.reached_at:
            at = answered.reached_at
            window = early_end - early_start
            report = LoadReport(
                events=events,
                early_per_s=window / (at[early_end] - at[early_start]),
                late_per_s=window / (at[events] - at[late_start]),
                overall_per_s=(events - first) / (at[events] - at[first]),
            )
            sys.stdout.write(msgspec.json.encode(report).decode() + "\n")
            sys.stdout.flush()
            is_reported = True


if __name__ == "__main__":
    feed(Path(sys.argv[1]), events=int(sys.argv[2]))
