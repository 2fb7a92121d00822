"""The outbox in the store: what is sent when, what becomes one message, and that an id never changes."""

from __future__ import annotations

import pytest
from msgspec import structs

from tallystick import failpoints
from tallystick.engine import verify_directory
from tallystick.errors import InvalidDefinition, NotFound, StoreFailed
from tallystick.instant import NS_PER_DAY, NS_PER_HOUR, NS_PER_S, Instant, parse_instant
from tallystick.signal_store import DeliveriesQuestion
from tallystick.signals.delivery import Attempt, Delivery, DeliveryState, Outcome
from tallystick.signals.signal import Digest
from tallystick.signals.step import Step
from tests.core.engine.watching import CAP, OPS, fired, recovered, set_up

from .conftest import EngineHouse, ignore


@pytest.fixture
def watched(house: EngineHouse) -> EngineHouse:
    set_up(house.engine, CAP, structs.replace(CAP, key="other"))
    return house


def crossings(count: int, *, signal: str = "cap", start: int = 0) -> list[Step]:
    return [fired(customer=f"c{number}", signal=signal) for number in range(start, start + count)]


def tried(house: EngineHouse, delivery: Delivery, outcome: Outcome, *, in_s: int | None = None) -> Attempt:
    now = house.clock.now()
    due_at = None if in_s is None else Instant(now + in_s * NS_PER_S)
    return Attempt(name=delivery.name, at=now, duration_ms=5, outcome=outcome, status=500, detail="no", due_at=due_at)


def everything(house: EngineHouse) -> list[Delivery]:
    return house.engine.outbox.deliveries(DeliveriesQuestion(limit=1_000)).items


def assert_the_log_tells_all(house: EngineHouse) -> None:
    house.engine.close()
    assert verify_directory(house.directory, ignore, settings=house.settings).problems == []
    house.engine = house.open()


def test_what_is_taken_is_not_taken_twice_until_it_is_given_back(watched: EngineHouse) -> None:
    watched.engine.signals.record_steps([fired()])
    outbox = watched.engine.outbox
    taken = outbox.take("ops", limit=9)
    assert len(taken) == 1
    assert outbox.take("ops", limit=9) == []
    outbox.give_back(taken)
    assert outbox.take("ops", limit=9) == taken


def test_a_delivery_keeps_its_id_through_attempts_and_restarts(watched: EngineHouse) -> None:
    watched.engine.signals.record_steps([fired()])
    (first,) = watched.engine.outbox.take("ops", limit=9)
    watched.restart()  # killed while it was on its way
    (second,) = watched.engine.outbox.take("ops", limit=9)
    watched.engine.outbox.record_attempts([tried(watched, second, Outcome.RETRY, in_s=60)])
    watched.restart()
    assert watched.engine.outbox.take("ops", limit=9) == []
    watched.clock.advance(61)
    (third,) = watched.engine.outbox.take("ops", limit=9)
    assert first.id == second.id == third.id
    assert [attempt.status for attempt in third.attempts] == [500]
    watched.engine.outbox.record_attempts([tried(watched, third, Outcome.DELIVERED)])
    assert watched.engine.outbox.queues() == {}
    done = watched.engine.outbox.delivery(first.id)
    assert (done.state, done.attempt_count, done.finished_at) == (DeliveryState.DELIVERED, 2, watched.clock.now())
    assert_the_log_tells_all(watched)


def test_steps_of_one_signal_go_in_order_and_other_signals_do_not_wait(watched: EngineHouse) -> None:
    watched.engine.signals.record_steps([fired(), recovered(), fired(signal="other")])
    outbox = watched.engine.outbox
    first, other = outbox.take("ops", limit=9)
    assert [(each.event, each.signals) for each in (first, other)] == [
        ("signal.fired", ("cap",)),
        ("signal.fired", ("other",)),
    ]
    outbox.record_attempts([tried(watched, first, Outcome.RETRY, in_s=60)])
    assert outbox.take("ops", limit=9) == []
    watched.clock.advance(60)
    (again,) = outbox.take("ops", limit=9)
    outbox.record_attempts([tried(watched, again, Outcome.DELIVERED)])
    assert [each.event for each in outbox.take("ops", limit=9)] == ["signal.recovered"]


def test_a_storm_is_one_message_with_those_that_stand_out(watched: EngineHouse) -> None:
    for start in range(0, 5_000, 1_000):
        assert len(watched.engine.signals.record_steps(crossings(1_000, start=start))) == 1_000
    (queue,) = watched.engine.outbox.queues().values()
    assert queue.waiting == 1
    assert watched.engine.outbox.take("ops", limit=9) == []  # it waits for more of the same
    watched.clock.advance(3)
    (storm,) = watched.engine.outbox.take("ops", limit=9)
    assert storm.summary is not None
    assert (storm.event, storm.summary.is_storm, storm.summary.fired) == ("signal.digest", True, 5_000)
    assert len(storm.summary.top) == 10
    assert storm.summary.by_signal[0].fired == 5_000
    assert_the_log_tells_all(watched)


