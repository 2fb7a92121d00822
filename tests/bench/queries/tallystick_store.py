"""Tallystick without HTTP: the engine on a loaded directory. `python -m … DIRECTORY EVENTS` loads one."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import cast

import polars as pl

from tallystick.decode import DecodeLimits, decode_events
from tallystick.engine import Engine
from tallystick.engine_settings import EngineSettings
from tallystick.instant import NS_PER_DAY, Instant
from tallystick.meter import Meter
from tallystick.usage.answer import UsageAnswer
from tallystick.usage.question import UsageQuestion, WindowSize
from tallystick_server.present import SystemClock, SystemEntropy
from tests.bench.measured_process import resident_bytes
from tests.bench.queries.asked import FILTERED_REGION, TOP, Asked, Question
from tests.bench.queries.month_of_events import END, EVENT_TYPE, START, month_of_events

METERS = (
    Meter(key="spend", name="Spend", event_type=EVENT_TYPE, aggregation="sum"),
    Meter(key="customers", name="Customers", event_type=EVENT_TYPE, aggregation="unique", field="customer"),
)
_BATCH_EVENTS = 10_000
_UNDER_WAY = 16


class NotTaken(Exception):
    """The engine refused events of the bench."""


def load(directory: Path, *, events: int) -> None:
    """Load the month into a data directory that is not there yet, and bring its files into their final order."""
    engine = opened(directory)
    try:
        for meter in METERS:
            engine.put_meter(meter, create=True)
        for chunk in month_of_events(events):
            _ingest(engine, chunk)
        engine.checkpoint()
        while engine.merge():
            pass
    finally:
        engine.close()


def opened(directory: Path) -> Engine:
    """Open or make a data directory, with a queue that holds what a bench sends."""
    # Merges are asked for once at the end, as they would be made while nothing comes.
    return Engine.open(
        directory,
        clock=SystemClock(),
        entropy=SystemEntropy(),
        settings=EngineSettings(queue_events_max=2_000_000, queue_bytes_max=1 << 30),
    )


def _ingest(engine: Engine, events: pl.DataFrame) -> None:
    """Send the events as requests of 10,000, as the server would have decoded them."""
    clock, entropy, limits = SystemClock(), SystemEntropy(), DecodeLimits()
    for piece in events.iter_slices(_BATCH_EVENTS):
        batch = decode_events(
            _body(piece), media_type="application/json", received_at=clock.now(), limits=limits, entropy=entropy
        )
        answer = engine.ingest(batch)
        if answer.accepted != piece.height:
            raise NotTaken(repr(answer))


def _body(events: pl.DataFrame) -> bytes:
    digits = os.urandom(12 * events.height).hex()
    cents = pl.col("cents")
    texts = events.with_columns(id=pl.Series([digits[at : at + 24] for at in range(0, len(digits), 24)])).select(
        pl.concat_str(
            pl.lit('{"id":"'),
            "id",
            pl.lit(f'","type":"{EVENT_TYPE}","customer":"'),
            "customer",
            pl.lit('","time":'),
            "time_ms",
            pl.lit(',"value":'),
            cents // 100,
            pl.lit("."),
            (cents % 100).cast(pl.String).str.zfill(2),
            pl.lit(',"properties":{"endpoint":"'),
            "endpoint",
            pl.lit('","region":"'),
            "region",
            pl.lit('"}}'),
        )
    )
    return f"[{','.join(texts.to_series().to_list())}]".encode()


def usage_question(asked: Asked) -> tuple[str, UsageQuestion]:
    """Return the meter and the question."""
    start, end = Instant(START), Instant(END)
    match asked.question:
        case Question.CUSTOMER_BY_DAY:
            return "spend", UsageQuestion(
                start=start, end=end, window=WindowSize.DAY, filter={"customer": (asked.customer,)}
            )
        case Question.TOP_CUSTOMERS:
            return "spend", UsageQuestion(start=start, end=end, group_by=("customer",), limit=TOP)
        case Question.CUSTOMERS_BY_DAY:
            return "spend", UsageQuestion(start=start, end=end, window=WindowSize.DAY, group_by=("customer",))
        case Question.ENDPOINTS_OF_REGION:
            return "spend", UsageQuestion(
                start=start, end=end, group_by=("endpoint",), filter={"region": (FILTERED_REGION,)}
            )
        case Question.DISTINCT_BY_DAY:
            return "customers", UsageQuestion(start=start, end=end, window=WindowSize.DAY)


class TallystickStore:
    """The engine in this process."""

    def __init__(self, directory: Path) -> None:
        self._engine = opened(directory)

    def ask(self, asked: Asked) -> UsageAnswer:
        """Ask for usage."""
        key, question = usage_question(asked)
        return self._engine.usage(key, question)

    def forget(self) -> None:
        """Drop all states that earlier questions left, and wait until nothing is under way."""
        self.settle()
        self._engine.states_view().partials.forget()

    def settle(self) -> None:
        """Wait until nothing is done in the background."""
        self._engine.states_view().partials.wait()

    def rows(self, asked: Asked, answer: object) -> list[tuple[object, ...]]:
        """Return the rows of the answer."""
        rows = cast("UsageAnswer", answer).rows
        match asked.question:
            case Question.CUSTOMER_BY_DAY:
                return [(row.start // NS_PER_DAY, row.value, row.events) for row in rows]
            case Question.CUSTOMERS_BY_DAY:
                return [(row.group["customer"], row.start // NS_PER_DAY, row.value, row.events) for row in rows]
            case Question.DISTINCT_BY_DAY:
                return [(row.start // NS_PER_DAY, row.value) for row in rows]
            case Question.TOP_CUSTOMERS | Question.ENDPOINTS_OF_REGION:
                return [(*row.group.values(), row.value, row.events) for row in rows]

    def add(self, events: pl.DataFrame) -> None:
        """Send the events to the engine."""
        _ingest(self._engine, events)

    def memory_bytes(self) -> int:
        """Return the memory of this process."""
        return resident_bytes(os.getpid())

    def close(self) -> None:
        """Close the engine."""
        self._engine.close()


if __name__ == "__main__":
    load(Path(sys.argv[1]), events=int(sys.argv[2]))
