"""A year of days with the clock passed in: exactly the steps that a slow reference takes, through daylight saving and month ends."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from random import Random

import pytest

from tallystick.engine_settings import EngineSettings
from tallystick.identity import Identity
from tallystick.instant import NS_PER_S, Instant, format_instant
from tallystick.meter import Meter
from tallystick.signals.signal import Condition, ConditionType, Direction, Op, Period, Signal
from tallystick.signals.step import Step
from tallystick.testing import ManualClock
from tests.core.engine.conftest import EngineHouse
from tests.core.engine.signals_model import Sent, SignalsModel, Taken

HOUR = 3_600
METER = Meter(key="units", name="Units", event_type="use", aggregation="sum", field="properties.n")


def threshold(*thresholds: int, op: Op = Op.AT_LEAST, limit: int | None = None) -> Condition:
    return Condition(
        type=ConditionType.THRESHOLD,
        op=op,
        thresholds=tuple(map(Decimal, thresholds)),
        limit=None if limit is None else Decimal(limit),
    )


def change(kind: ConditionType, value: int, direction: Direction, floor: int | None = None) -> Condition:
    return Condition(
        type=kind, value=Decimal(value), direction=direction, floor=None if floor is None else Decimal(floor)
    )


def silence(hours: int) -> Condition:
    return Condition(type=ConditionType.NO_DATA, silence_s=hours * HOUR)


def signals_in(zone: str) -> list[Signal]:
    """Return one of everything, told apart by key."""

    def signal(key: str, condition: Condition, **fields: object) -> Signal:
        given = {"customer": "*", "timezone": zone, "period": Period.DAY, **fields}
        return Signal(key=key, meter="units", condition=condition, **given)  # pyright: ignore[reportArgumentType]

    percent, absolute = ConditionType.PERCENT_CHANGE, ConditionType.ABSOLUTE_CHANGE
    return [
        signal("day", threshold(5, 8, 12)),
        signal("day-more", threshold(8, 20, op=Op.ABOVE)),
        signal("day-low", threshold(6, 2, op=Op.BELOW)),
        signal("month", threshold(50, 80, 100, limit=150), period=Period.MONTH),
        signal("week", threshold(40), period=Period.WEEK, filter={"region": ("eu",)}),
        signal("hour", threshold(4), period=Period.HOUR),
        signal("regions", threshold(9), group_by=("region",)),
        signal("all", threshold(20, 30), customer=None),
        signal("acme", threshold(7), customer="acme"),
        signal("beta", threshold(9), customer="beta"),
        signal("jump", change(percent, 60, Direction.UP, floor=6)),
        signal("drop", change(percent, 50, Direction.DOWN)),
        signal("moved", change(absolute, 15, Direction.ANY), period=Period.WEEK),
        signal("quiet", silence(20), period=Period.MONTH),
        signal("own", threshold(6), timezone="customer"),
    ]


def as_taken(step: Step) -> Taken:
    subject = (step.subject.customer, *(value for _, value in step.subject.group))
    is_together = step.subject.customer is None
    return Taken(
        signal=step.signal,
        subject=subject[1:] if is_together else subject,
        kind=step.kind.value,
        level=step.level,
        reason=step.reason.value,
        period_start=step.period_start,
        figure=None if step.figure is None else Fraction(step.figure),
        base=None if step.base is None else Fraction(step.base),
    )


class Year:
    """An engine and the reference, told the same."""

    def __init__(self, house: EngineHouse, signals: list[Signal], *, seed: int) -> None:
        self.house, self.random = house, Random(seed)
        self.model = SignalsModel(signals, zones={"acme": "Europe/Berlin", "beta": "Australia/Lord_Howe"})
        self.number = 0
        house.engine.put_meter(METER, create=True)
        for key, zone in self.model.zones.items():
            describe(house, key, zone)
        for signal in signals:
            house.engine.signals.put(signal, create=True)

    def send(self) -> None:
        """Send events of now, and sometimes one that is late."""
        now = self.house.clock.now()
        for _ in range(self.random.choice((0, 0, 1, 2, 4))):
            self.number += 1
            late = self.random.choice((0, 0, 0, 0, 5 * HOUR, 30 * HOUR))
            sent = Sent(
                id=f"e{self.number}",
                at=now - (late + self.random.randrange(50)) * NS_PER_S,
                customer=self.random.choice(("acme", "beta", "gamma")),
                value=Fraction(self.random.choice((1, 2, 3, 5)) * (-1 if self.random.random() < 0.1 else 1)),
                region=self.random.choice(("eu", "us", None)),
                received_at=now,
            )
            self.house.engine.ingest(
                self.house.batch(
                    {
                        "id": sent.id,
                        "type": "use",
                        "customer": sent.customer,
                        "time": format_instant(Instant(sent.at)),
                        "properties": {"n": int(sent.value)} | ({"region": sent.region} if sent.region else {}),
                    }
                )
            )
            self.model.events.append(sent)
            if sent.at < self.model.looked_at - 60 * NS_PER_S:
                self.model.corrected.add(sent.customer)
            self._note_change(now)

    def void(self) -> None:
        """Take back an event of the last days."""
        recent = [each for each in self.model.events[-12:] if not each.is_voided]
        if recent and self.random.random() < 0.2:
            gone = self.random.choice(recent)
            gone.is_voided = True
            self.house.engine.void_events([Identity("", gone.id)], reason="test", remember_missing=False)
            self.model.corrected.add(gone.customer)
            self._note_change(self.house.clock.now())

    def look(self) -> None:
        self.house.engine.signals.look(is_time_due=True)
        self.model.look(self.house.clock.now())

    def steps(self) -> list[Taken]:
        found = [
            each.step
            for signal in self.model.signals
            for each in self.house.engine.signals.history(signal.key, limit=100_000, cursor=None).items
        ]
        return [as_taken(step) for step in found]

    def _note_change(self, now: int) -> None:
        if self.model.unseen_since is None:
            self.model.unseen_since = now


def describe(house: EngineHouse, key: str, zone: str) -> None:
    from tallystick.customer import Customer  # noqa: PLC0415

    house.engine.put_customer(Customer(key=key, time_zone=zone), create=True)


def run(tmp_path: Path, zone: str, start: str, *, days: int, seed: int) -> None:
    house = EngineHouse(tmp_path / "data", settings=EngineSettings(checkpoint_events=10_000, disk_free_min_bytes=0))
    house.engine.close()
    house.clock = ManualClock(start)
    house.engine = house.open()
    try:
        year = Year(house, signals_in(zone), seed=seed)
        until = house.clock.now() + days * 24 * HOUR * NS_PER_S
        year.look()
        while house.clock.now() < until:
            house.clock.advance(year.random.choice((600, HOUR, 5 * HOUR, 9 * HOUR)) + year.random.randrange(60, 600))
            year.send()
            year.void()
            if year.random.random() < 0.85:
                year.look()
            if year.random.random() < 0.01:
                house.restart()
            if year.random.random() < 0.02:
                house.engine.checkpoint()
        assert len(year.model.steps) > days
        taken, expected = Counter(year.steps()), Counter(year.model.steps)
        assert (taken - expected, expected - taken) == (Counter(), Counter())
    finally:
        house.engine.close()


@pytest.mark.parametrize(
    ("zone", "start"),
    [
        ("Europe/Berlin", "2026-10-20T00:00:00Z"),
        ("America/Sao_Paulo", "2018-10-28T00:00:00Z"),
        ("Australia/Lord_Howe", "2026-03-25T00:00:00Z"),
    ],
)
def test_a_fortnight_around_a_moved_clock_takes_exactly_the_expected_steps(
    tmp_path: Path, zone: str, start: str
) -> None:
    run(tmp_path, zone, start, days=14, seed=1)
