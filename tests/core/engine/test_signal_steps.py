"""Steps in the store: a crossing is taken once, its messages are in the same commit, and the log alone tells all of it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs

from tallystick import failpoints
from tallystick.engine import rebuild_directory, verify_directory
from tallystick.errors import AlreadyExists, InvalidDefinition, InvalidQuestion, NotFound, StoreFailed
from tallystick.event import Position
from tallystick.instant import NS_PER_HOUR, Instant
from tallystick.signal_store import DeliveriesQuestion
from tallystick.signals.signal import Condition, ConditionType, Digest
from tallystick.signals.step import EVERYBODY, Mark, Step, StepKind, StepReason, Subject
from tests.core.engine.watching import CAP, DECEMBER, NOVEMBER, OPS, fired, recovered, set_up

from .conftest import EngineHouse, ignore

ACME = Subject("acme")


@pytest.fixture
def watched(house: EngineHouse) -> EngineHouse:
    set_up(house.engine)
    return house


def ids(house: EngineHouse) -> list[str]:
    return [delivery.id for delivery in house.engine.outbox.deliveries(DeliveriesQuestion()).items]


def assert_the_log_tells_all(house: EngineHouse) -> None:
    house.engine.close()
    report = verify_directory(house.directory, ignore, settings=house.settings)
    assert report.problems == []
    house.engine = house.open()


def test_a_crossing_makes_one_step_and_one_message(watched: EngineHouse) -> None:
    taken = watched.engine.signals.record_steps([fired()])
    assert [each.step for each in taken] == [fired()]
    (delivery,) = watched.engine.outbox.deliveries(DeliveriesQuestion()).items
    assert (delivery.channel, delivery.event, delivery.step) == ("ops", "signal.fired", fired())
    assert watched.engine.signals.state("cap", ACME) is not None


def test_the_same_crossing_proposed_again_is_not_taken(watched: EngineHouse) -> None:
    watched.engine.signals.record_steps([fired(), fired()])
    assert watched.engine.signals.record_steps([fired()]) == []
    watched.restart()
    assert watched.engine.signals.record_steps([fired()]) == []
    assert len(ids(watched)) == 1


def test_a_higher_level_fires_again_and_a_lower_one_does_not(watched: EngineHouse) -> None:
    assert len(watched.engine.signals.record_steps([fired(2), fired(1)])) == 1
    assert len(watched.engine.signals.record_steps([recovered(1), fired(2)])) == 2


def test_after_recovery_it_can_fire_again(watched: EngineHouse) -> None:
    taken = watched.engine.signals.record_steps([fired(), recovered(), fired()])
    assert [each.step.kind for each in taken] == [StepKind.FIRED, StepKind.RECOVERED, StepKind.FIRED]
    assert len(ids(watched)) == 3


def test_a_new_period_is_armed_and_an_old_one_is_over(watched: EngineHouse) -> None:
    next_month = fired(period_start=DECEMBER)
    assert len(watched.engine.signals.record_steps([fired(), next_month, fired(2)])) == 2


def test_the_end_of_a_period_recovers_without_a_message(watched: EngineHouse) -> None:
    taken = watched.engine.signals.record_steps([fired(), recovered(reason=StepReason.PERIOD_END)])
    assert (len(taken), len(ids(watched))) == (2, 1)


def test_a_snoozed_subject_takes_steps_without_a_message_and_others_are_told(watched: EngineHouse) -> None:
    signals = watched.engine.signals
    signals.snooze("cap", ACME, until=Instant(watched.clock.now() + NS_PER_HOUR))
    assert len(signals.record_steps([fired(), fired(customer="beta")])) == 2
    assert [each.step and each.step.subject.customer for each in watched.engine.outbox.take("ops", limit=9)] == ["beta"]
    watched.clock.advance(3_601)
    signals.record_steps([fired(2)])
    assert len(ids(watched)) == 2


def test_a_signal_snoozed_for_everybody_is_silent_until_it_is_woken(watched: EngineHouse) -> None:
    signals = watched.engine.signals
    signals.snooze("cap", EVERYBODY, until=Instant(watched.clock.now() + NS_PER_HOUR))
    signals.record_steps([fired()])
    assert ids(watched) == []
    signals.snooze("cap", EVERYBODY, until=None)
    signals.record_steps([fired(2)])
    assert len(ids(watched)) == 1
    kinds = [each.step.kind for each in signals.history("cap", limit=9, cursor=None).items]
    assert kinds == [StepKind.FIRED, StepKind.WOKEN, StepKind.FIRED, StepKind.SNOOZED]


def test_a_step_seen_through_an_older_version_is_left_out(watched: EngineHouse) -> None:
    watched.engine.signals.put(structs.replace(CAP, name="Cap"), create=False)
    assert watched.engine.signals.record_steps([fired()]) == []
    assert watched.engine.signals.record_steps([structs.replace(fired(), signal_version=2)]) != []


def test_a_change_of_what_is_watched_arms_everybody_again_and_one_of_its_name_does_not(watched: EngineHouse) -> None:
    signals = watched.engine.signals
    signals.record_steps([fired()])
    signals.put(structs.replace(CAP, name="Cap"), create=False)
    assert signals.state("cap", ACME) is not None
    condition = Condition(type=ConditionType.THRESHOLD, value=Decimal(50))
    signals.put(structs.replace(CAP, condition=condition), create=False)
    assert signals.state("cap", ACME) is None
    assert_the_log_tells_all(watched)


def test_a_deleted_signal_forgets_its_states_and_no_other_ones(watched: EngineHouse) -> None:
    signals = watched.engine.signals
    signals.put(structs.replace(CAP, key="cap2"), create=True)
    signals.record_steps([fired(), fired(signal="cap2")])
    signals.delete("cap")
    signals.put(CAP, create=True)
    assert signals.state("cap", ACME) is None
    assert signals.state("cap2", ACME) is not None
    assert signals.record_steps([fired(signal="gone")]) == []


def fired_now(house: EngineHouse, **narrowed: str) -> list[tuple[str, str | None, int]]:
    page = house.engine.signals.fired(limit=100, cursor=None, **narrowed)
    return [(each.signal, each.state.subject.customer, each.state.level) for each in page.items]


def test_what_is_fired_now_is_listed_newest_first_over_all_signals(watched: EngineHouse) -> None:
    signals = watched.engine.signals
    signals.put(structs.replace(CAP, key="cap2"), create=True)
    signals.record_steps([fired(at=Instant(NOVEMBER + 1)), fired(signal="cap2", at=Instant(NOVEMBER + 2))])
    signals.record_steps([fired(customer="beta", at=Instant(NOVEMBER + 3)), fired(2, at=Instant(NOVEMBER + 4))])
    assert fired_now(watched) == [("cap", "acme", 2), ("cap", "beta", 1), ("cap2", "acme", 1)]
    assert fired_now(watched, signal="cap2") == [("cap2", "acme", 1)]
    assert fired_now(watched, customer="beta") == [("cap", "beta", 1)]
    page = signals.fired(limit=1, cursor=None)
    assert (page.count, page.items[0].step and page.items[0].step.step) == (3, fired(2, at=Instant(NOVEMBER + 4)))
    signals.record_steps([recovered(1), recovered(customer="beta")])
    assert fired_now(watched, signal="cap") == [("cap", "acme", 1)]
    signals.snooze("cap", ACME, until=Instant(watched.clock.now() + NS_PER_HOUR))
    signals.delete("cap2")
    assert fired_now(watched) == [("cap", "acme", 1)]
    signals.record_steps([recovered()])
    assert fired_now(watched) == []
    assert_the_log_tells_all(watched)


def test_what_was_fired_in_a_period_that_is_over_is_not_fired_now(watched: EngineHouse) -> None:
    watched.engine.signals.record_steps([fired()])
    assert len(fired_now(watched)) == 1
    watched.clock.advance(60 * 86_400)
    assert fired_now(watched) == []
    assert watched.engine.signals.fired(limit=1, cursor=None).count == 1


def test_what_is_fired_pages_to_its_end_and_takes_no_foreign_cursor(watched: EngineHouse) -> None:
    signals = watched.engine.signals
    signals.record_steps([fired(customer=f"c{number}", at=Instant(NOVEMBER + number // 3)) for number in range(25)])
    found: list[str | None] = []
    cursor: str | None = None
    while True:
        page = signals.fired(limit=4, cursor=cursor)
        found += [each.state.subject.customer for each in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert len(found) == 25
    assert set(found) == {f"c{number}" for number in range(25)}
    with pytest.raises(InvalidQuestion):
        signals.fired(limit=4, cursor="zz")


def test_a_snooze_does_not_say_that_the_level_changed(watched: EngineHouse) -> None:
    signals = watched.engine.signals
    signals.record_steps([fired()])
    before = signals.state("cap", ACME)
    signals.snooze("cap", ACME, until=Instant(watched.clock.now() + NS_PER_HOUR))
    after = signals.state("cap", ACME)
    assert before is not None
    assert after is not None
    assert after.changed_at == before.changed_at == NOVEMBER


def test_states_and_history_page_to_their_end(watched: EngineHouse) -> None:
    signals = watched.engine.signals
    signals.record_steps([fired(customer=f"c{number}") for number in range(25)])
    customers: list[str | None] = []
    steps: list[str] = []
    cursor: str | None = None
    while True:
        page = signals.states("cap", limit=10, cursor=cursor)
        customers += [state.subject.customer for state in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    while True:
        history = signals.history("cap", limit=10, cursor=cursor)
        steps += [each.id for each in history.items]
        cursor = history.next_cursor
        if cursor is None:
            break
    assert sorted(customers, key=str) == sorted(f"c{number}" for number in range(25))
    assert len(set(steps)) == len(steps) == 25
    assert [
        each.step.subject.customer for each in signals.history("cap", customer="c7", limit=9, cursor=None).items
    ] == ["c7"]


def test_a_mark_is_kept_with_the_steps_and_alone(watched: EngineHouse) -> None:
    assert watched.engine.signals.mark() is None
    watched.engine.signals.record_steps([fired()], mark=Mark(Position(3), NOVEMBER))
    watched.engine.signals.record_steps([], mark=Mark(Position(9), DECEMBER))
    watched.restart()
    assert watched.engine.signals.mark() == Mark(Position(9), DECEMBER)


def test_definitions_are_kept_through_a_restart_and_say_what_is_wrong(watched: EngineHouse) -> None:
    watched.restart()
    signals, outbox = watched.engine.signals, watched.engine.outbox
    assert [signal.key for signal in signals.all()] == ["cap"]
    assert signals.one("cap").condition.thresholds == (Decimal(80), Decimal(100))
    assert outbox.channel("ops").sealed == b"sealed"
    with pytest.raises(AlreadyExists):
        signals.put(CAP, create=True)
    with pytest.raises(InvalidDefinition, match="no meter 'none'"):
        signals.put(structs.replace(CAP, meter="none"), create=False)
    with pytest.raises(InvalidDefinition, match="no channel 'none'"):
        signals.put(structs.replace(CAP, channels=("none",)), create=False)
    with pytest.raises(InvalidDefinition, match="'cap' sends to this channel"):
        outbox.delete_channel("ops")
    with pytest.raises(NotFound):
        outbox.put_channel(structs.replace(OPS, key="none"), create=False)


@pytest.mark.parametrize("name", ["signals.before_commit", "signals.steps_written", "log.before_commit"])
def test_a_crash_before_the_commit_leaves_neither_step_nor_message(watched: EngineHouse, name: str) -> None:
    with failpoints.armed(name, failpoints.crash), pytest.raises(StoreFailed):
        watched.engine.signals.record_steps([fired()])
    watched.restart()
    assert (watched.engine.signals.state("cap", ACME), ids(watched)) == (None, [])
    assert len(watched.engine.signals.record_steps([fired()])) == 1
    assert_the_log_tells_all(watched)


@pytest.mark.parametrize("name", ["log.committed", "signals.committed"])
def test_a_crash_after_the_commit_leaves_both_and_the_crossing_is_not_taken_again(
    watched: EngineHouse, name: str
) -> None:
    with failpoints.armed(name, failpoints.crash), pytest.raises(StoreFailed):
        watched.engine.signals.record_steps([fired()])
    watched.restart()
    before = ids(watched)
    assert len(before) == 1
    assert watched.engine.signals.record_steps([fired()]) == []
    assert ids(watched) == before
    assert [each.id for each in watched.engine.outbox.take("ops", limit=9)] == before


def test_a_rebuild_gives_the_same_states_steps_and_deliveries(watched: EngineHouse) -> None:
    engine = watched.engine
    engine.signals.record_steps(
        [fired(customer=f"c{number}") for number in range(30)], mark=Mark(Position(1), NOVEMBER)
    )
    engine.signals.record_steps([recovered(customer="c3")])
    engine.outbox.queue_test("ops")
    before = (ids(watched), engine.signals.states("cap", limit=100, cursor=None), engine.outbox.queues())
    engine.close()
    rebuild_directory(
        watched.directory, ignore, clock=watched.clock, entropy=watched.entropy, settings=watched.settings
    )
    watched.engine = watched.open()
    after = (ids(watched), watched.engine.signals.states("cap", limit=100, cursor=None), watched.engine.outbox.queues())
    assert after == before
    assert_the_log_tells_all(watched)


@dataclass
class _Model:
    """A customer's level, and how many messages there were: ten lines, obviously right."""

    level: int = 0
    told: int = 0

    def take(self, kind: StepKind, level: int) -> None:
        if (kind is StepKind.FIRED and level > self.level) or (kind is StepKind.RECOVERED and level < self.level):
            self.level = level
            self.told += 1


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    moves=st.lists(
        st.tuples(st.sampled_from("ab"), st.sampled_from([StepKind.FIRED, StepKind.RECOVERED]), st.integers(0, 3)),
        max_size=18,
    ),
    cuts=st.sets(st.integers(0, 18), max_size=4),
    is_digest=st.booleans(),
)
def test_however_steps_are_batched_and_repeated_the_states_and_messages_are_those_of_a_plain_model(
    tmp_path_factory: pytest.TempPathFactory,
    moves: list[tuple[str, StepKind, int]],
    cuts: set[int],
    is_digest: bool,  # noqa: FBT001 - what hypothesis draws
) -> None:
    house = EngineHouse(tmp_path_factory.mktemp("moves") / "data")
    set_up(house.engine, structs.replace(CAP, digest=Digest.HOURLY if is_digest else Digest.NONE))
    models: dict[str, _Model] = {}
    batch: list[Step] = []
    for place, (customer, kind, level) in enumerate(moves):
        batch.append(fired(level, customer=customer, kind=kind))
        models.setdefault(customer, _Model()).take(kind, level)
        if place in cuts or place == len(moves) - 1:
            house.engine.signals.record_steps(batch)
            house.restart()
            batch = []
    for customer, model in models.items():
        state = house.engine.signals.state("cap", Subject(customer))
        assert (0 if state is None else state.level) == model.level
    assert len(ids(house)) == sum(model.told for model in models.values())
    assert_the_log_tells_all(house)
    house.engine.close()
