"""Whatever is asked, of whatever was sent, voided, merged and restarted in between: states answer as the events themselves do."""

from __future__ import annotations

import tempfile
from pathlib import Path
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.engine_settings import EngineSettings
from tallystick.event import Position
from tallystick.identity import Identity
from tallystick.instant import NS_PER_HOUR, NS_PER_MS, Instant, format_instant, parse_instant
from tallystick.meter import Meter
from tallystick.partials import fold_columns
from tallystick.usage.question import Fill, Order, UsageQuestion, WindowSize
from tests.core.engine.conftest import EngineHouse
from tests.core.partials.asking_twice import from_events, from_states

# Clocks are moved that night in Berlin, three weeks before in Lord Howe (by half an hour); Kathmandu is 5:45 ahead.
AROUND = parse_instant("2026-10-25T00:00:00Z")
ZONES = ["UTC", "UTC", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe", "America/Sao_Paulo"]
CUSTOMERS = ["acme", "acme", "acme ", "globex", "ü"]
VALUES = ["1", "2.5", "-3", "0.01", "7"]
# Values that no whole number of a scale holds, or whose sum needs more than 64 bits.
WILD_VALUES = ["0.000000000001", "99999999999999999999999999", "-9223372036854775807", "9223372036.854775807"]
FILTERS: list[dict[str, tuple[str, ...]]] = [
    {},
    {},
    {"customer": ("acme",)},
    {"customer": ("acme", "ü", "nobody")},
    {"customer": ("globex",), "region": ("eu", "nowhere")},
    {"customer": ("acme", *(f"c{number}" for number in range(20)))},
    {"region": ("eu",)},
    {"ip": ("7", "8"), "region": ("us", "eu")},
]
GROUPS: list[tuple[str, ...]] = [
    (),
    ("customer",),
    ("region",),
    ("region", "customer"),
    ("customer", "ip"),
    ("nothing",),
]
METERS = [
    *(
        Meter(key="m", name="M", event_type="call", aggregation=aggregation, field=field)
        for aggregation in ("count", "sum", "min", "max", "avg", "latest")
        for field in ("value", "properties.tokens")
    ),
    Meter(key="m", name="M", event_type="call", aggregation="sum", filter={"region": ("eu", "1.5")}),
    Meter(key="m", name="M", event_type="call", aggregation="count", filter={"customer": ("acme", "globex")}),
    Meter(key="m", name="M", event_type="call", aggregation="count", field="customer"),
    *(
        Meter(key="m", name="M", event_type="call", aggregation="unique", fields=fields)
        for fields in (("customer",), ("properties.ip",), ("value",), ("customer", "properties.region"))
    ),
    # A plugin's states are bytes that it alone can read.
    *(
        Meter(key="m", name="M", event_type="call", aggregation="percentile", options={"p": 60, "exact_up_to": few})
        for few in (0, 3)
    ),
    Meter(
        key="m",
        name="M",
        event_type="call",
        aggregation="weighted",
        options={"property": "region", "weights": {"eu": "1.5", "us": -2}, "otherwise": "0.1"},
    ),
]


class Program:
    """One life of an engine, drawn from a seed: dense enough that every way through the states is taken within a few of them."""

    def __init__(self, random: Random, folder: Path) -> None:
        self.random = random
        limits = EngineSettings(
            checkpoint_events=50,
            disk_free_min_bytes=0,
            partials_disk_bytes=random.choice([0, 8_000, 1 << 30]),
            partials_memory_bytes=random.choice([3_000, 1 << 30, 1 << 30]),
            columns_memory_bytes=random.choice([0, 20_000, 1 << 30]),
        )
        self.house = EngineHouse(folder / "data", settings=limits)
        self.sent = 0
        self.values = VALUES if random.random() < 0.7 else VALUES + WILD_VALUES
        self.hours = random.choice([3, 40, 100])
        self.meters = random.sample(METERS, 4)
        self.questions = [self.question() for _ in range(6)]

    def time(self) -> int:
        hour = AROUND + self.random.randint(-self.hours, self.hours) * NS_PER_HOUR
        return hour + self.random.choice([0, -1, 1, 900_000, 1_800_000]) * NS_PER_MS

    def question(self) -> UsageQuestion:
        random = self.random
        start, end = sorted((self.time() - random.choice([0, 40]) * NS_PER_HOUR, self.time()))
        if random.random() < 0.3:
            start, end = AROUND - 6 * 24 * NS_PER_HOUR, AROUND + 6 * 24 * NS_PER_HOUR
        window = random.choice(
            [each for each in WindowSize if each is not WindowSize.MINUTE or end - start < 20 * NS_PER_HOUR]
        )
        return UsageQuestion(
            start=Instant(start),
            end=Instant(end),
            window=window,
            timezone=random.choice(ZONES),
            group_by=random.choice(GROUPS),
            filter=random.choice(FILTERS),
            limit=random.choice([None, None, 1, 2]),
            order=random.choice(list(Order)),
            fill=Fill.ZERO if window is not WindowSize.MINUTE and random.random() < 0.2 else Fill.NONE,
        )

    def send(self) -> None:
        random = self.random
        batch: list[dict[str, object]] = []
        for number in range(random.randint(1, 90)):
            having: dict[str, object] = {"ip": random.randint(0, random.choice([9, 400]))}
            if random.random() < 0.8:
                having["region"] = random.choice(["eu", "us", 1.5])
            if random.random() < 0.8:
                having["tokens"] = random.choice([1, 2.5, "3", "x", 1e20])
            batch.append(
                {
                    "id": f"id-{self.sent + number}",
                    "type": "call" if random.random() < 0.9 else "other",
                    "customer": random.choice(CUSTOMERS),
                    "time": format_instant(Instant(self.time())),
                    "value": random.choice(self.values),
                    "properties": having,
                }
            )
        assert self.house.engine.ingest(self.house.batch(*batch)).accepted == len(batch)
        self.sent += len(batch)

    def change(self) -> None:
        random, engine = self.random, self.house.engine
        self.send()
        if random.random() < 0.4:
            targets = [Identity("", f"id-{random.randrange(self.sent)}") for _ in range(3)]
            engine.void_events(targets, reason="wrong", remember_missing=False)
        if random.random() < 0.7:
            engine.checkpoint()
        if random.random() < 0.3:
            while engine.merge():
                pass
        if random.random() < 0.2:
            self.house.restart()

    def ask(self) -> None:
        for question in self.random.sample(self.questions, 3):
            meter = self.random.choice(self.meters)
            self.compare(meter, question)
            if self.random.random() < 0.5:
                self.house.engine.states_view().partials.wait()
                self.compare(meter, question)
            if self.random.random() < 0.3:
                head = self.house.engine.log_head().position
                as_of = Position(max(0, head - self.random.choice([0, 1, 40])))
                self.compare(meter, msgspec.structs.replace(question, as_of=as_of))

    def compare(self, meter: Meter, question: UsageQuestion) -> None:
        engine = self.house.engine
        assert from_states(engine, meter, question) == from_events(engine, meter, question), (meter, question)

    def run(self) -> None:
        try:
            for _ in range(self.random.choice([3, 12])):
                self.change()
                self.ask()
        finally:
            self.house.engine.close()


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_states_answer_as_events_do(seed: int) -> None:
    with tempfile.TemporaryDirectory(prefix="tallystick-states-") as folder:
        Program(Random(seed), Path(folder)).run()


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_states_answer_as_events_do_without_the_compiled_library(seed: int) -> None:
    with tempfile.TemporaryDirectory(prefix="tallystick-states-") as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(fold_columns, "NATIVE", None)
        Program(Random(seed), Path(folder)).run()