def test_twenty_messages_are_sent_one_by_one_and_one_more_joins_them(watched: EngineHouse) -> None:
    watched.engine.signals.record_steps(crossings(20))
    assert watched.engine.outbox.queues()["ops"].waiting == 20
    watched.engine.signals.record_steps(crossings(1, start=20))
    assert watched.engine.outbox.queues()["ops"].waiting == 1
    joined = [each for each in everything(watched) if each.state is DeliveryState.JOINED]
    assert len(joined) == 20
    assert {each.joined_into_id for each in joined} == {everything(watched)[0].id}
    assert_the_log_tells_all(watched)


def test_what_is_on_its_way_or_may_have_gone_before_a_crash_is_joined_with_nothing(watched: EngineHouse) -> None:
    watched.engine.signals.record_steps(crossings(1))
    (on_its_way,) = watched.engine.outbox.take("ops", limit=9)
    watched.engine.signals.record_steps(crossings(25, start=1))
    assert watched.engine.outbox.delivery(on_its_way.id).state is DeliveryState.WAITING
    watched.restart()
    before = {each.id for each in everything(watched) if each.state is DeliveryState.WAITING}
    watched.engine.signals.record_steps(crossings(25, start=30))
    assert before <= {each.id for each in everything(watched) if each.state is DeliveryState.WAITING}


def test_a_receiver_that_is_down_makes_a_queue_of_some_dozens(watched: EngineHouse) -> None:
    watched.engine.signals.record_steps(crossings(1))
    (head,) = watched.engine.outbox.take("ops", limit=9)
    watched.engine.outbox.record_attempts([tried(watched, head, Outcome.RETRY, in_s=3_600)])
    for number in range(1, 200):
        watched.engine.signals.record_steps(crossings(1, start=number))
    assert watched.engine.outbox.queues()["ops"].waiting <= 22


def test_a_digest_is_held_until_its_hour_and_told_at_once(house: EngineHouse) -> None:
    set_up(house.engine, structs.replace(CAP, digest=Digest.HOURLY))
    house.clock.advance(600)  # ten past twelve
    house.engine.signals.record_steps([*crossings(3), recovered(customer="c1")])
    assert [each.state for each in everything(house)] == [DeliveryState.HELD] * 4
    assert house.engine.outbox.queues()["ops"].due_at == parse_instant("2026-11-01T13:00:00Z")
    house.clock.advance(2_999)
    house.restart()
    assert house.engine.outbox.take("ops", limit=9) == []
    house.clock.advance(1)
    (digest,) = house.engine.outbox.take("ops", limit=9)
    assert digest.summary is not None
    assert (digest.summary.is_storm, digest.summary.fired, digest.summary.recovered) == (False, 3, 1)
    assert [each.state for each in everything(house)] == [DeliveryState.WAITING, *[DeliveryState.JOINED] * 4]
    assert_the_log_tells_all(house)


def test_a_digest_of_thousands_is_held_as_one(house: EngineHouse) -> None:
    set_up(house.engine, structs.replace(CAP, digest=Digest.DAILY, timezone="Europe/Berlin"))
    for start in range(0, 300, 100):
        house.engine.signals.record_steps(crossings(100, start=start))
    queue = house.engine.outbox.queues()["ops"]
    assert (queue.waiting, queue.due_at) == (1, parse_instant("2026-11-01T23:00:00Z"))
    house.clock.advance(11 * 3_600)
    (digest,) = house.engine.outbox.take("ops", limit=9)
    assert digest.summary is not None
    assert (digest.summary.is_storm, digest.summary.fired) == (False, 300)


def test_a_crash_while_a_digest_is_made_makes_it_once(house: EngineHouse) -> None:
    set_up(house.engine, structs.replace(CAP, digest=Digest.HOURLY))
    house.engine.signals.record_steps(crossings(3))
    house.clock.advance(3_600)
    with failpoints.armed("signals.digest_committed", failpoints.crash), pytest.raises(StoreFailed):
        house.engine.outbox.take("ops", limit=9)
    house.restart()
    (digest,) = house.engine.outbox.take("ops", limit=9)
    assert digest.summary is not None
    assert digest.summary.fired == 3
    assert len(everything(house)) == 4


