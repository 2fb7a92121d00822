"""What a signal may be, how its levels follow, and how a state moves: the pure part, by the thousand."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from tallystick.errors import InvalidDefinition
from tallystick.instant import Instant
from tallystick.signals.signal import Condition, ConditionType, Digest, Measure, Op, Signal, levels, means_the_same
from tallystick.signals.signal_definition import checked_signal
from tallystick.signals.step import SignalState, StepKind, state_after
from tests.core.engine.watching import CAP, DECEMBER, NOVEMBER, fired

THRESHOLD = Condition(type=ConditionType.THRESHOLD, value=Decimal(100_000))
PERCENT = Condition(type=ConditionType.PERCENT_CHANGE, value=Decimal(50))
SILENT = Condition(type=ConditionType.NO_DATA, silence_s=3_600)


def signal(**fields: object) -> Signal:
    return structs.replace(CAP, **fields)


@pytest.mark.parametrize(
    "good",
    [
        CAP,
        signal(condition=THRESHOLD),
        signal(condition=structs.replace(THRESHOLD, value=None, thresholds=(Decimal(1), Decimal(5)))),
        signal(condition=structs.replace(THRESHOLD, value=None, limit=Decimal("0.5"))),
        signal(condition=structs.replace(PERCENT, floor=Decimal(10)), customer=None),
        signal(condition=Condition(type=ConditionType.ABSOLUTE_CHANGE, value=Decimal("0.000000000001"))),
        signal(condition=SILENT),
        signal(timezone="customer"),
        signal(timezone="Europe/Berlin", group_by=("region", "model"), filter={"model": ("large",)}),
        signal(template="{{ who }}"),
        signal(digest=Digest.DAILY),
    ],
)
def test_a_signal_that_keeps_the_rules_is_taken_as_it_is(good: Signal) -> None:
    assert checked_signal(good) == good


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        (signal(key=".."), "key"),
        (signal(key="a b"), "key"),
        (signal(meter=""), "meter"),
        (signal(name="two\nlines"), "name"),
        (signal(measure=Measure.COST), "measure"),
        (signal(customer=""), "scope.customer"),
        (signal(group_by=("customer",)), "group_by"),
        (signal(group_by=("a", "a")), "group_by"),
        (signal(group_by=("a", "b", "c", "d", "e")), "group_by"),
        (signal(timezone="Mars/Olympus"), "timezone"),
        (signal(timezone="customer", customer=None), "timezone"),
        (signal(channels=("a", "a")), "channels"),
        (signal(template=""), "template"),
        (signal(template="x", digest=Digest.HOURLY), "template"),
        (signal(filter={"model": ()}), "filter"),
        (signal(condition=Condition(type=ConditionType.THRESHOLD)), "condition"),
        (signal(condition=structs.replace(THRESHOLD, limit=Decimal(1))), "condition"),
        (signal(condition=structs.replace(THRESHOLD, floor=Decimal(1))), "condition.floor"),
        (signal(condition=structs.replace(THRESHOLD, value=Decimal("NaN"))), "condition.value"),
        (signal(condition=structs.replace(THRESHOLD, value=Decimal("1e26"))), "condition.value"),
        (signal(condition=structs.replace(THRESHOLD, value=Decimal("1e-13"))), "condition.value"),
        (signal(condition=structs.replace(CAP.condition, limit=Decimal(0))), "condition.limit"),
        (signal(condition=structs.replace(CAP.condition, thresholds=(Decimal(0),))), "condition.thresholds"),
        (signal(condition=structs.replace(CAP.condition, thresholds=(Decimal(1), Decimal(1)))), "condition.thresholds"),
        (signal(condition=structs.replace(PERCENT, value=Decimal(0))), "condition.value"),
        (signal(condition=structs.replace(PERCENT, value=None)), "condition.value"),
        (signal(condition=structs.replace(PERCENT, floor=Decimal(-1))), "condition.floor"),
        (signal(condition=structs.replace(PERCENT, thresholds=(Decimal(1),))), "condition.thresholds"),
        (signal(condition=structs.replace(SILENT, silence_s=5)), "condition.silence_s"),
        (signal(condition=structs.replace(SILENT, silence_s=None)), "condition.silence_s"),
        (signal(condition=structs.replace(SILENT, value=Decimal(1))), "condition.value"),
        (signal(condition=SILENT, customer=None), "scope.customer"),
    ],
)
def test_a_signal_that_breaks_a_rule_is_refused_naming_the_field(bad: Signal, field: str) -> None:
    with pytest.raises(InvalidDefinition) as refused:
        checked_signal(bad)
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (THRESHOLD, ["100000"]),
        (
            structs.replace(CAP.condition, limit=Decimal("0.3"), thresholds=tuple(map(Decimal, (100, 50, 80)))),
            ["0.15", "0.24", "0.3"],
        ),
        (structs.replace(CAP.condition, thresholds=()), ["100"]),
        (structs.replace(THRESHOLD, value=None, thresholds=(Decimal(5), Decimal(1)), op=Op.BELOW), ["5", "1"]),
        (PERCENT, []),
    ],
)
def test_levels_are_the_figures_in_the_order_in_which_they_are_passed(
    condition: Condition, expected: list[str]
) -> None:
    assert [Decimal(text) for text in expected] == list(levels(condition))


@pytest.mark.parametrize(
    ("change", "is_same"),
    [
        ({"name": "Another"}, True),
        ({"channels": ()}, True),
        ({"digest": Digest.HOURLY}, True),
        ({"template": "x"}, True),
        ({"meter": "other"}, False),
        ({"condition": THRESHOLD}, False),
        ({"filter": {"a": ("b",)}}, False),
        ({"timezone": "Europe/Berlin"}, False),
        ({"enabled": False}, False),
    ],
)
def test_only_what_is_watched_changes_what_was_noticed(change: dict[str, object], is_same: bool) -> None:  # noqa: FBT001
    assert means_the_same(CAP, signal(**change)) is is_same


@given(
    moves=st.lists(
        st.tuples(
            st.sampled_from([StepKind.FIRED, StepKind.RECOVERED]),
            st.integers(-1, 4),
            st.sampled_from([NOVEMBER, DECEMBER]),
        ),
        max_size=30,
    )
)
def test_a_step_that_is_taken_moves_the_level_its_way_and_is_never_taken_twice_in_a_row(
    moves: list[tuple[StepKind, int, Instant]],
) -> None:
    state: SignalState | None = None
    for kind, level, period in moves:
        step = fired(level, kind=kind, period_start=period)
        after = state_after(state, step)
        before = 0 if state is None else state.level_in(period)
        is_later = state is None or period >= state.period_start
        goes = level > before if kind is StepKind.FIRED else 0 <= level < before
        assert (after is not None) == (goes and is_later)
        if after is not None:
            assert (after.level, after.period_start) == (level, period)
            assert state_after(after, step) is None
            state = after
