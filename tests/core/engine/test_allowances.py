"""Allowances of an engine: periods by the clock and the zone, own limits, levels, groups, and every acknowledged event."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs

from tallystick.customer import Customer
from tallystick.errors import NotFound
from tallystick.identity import Identity
from tallystick.instant import NS_PER_S, Instant, format_instant, parse_instant
from tallystick.meter import Meter
from tallystick.signals.allowance import Allowance, AllowanceState
from tallystick.signals.signal import Period, Signal
from tallystick.usage.question import UsageQuestion
from tests.core.engine.watching import CAP, set_up

from .conftest import EngineHouse, call


def limited(house: EngineHouse, *signals: Signal) -> EngineHouse:
    set_up(house.engine, *signals)
    return house


def ask(house: EngineHouse, customer: str = "acme", **properties: str) -> Allowance:
    at_once = house.engine.allowance_at_once(customer, "calls", properties=properties)
    allowance = house.engine.allowance(customer, "calls", properties=properties)
    assert at_once is None or at_once == allowance
    return allowance


def move_to(house: EngineHouse, time: str) -> None:
    house.clock.advance((parse_instant(time) - house.clock.now()) / NS_PER_S)


def send(house: EngineHouse, time: str, count: int = 1, **fields: Any) -> None:  # Any: what an event may hold
    """Send some events of one time, at that time."""
    if parse_instant(time) > house.clock.now():
        move_to(house, time)
    start = house.engine.log_head().position
    house.engine.ingest(house.batch(*(call(f"{start}-{number}") | {"time": time} | fields for number in range(count))))


def test_a_meter_without_limits_is_unlimited_and_one_that_is_none_is_not_found(house: EngineHouse) -> None:
    set_up(house.engine, structs.replace(CAP, customer="globex"))
    allowance = ask(house)
    assert (allowance.tightest, list(allowance.limits)) == (None, [])
    with pytest.raises(NotFound):
        house.engine.allowance("acme", "none")
    with pytest.raises(NotFound):
        house.engine.allowance_at_once("acme", "none")


def test_an_archived_meter_has_no_allowance(house: EngineHouse) -> None:
    limited(house).engine.archive_meter("calls")
    with pytest.raises(NotFound):
        house.engine.allowance("acme", "calls")


def test_usage_counts_down_to_the_limit_and_a_void_gives_it_back(house: EngineHouse) -> None:
    limited(house)
    now = format_instant(house.clock.now())
    send(house, now, 79)
    assert ask(house).limits[0].state is AllowanceState.OK
    send(house, now)
    (limit,) = ask(house).limits
    assert (limit.state, limit.used, limit.remaining, limit.level) == ("warning", Decimal(80), Decimal(20), 1)
    send(house, now, 20, id="last")  # one event sent twenty times
    send(house, now, 19)
    assert ask(house).limits[0].state is AllowanceState.EXCEEDED
    house.engine.void_events([Identity("", "last")], reason="wrong", remember_missing=False)
    assert ask(house).limits[0].remaining == Decimal(1)


def test_the_period_rolls_over_with_the_clock_and_not_before(house: EngineHouse) -> None:
    limited(house, structs.replace(CAP, period=Period.DAY, timezone="Europe/Berlin"))
    move_to(
        house, "2027-03-28T21:00:00Z"
    )  # the day the clocks went forward: it has 23 hours, and ends an hour earlier in UTC
    send(house, "2027-03-27T22:59:59Z")
    send(house, "2027-03-27T23:00:00Z", 2)
    send(house, "2027-03-28T21:59:59.999999999Z", 4)
    (limit,) = ask(house).limits
    assert limit.used == Decimal(6)
    assert format_instant(limit.period_start) == "2027-03-27T23:00:00Z"
    assert format_instant(limit.resets_at) == "2027-03-28T22:00:00Z"
    move_to(house, "2027-03-28T22:00:00Z")
    (limit,) = ask(house).limits
    assert (limit.used, format_instant(limit.resets_at)) == (Decimal(0), "2027-03-29T22:00:00Z")


def test_a_limit_in_the_customers_own_zone_follows_it(house: EngineHouse) -> None:
    limited(house, structs.replace(CAP, period=Period.DAY, timezone="customer"))
    move_to(house, "2026-11-02T14:00:00Z")
    send(house, "2026-11-02T14:30:00Z", 3)
    assert format_instant(ask(house).limits[0].resets_at) == "2026-11-03T00:00:00Z"
    house.engine.put_customer(Customer(key="acme", time_zone="Asia/Tokyo"), create=True)
    (limit,) = ask(house).limits
    assert (limit.used, format_instant(limit.resets_at)) == (Decimal(3), "2026-11-02T15:00:00Z")
    move_to(house, "2026-11-02T15:00:00Z")
    assert ask(house).limits[0].used == Decimal(0)
    house.engine.put_customer(Customer(key="acme", time_zone="UTC"), create=False)
    assert ask(house).limits[0].used == Decimal(3)


def test_changed_and_deleted_signals_are_seen_by_the_next_question(house: EngineHouse) -> None:
    limited(house)
    send(house, format_instant(house.clock.now()), 10)
    condition = structs.replace(CAP.condition, limit=Decimal(10))
    house.engine.signals.put(structs.replace(CAP, condition=condition), create=False)
    assert ask(house).limits[0].state is AllowanceState.EXCEEDED
    house.engine.signals.put(structs.replace(CAP, key="own", customer="acme"), create=True)
    assert [limit.signal for limit in ask(house).limits] == ["own"]
    house.engine.signals.delete("own")
    house.engine.signals.delete("cap")
    assert ask(house).tightest is None


def test_a_limit_for_each_group_is_that_of_the_fullest_one_that_may_be_meant(house: EngineHouse) -> None:
    limited(house, structs.replace(CAP, group_by=("model",)))
    now = format_instant(house.clock.now())
    assert ask(house, model="small").limits[0].used == Decimal(0)
    send(house, now, 5, properties={"model": "small"})
    send(house, now, 9, properties={"model": "large"})
    send(house, now, 2)
    for properties, group, used in [
        ({}, {"model": "large"}, 9),
        ({"model": "small"}, {"model": "small"}, 5),
        ({"model": "none"}, {"model": "none"}, 0),
        ({"region": "eu"}, {"model": "large"}, 9),
    ]:
        (limit,) = ask(house, **properties).limits
        assert (limit.group, limit.used) == (group, Decimal(used))


@pytest.mark.parametrize(
    ("aggregation", "used"), [("max", "7"), ("level", "7"), ("unique", "2"), ("avg", "5"), ("latest", "3")]
)
def test_every_aggregation_can_be_limited(house: EngineHouse, aggregation: str, used: str) -> None:
    house.engine.put_meter(Meter(key="peak", name="Peak", event_type="call", aggregation=aggregation), create=True)
    limited(house, structs.replace(CAP, meter="peak"))
    nothing = house.engine.allowance("acme", "peak").limits[0]
    assert nothing.state is AllowanceState.OK
    assert nothing.remaining == Decimal(100)
    now = house.clock.now()
    send(house, format_instant(now), value=7)
    send(house, format_instant(Instant(now + 1)), value=3)
    assert house.engine.allowance("acme", "peak").limits[0].used == Decimal(used)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    moves=st.lists(
        st.tuples(
            st.sampled_from(["acme", "globex"]),
            st.integers(0, 30),
            st.sampled_from(["send", "late", "void", "checkpoint", "restart", "hour"]),
        ),
        max_size=25,
    ),
    period=st.sampled_from(Period),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kathmandu"]),
)
def test_used_is_the_usage_of_the_period_whatever_happened(
    tmp_path_factory: pytest.TempPathFactory, moves: list[tuple[str, int, str]], period: Period, zone: str
) -> None:
    house = EngineHouse(tmp_path_factory.mktemp("allowances") / "data")
    limited(house, structs.replace(CAP, period=period, timezone=zone))
    move_to(house, "2026-10-25T00:10:00Z")  # the hour before Berlin's clocks go back
    try:
        play(house, moves)
    finally:
        house.engine.close()


def play(house: EngineHouse, moves: list[tuple[str, int, str]]) -> None:
    """Do the moves, and compare after each."""
    for customer, number, move in moves:
        now = house.clock.now()
        match move:
            case "send" | "late":
                time = format_instant(Instant(now - (number * 3_600_000_000_000 if move == "late" else 0)))
                house.engine.ingest(house.batch(call(f"id-{number}", customer=customer, time=time)))
            case "void":
                house.engine.void_events([Identity("", f"id-{number}")], reason="wrong", remember_missing=True)
            case "checkpoint":
                house.engine.checkpoint()
            case "restart":
                house.restart()
            case _:
                house.clock.advance(1_800)
        for each in ("acme", "globex"):
            (limit,) = ask(house, each).limits
            assert limit.period_start <= house.clock.now() < limit.resets_at
            question = UsageQuestion(start=limit.period_start, end=limit.resets_at, filter={"customer": (each,)})
            totals = house.engine.usage("calls", question).totals
            assert limit.used == (totals[0].value if totals else Decimal(0))
