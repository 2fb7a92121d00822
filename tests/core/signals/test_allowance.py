"""Which limits a customer has, and how it stands to them: the pure part."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from tallystick.instant import Instant
from tallystick.signals.allowance import Limits, LimitStanding, is_limit, limit_of, standing, tightest_first
from tallystick.signals.calendar_period import Span, span_at
from tallystick.signals.signal import Condition, ConditionType, Measure, Op, Period, Signal
from tests.core.engine.watching import CAP, DECEMBER, NOVEMBER

SPAN = Span(NOVEMBER, DECEMBER)


def signal(key: str = "cap", **fields: object) -> Signal:
    return structs.replace(CAP, key=key, **fields)


def keys(signals: list[Signal], customer: str = "acme", properties: Mapping[str, str] | None = None) -> list[str]:
    return [each.key for each in Limits(signals).of("calls", customer, properties or {})]


def threshold(*values: int, op: Op = Op.AT_LEAST) -> Condition:
    return Condition(type=ConditionType.THRESHOLD, op=op, thresholds=tuple(map(Decimal, values)))


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (signal(enabled=False), False),
        (signal(measure=Measure.COST), False),
        (signal(condition=threshold(5, op=Op.BELOW)), False),
        (signal(condition=threshold(5, op=Op.AT_MOST)), False),
        (signal(condition=Condition(type=ConditionType.NO_DATA, silence_s=60)), False),
        (signal(condition=Condition(type=ConditionType.ABSOLUTE_CHANGE, value=Decimal(1))), False),
        (signal(condition=threshold(5, op=Op.ABOVE)), True),
        (signal(channels=()), True),
        (CAP, True),
    ],
)
def test_a_limit_is_an_upper_threshold_of_usage_that_is_enabled(other: Signal, *, expected: bool) -> None:
    assert is_limit(other) == expected
    assert keys([other]) == (["cap"] if expected else [])


def test_all_together_and_other_customers_and_other_meters_are_nobodys_limit() -> None:
    others = [signal("all", customer=None), signal("other", customer="globex"), signal("tokens", meter="tokens")]
    assert keys(others) == []


def test_a_limit_of_the_customers_own_stands_in_for_that_of_everybody_with_the_same_period_and_filter() -> None:
    everybody = [signal("month"), signal("day", period=Period.DAY), signal("large", filter={"model": ("large", "xl")})]
    own = [
        signal("own-month", customer="acme"),
        signal("own-large", customer="acme", filter={"model": ("xl", "large")}, timezone="Europe/Berlin"),
    ]
    assert keys([*everybody, *own]) == ["own-month", "own-large", "day"]
    assert keys([*everybody, *own], "globex") == ["month", "day", "large"]


def test_a_customer_called_star_has_the_limits_of_everybody_once() -> None:
    assert keys([signal("month")], "*") == ["month"]


def test_properties_leave_out_what_they_contradict_and_nothing_else() -> None:
    limits = [
        signal("any"),
        signal("large", filter={"model": ("large",)}),
        signal("eu-large", filter={"model": ("large",), "region": ("eu",)}, period=Period.DAY),
        signal("acme", filter={"customer": ("acme",)}),
    ]
    assert keys(limits) == ["any", "large", "eu-large", "acme"]
    assert keys(limits, properties={"model": "small"}) == ["any", "acme"]
    assert keys(limits, "globex", {"region": "us", "model": "large"}) == ["any", "large"]


@pytest.mark.parametrize(
    ("condition", "limit"),
    [
        (CAP.condition, "100"),
        (structs.replace(CAP.condition, thresholds=(Decimal(50), Decimal(150))), "100"),
        (structs.replace(CAP.condition, thresholds=()), "100"),
        (Condition(type=ConditionType.THRESHOLD, value=Decimal("0.5")), "0.5"),
        (threshold(70, 9, 30), "70"),
    ],
)
def test_the_limit_is_100_percent_or_the_highest_threshold(condition: Condition, limit: str) -> None:
    assert limit_of(signal(condition=condition)) == Decimal(limit)


@pytest.mark.parametrize(
    ("op", "used", "state", "level", "remaining"),
    [
        (Op.AT_LEAST, None, "ok", 0, "100"),
        (Op.AT_LEAST, "-5", "ok", 0, "105"),
        (Op.AT_LEAST, "79.999999999999", "ok", 0, "20.000000000001"),
        (Op.AT_LEAST, "80", "warning", 1, "20"),
        (Op.AT_LEAST, "100", "exceeded", 2, "0"),
        (Op.ABOVE, "80", "ok", 0, "20"),
        (Op.ABOVE, "100", "warning", 1, "0"),
        (Op.ABOVE, "100.5", "exceeded", 2, "0"),
    ],
)
def test_a_figure_stands_to_its_limit(op: Op, used: str | None, state: str, level: int, remaining: str) -> None:
    limit = signal(condition=structs.replace(CAP.condition, op=op))
    found = standing(limit, None if used is None else Decimal(used), span=SPAN, zone="UTC")
    assert (found.state, found.level, found.remaining) == (state, level, Decimal(remaining))
    assert (found.period_start, found.resets_at) == (NOVEMBER, DECEMBER)


def test_the_tightest_is_the_exceeded_one_then_the_one_with_the_least_left_then_the_one_that_begins_anew_last() -> None:
    day = Span(NOVEMBER, Instant(NOVEMBER + 1))

    def limit(key: str, used: int, value: int = 100, span: Span = SPAN, op: Op = Op.AT_LEAST) -> LimitStanding:
        condition = Condition(type=ConditionType.THRESHOLD, op=op, value=Decimal(value))
        return standing(signal(key, condition=condition), Decimal(used), span=span, zone="UTC")

    limits = [
        limit("roomy", 10),
        limit("day", 60, span=day),
        limit("month", 60),
        limit("full", 100, op=Op.ABOVE),
        limit("exceeded", 3_000, 2_000),
    ]
    found = [each.signal for each in tightest_first(limits)]
    assert found == ["exceeded", "full", "month", "day", "roomy"]


@given(
    instant=st.integers(0, 4_000_000_000_000_000_000),
    period=st.sampled_from(Period),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "Australia/Lord_Howe", "Pacific/Apia"]),
)
def test_an_instant_lies_in_its_period_and_the_next_one_begins_where_it_ends(
    instant: int, period: Period, zone: str
) -> None:
    span = span_at(Instant(instant), period, zone)
    assert span.start <= instant < span.end
    assert span_at(Instant(span.end), period, zone).start == span.end
    assert span_at(span.start, period, zone) == span == span_at(Instant(span.end - 1), period, zone)
