"""Whatever order events come in, however they are looked at and interrupted, signals stand where the figures say."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tallystick import failpoints
from tallystick.errors import StoreFailed
from tallystick.signals.step import StepKind
from tests.core.engine.conftest import EngineHouse
from tests.core.engine.two_watchers import HOUR, TwoWatchers, signals_in


@dataclass(frozen=True)
class Event:
    customer: str
    value: int
    region: str | None
    age_s: int


EVENTS = st.builds(
    Event,
    st.sampled_from(["acme", "beta", "gamma"]),
    st.integers(-3, 9),
    st.sampled_from(["eu", "us", None]),
    st.sampled_from([0, 0, 7, 30, 2 * HOUR, 26 * HOUR]),
)
LOOK, LOOK_FOR_TIME, RESTART, CHECKPOINT, VOID = "look", "look for time", "restart", "checkpoint", "void"
# A look that is cut off by a crash before its steps are on disk, between, or after.
CRASHES = ("signals.before_commit", "signals.steps_written", "signals.committed")
DONE = st.one_of(
    EVENTS,
    st.lists(EVENTS, min_size=2, max_size=4),
    st.sampled_from([LOOK, LOOK, LOOK, LOOK_FOR_TIME, RESTART, CHECKPOINT, VOID]),
    st.sampled_from(CRASHES),
    st.sampled_from([1, 3, 65, 20 * 60, 5 * HOUR]),
)


def do(both: TwoWatchers, done: object) -> None:
    house = both.house
    match done:
        case Event():
            both.send(done.customer, done.value, region=done.region, age_s=done.age_s)
        case list():
            for each in done:  # pyright: ignore[reportUnknownVariableType]
                do(both, each)  # pyright: ignore[reportUnknownArgumentType]
        case int():
            house.clock.advance(done)
        case "look" | "look for time":
            house.engine.signals.look(is_time_due=done == LOOK_FOR_TIME)
        case "signals.before_commit" | "signals.steps_written" | "signals.committed":
            with failpoints.armed(str(done), failpoints.crash), suppress(StoreFailed):
                house.engine.signals.look(is_time_due=True)
            house.restart()
        case "restart":
            house.restart()
        case "checkpoint":
            house.engine.checkpoint()
        case _:
            standing = [each for each in both.model.events if not each.is_voided]
            if standing:
                both.void(standing[len(standing) // 2])


@settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow])
@given(done=st.lists(DONE, min_size=3, max_size=25))
def test_signals_stand_where_the_figures_say_whatever_happened_on_the_way(done: list[object]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        house = EngineHouse(Path(directory) / "data")
        try:
            both = TwoWatchers(house, signals_in("Europe/Berlin"))
            for each in done:
                do(both, each)
            # Past what waits for another look, and for time.
            house.clock.advance(61)
            house.engine.signals.look(is_time_due=True)
            assert both.levels() == both.model.levels_at(house.clock.now())
            assert_steps_follow_one_another(both)
            assert house.engine.signals.look(is_time_due=True).steps == 0
        finally:
            house.engine.close()


def assert_steps_follow_one_another(both: TwoWatchers) -> None:
    """No crossing is told twice: of each subject and period, levels go up by firing and down by recovering."""
    for signal in both.model.signals:
        levels: dict[tuple[object, int], int] = {}
        for each in reversed(both.house.engine.signals.history(signal.key, limit=10_000, cursor=None).items):
            place = each.step.subject, each.step.period_start
            before = levels.get(place, 0)
            assert (each.step.level > before) == (each.step.kind is StepKind.FIRED)
            assert each.step.level != before
            levels[place] = each.step.level
