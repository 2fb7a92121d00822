"""A year of days with the clock passed in: exactly the steps that a slow reference takes, through daylight saving and month ends."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from random import Random

import pytest

from tallystick.engine_settings import EngineSettings
from tallystick.instant import NS_PER_S
from tallystick.testing import ManualClock
from tests.core.engine.conftest import EngineHouse
from tests.core.engine.two_watchers import HOUR, TwoWatchers, signals_in


def run(directory: Path, zone: str, start: str, *, days: int, pauses_h: tuple[int, ...], seed: int) -> None:
    random = Random(seed)
    settings = EngineSettings(checkpoint_events=10_000, disk_free_min_bytes=0)
    house = EngineHouse(directory / "data", settings=settings, clock=ManualClock(start))
    try:
        both = TwoWatchers(house, signals_in(zone))
        until = house.clock.now() + days * 24 * HOUR * NS_PER_S
        both.look()
        while house.clock.now() < until:
            house.clock.advance(random.choice(pauses_h) * HOUR + random.randrange(60, 1_200))
            send_some(both, random)
            if random.random() < 0.85:
                both.look()
            if random.random() < 0.01:
                house.restart()
            if random.random() < 0.02:
                house.engine.checkpoint()
        both.look()
        taken, expected = Counter(both.steps()), Counter(both.model.steps)
        assert len(both.model.steps) > days
        assert (taken - expected, expected - taken) == (Counter(), Counter())
    finally:
        house.engine.close()


def send_some(both: TwoWatchers, random: Random) -> None:
    for _ in range(random.choice((0, 0, 1, 2, 4))):
        both.send(
            random.choice(("acme", "beta", "gamma")),
            random.choice((1, 2, 3, 5)) * (-1 if random.random() < 0.1 else 1),
            region=random.choice(("eu", "us", None)),
            age_s=random.choice((0, 0, 0, 0, 5 * HOUR, 30 * HOUR)) + random.randrange(50),
        )
    if both.model.events and random.random() < 0.2:
        both.void(random.choice(both.model.events[-12:]))


@pytest.mark.parametrize(
    ("zone", "start"),
    [
        ("Europe/Berlin", "2026-10-20T00:00:00Z"),
        ("America/Sao_Paulo", "2018-10-28T00:00:00Z"),
        ("Australia/Lord_Howe", "2026-03-25T00:00:00Z"),
    ],
)
def test_days_around_a_moved_clock_take_exactly_the_expected_steps(tmp_path: Path, zone: str, start: str) -> None:
    run(tmp_path, zone, start, days=14, pauses_h=(0, 1, 5, 9), seed=1)


@pytest.mark.slow
@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/Sao_Paulo", "Australia/Lord_Howe"])
def test_a_year_of_days_takes_exactly_the_expected_steps(tmp_path: Path, zone: str) -> None:
    run(tmp_path, zone, "2018-01-01T00:00:00Z", days=365, pauses_h=(9, 20, 24, 30), seed=2)