def test_a_channel_that_is_gone_is_disabled_with_the_attempt_that_said_so(watched: EngineHouse) -> None:
    watched.engine.signals.record_steps([fired()])
    (delivery,) = watched.engine.outbox.take("ops", limit=9)
    gone = tried(watched, delivery, Outcome.FAILED)
    watched.engine.outbox.record_attempts([gone], disabled={"ops": "it answered 410 Gone"})
    watched.restart()
    channel = watched.engine.outbox.channel("ops")
    assert (channel.disabled_at, channel.disabled_reason) == (watched.clock.now(), "it answered 410 Gone")
    with pytest.raises(InvalidDefinition, match="disabled"):
        watched.engine.outbox.queue_test("ops")
    with pytest.raises(InvalidDefinition, match="disabled"):
        watched.engine.outbox.redeliver(delivery.id)


def test_an_attempt_whose_commit_fails_is_made_again_with_the_same_id(watched: EngineHouse) -> None:
    watched.engine.signals.record_steps([fired()])
    (delivery,) = watched.engine.outbox.take("ops", limit=9)
    with failpoints.armed("outbox.before_attempt", failpoints.crash), pytest.raises(StoreFailed):
        watched.engine.outbox.record_attempts([tried(watched, delivery, Outcome.DELIVERED)])
    watched.restart()
    assert [each.id for each in watched.engine.outbox.take("ops", limit=9)] == [delivery.id]


def test_a_delivery_is_given_up_after_a_day_and_can_be_asked_for_again(watched: EngineHouse) -> None:
    watched.engine.signals.record_steps([fired()])
    outbox = watched.engine.outbox
    watched.clock.advance(NS_PER_DAY // NS_PER_S - 1)
    assert outbox.expire() == 0
    watched.clock.advance(1)
    assert outbox.expire() == 1
    (failed,) = everything(watched)
    assert failed.state is DeliveryState.FAILED
    assert failed.reason is not None
    again = outbox.redeliver(failed.id)
    assert (again.id, again.state) == (failed.id, DeliveryState.WAITING)
    assert outbox.expire() == 0
    assert [each.id for each in outbox.take("ops", limit=9)] == [failed.id]
    assert_the_log_tells_all(watched)


def test_what_was_joined_is_not_sent_again_by_itself(watched: EngineHouse) -> None:
    watched.engine.signals.record_steps(crossings(20))
    watched.engine.signals.record_steps(crossings(1, start=20))
    member = everything(watched)[-1]
    with pytest.raises(InvalidDefinition, match="part of another message msg_"):
        watched.engine.outbox.redeliver(member.id)


def test_a_deleted_channel_cancels_what_waits_for_it(watched: EngineHouse) -> None:
    outbox = watched.engine.outbox
    outbox.put_channel(structs.replace(OPS, key="spare"), create=True)
    test = outbox.queue_test("spare")
    outbox.delete_channel("spare")
    assert outbox.delivery(test.id).state is DeliveryState.CANCELLED
    assert outbox.queues() == {}
    with pytest.raises(NotFound):
        outbox.channel("spare")
    assert_the_log_tells_all(watched)


def test_deliveries_page_to_their_end_and_filter(watched: EngineHouse) -> None:
    outbox = watched.engine.outbox
    watched.engine.signals.record_steps([*crossings(5), *crossings(5, signal="other")])
    found: list[str] = []
    cursor: str | None = None
    while True:
        page = outbox.deliveries(DeliveriesQuestion(limit=3, cursor=cursor))
        found += [each.id for each in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert len(set(found)) == len(found) == 10
    assert len(outbox.deliveries(DeliveriesQuestion(signal="other")).items) == 5
    assert outbox.deliveries(DeliveriesQuestion(channel="none")).items == []
    assert outbox.deliveries(DeliveriesQuestion(state=DeliveryState.DELIVERED)).items == []


@pytest.mark.parametrize(
    "delivery_id", ["", "x", "msg_1_0_0000000000000000", "msg_99999999999999999999_0_0000000000000000"]
)
def test_an_id_that_was_not_given_out_is_not_found(watched: EngineHouse, delivery_id: str) -> None:
    with pytest.raises(NotFound):
        watched.engine.outbox.delivery(delivery_id)


def test_whoever_watches_is_told_of_each_change_of_the_outbox(watched: EngineHouse) -> None:
    told: list[None] = []
    watched.engine.outbox.watch(lambda: told.append(None))
    watched.engine.signals.record_steps([fired()])
    watched.engine.ingest(watched.batch({"id": "a", "type": "call", "customer": "acme"}))
    assert len(told) == 1


def test_hourly_digests_end_with_the_hour_also_at_its_very_start(house: EngineHouse) -> None:
    set_up(house.engine, structs.replace(CAP, digest=Digest.HOURLY))
    house.engine.signals.record_steps([fired()])  # at twelve sharp
    assert everything(house)[0].due_at == Instant(house.clock.now() + NS_PER_HOUR)
