"""The same question of the period before, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tallystick.errors import InvalidQuestion
from tallystick.event import Event
from tallystick.instant import format_instant
from tallystick.usage.answer import Comparison, UsageAnswer, compared
from tallystick.usage.previous_period import previous_question
from tallystick.usage.question import Compare, Fill, Order, UsageQuestion, WindowSize

from .asking import ask, call, meter, question


def previous(start: str, end: str, timezone: str = "UTC") -> tuple[str, str]:
    before = previous_question(question(start, end, timezone=timezone))
    return format_instant(before.start), format_instant(before.end)


@pytest.mark.parametrize(
    ("start", "end", "timezone", "before"),
    [
        ("2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z", "UTC", "2026-02-01T00:00:00Z"),
        ("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z", "UTC", "2025-01-01T00:00:00Z"),
        ("2026-01-01T00:00:00Z", "2026-04-01T00:00:00Z", "UTC", "2025-10-01T00:00:00Z"),
        # A month of Berlin's: summer time began on the 29th, so March was an hour shorter.
        ("2026-03-31T22:00:00Z", "2026-04-30T22:00:00Z", "Europe/Berlin", "2026-02-28T23:00:00Z"),
        # The same instants are no months of UTC's: exactly as long.
        ("2026-03-31T22:00:00Z", "2026-04-30T22:00:00Z", "UTC", "2026-03-01T22:00:00Z"),
        ("2026-11-16T00:00:00Z", "2026-11-23T00:00:00Z", "UTC", "2026-11-09T00:00:00Z"),
        # The day on which clocks went forward in Berlin has 23 hours, the one before it 24.
        ("2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z", "Europe/Berlin", "2026-03-27T23:00:00Z"),
        # Lord Howe's clock moved by half an hour on 4 October 2026: the day had 23:30, the one before it 24:00.
        ("2026-10-03T13:30:00Z", "2026-10-04T13:00:00Z", "Australia/Lord_Howe", "2026-10-02T13:30:00Z"),
        # In São Paulo 4 November 2018 began at 01:00.
        ("2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z", "America/Sao_Paulo", "2018-11-03T03:00:00Z"),
        ("2026-11-02T10:00:00Z", "2026-11-02T11:30:00Z", "UTC", "2026-11-02T08:30:00Z"),
        ("2026-03-01T00:00:00Z", "2026-03-15T12:00:00Z", "UTC", "2026-02-14T12:00:00Z"),
        ("2026-03-01T00:00:00Z", "2026-03-01T00:00:00Z", "UTC", "2026-03-01T00:00:00Z"),
    ],
)
def test_the_period_before_follows_the_calendar_where_the_range_does(
    start: str, end: str, timezone: str, before: str
) -> None:
    assert previous(start, end, timezone) == (before, start)


@pytest.mark.parametrize(
    ("start", "end"),
    [("1970-01-15T00:00:00Z", "1970-02-15T00:00:00Z"), ("1970-01-01T00:00:00Z", "2261-12-01T00:00:00Z")],
)
@pytest.mark.parametrize("timezone", ["UTC", "Pacific/Apia", "America/Los_Angeles"])
def test_a_period_before_all_time_is_refused(start: str, end: str, timezone: str) -> None:
    with pytest.raises(InvalidQuestion) as refused:
        previous(start, end, timezone)
    assert refused.value.parameter == "compare"


@pytest.mark.parametrize(
    ("value", "before", "expected"),
    [
        ("15", "10", ("10", "5", "50")),
        ("10", "15", ("15", "-5", "-33.3333")),
        ("1", "3", ("3", "-2", "-66.6667")),
        ("-5", "-10", ("-10", "5", "50")),
        ("7", "0", ("0", "7", None)),
        ("0", "0", ("0", "0", None)),
        # Ties go to the even neighbour: 0.00005 % and 0.00015 %.
        ("1.0000005", "1", ("1", "0.0000005", "0")),
        ("1.0000015", "1", ("1", "0.0000015", "0.0002")),
        ("99999999999999999999999999", "0.000000000001", None),
        (None, "3", ("3", None, None)),
        ("3", None, (None, None, None)),
    ],
)
def test_a_change_is_exact_and_its_percentage_is_rounded_half_even(
    value: str | None, before: str | None, expected: tuple[str | None, str | None, str | None] | None
) -> None:
    found = compared(amount(value), amount(before))
    if expected is None:
        assert found.change == Decimal("99999999999999999999999998.999999999999")
        assert found.change_percent == Decimal(9999999999999999999999999899999999999900)
    else:
        assert found == Comparison(*map(amount, expected))


def amount(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


EVENTS = [
    call("2026-02-01T10:00:00Z", value="4", customer="acme"),
    call("2026-02-02T10:00:00Z", value="2", customer="gone"),
    call("2026-03-01T10:00:00Z", value="5", customer="acme"),
    call("2026-03-01T11:00:00Z", value="7", customer="new"),
    call("2026-03-31T11:00:00Z", value="1", customer="acme"),
]


def march(
    events: Sequence[Event] = EVENTS, aggregation: str = "sum", **asked: Any
) -> UsageAnswer:  # Any: as `question`
    return ask(
        events,
        question("2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z", compare=Compare.PREVIOUS, **asked),
        meter(aggregation),
    )


def seen(answer: UsageAnswer) -> list[tuple[str | None, str, Any, Any, Any, Any]]:
    found: list[tuple[str | None, str, Any, Any, Any, Any]] = []
    for row in answer.rows:
        assert row.compared is not None
        each = row.compared
        group = row.group.get("customer")
        found.append(
            (group, format_instant(row.start)[:10], row.value, each.previous, each.change, each.change_percent)
        )
    return found


def test_rows_stand_beside_those_of_the_same_group_and_window_a_period_earlier() -> None:
    answer = march(group_by=("customer",), window=WindowSize.DAY)
    assert seen(answer) == [
        ("acme", "2026-03-01", 5, 4, 1, 25),
        ("acme", "2026-03-31", 1, 0, 1, None),
        ("gone", "2026-03-02", 0, 2, -2, -100),
        ("new", "2026-03-01", 7, 0, 7, None),
    ]
    assert [(total.group["customer"], total.value, total.events, total.compared) for total in answer.totals] == [
        ("acme", 6, 2, Comparison(Decimal(4), Decimal(2), Decimal(50))),
        ("gone", 0, 0, Comparison(Decimal(2), Decimal(-2), Decimal(-100))),
        ("new", 7, 1, Comparison(Decimal(0), Decimal(7), None)),
    ]


def test_a_figure_of_nothing_is_null_where_the_aggregation_has_none() -> None:
    answer = march(aggregation="max", group_by=("customer",))
    assert [(total.value, total.compared) for total in answer.totals] == [
        (5, Comparison(Decimal(4), Decimal(1), Decimal(25))),
        (None, Comparison(Decimal(2), None, None)),
        (7, Comparison(None, None, None)),
    ]


def test_top_groups_are_ranked_by_the_period_that_was_asked_for() -> None:
    def names(**asked: Any) -> list[str | None]:
        return [total.group["customer"] for total in march(group_by=("customer",), **asked).totals]

    assert names(limit=2) == ["acme", "new"]
    assert names(limit=1, order=Order.ASC) == ["gone"]


def test_with_fill_every_window_has_both_figures() -> None:
    answer = march(group_by=("customer",), window=WindowSize.WEEK, fill=Fill.ZERO)
    assert len(answer.rows) == 3 * 6
    assert {(value, before) for _, _, value, before, _, _ in seen(answer)} == {(5, 4), (0, 0), (1, 0), (0, 2), (7, 0)}
    nothing = march([], fill=Fill.ZERO, window=WindowSize.MONTH)
    assert seen(nothing) == [(None, "2026-03-01", 0, 0, 0, None)]
    assert march([], fill=Fill.NONE).rows == []


def test_a_day_that_this_month_does_not_have_is_in_the_total_alone() -> None:
    late = [call("2026-01-31T10:00:00Z", value="9"), call("2026-02-01T10:00:00Z", value="1")]
    answer = ask(
        late,
        question("2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z", compare=Compare.PREVIOUS, window=WindowSize.DAY),
    )
    assert seen(answer) == [(None, "2026-02-01", 1, 0, 1, None)]
    (total,) = answer.totals
    assert total.compared == Comparison(Decimal(9), Decimal(-8), Decimal("-88.8889"))


LEVELS = [
    call("2026-02-10T00:00:00Z", value="1", customer="acme"),
    call("2026-02-20T00:00:00Z", value="5", customer="beta"),
    call("2026-02-21T00:00:00Z", value="-5", customer="beta"),
    call("2026-03-10T00:00:00Z", value="2", customer="acme"),
]


def test_levels_stand_beside_those_of_the_period_before_and_the_limit_ranks_this_one() -> None:
    answer = march(LEVELS, "running_total", group_by=("customer",))
    assert seen(answer) == [("acme", "2026-03-01", 3, 1, 2, 200), ("beta", "2026-03-01", 0, 5, -5, -100)]
    # Before, beta was the largest.
    assert seen(march(LEVELS, "running_total", group_by=("customer",), limit=1)) == [
        ("acme", "2026-03-01", 3, 1, 2, 200)
    ]


def test_what_has_not_begun_has_no_level_beside_the_one_before() -> None:
    asked = question(
        "2026-03-01T00:00:00Z",
        "2026-03-04T00:00:00Z",
        compare=Compare.PREVIOUS,
        window=WindowSize.DAY,
        fill=Fill.ZERO,
    )
    events = [call("2026-02-26T12:00:00Z", value="4"), call("2026-02-28T12:00:00Z", value="-4")]
    answer = ask(events, asked, meter("running_total"), now="2026-03-02T12:00:00Z")
    assert seen(answer) == [
        (None, "2026-03-01", 0, 4, -4, -100),
        (None, "2026-03-02", 0, 4, -4, -100),
        (None, "2026-03-03", None, 4, None, None),
    ]


TIMES = (
    "2026-02-01T10:00:00Z",
    "2026-02-03T01:00:00Z",
    "2026-02-28T10:00:00Z",
    "2026-03-01T10:00:00Z",
    "2026-03-31T10:00:00Z",
)


def event(time: str, value: str, customer: str) -> Event:
    return call(time, value=value, customer=customer)


@given(
    events=st.lists(
        st.builds(event, st.sampled_from(TIMES), st.sampled_from(["-2", "0", "0.5", "3"]), st.sampled_from(["a", "b"])),
        max_size=8,
    ),
    aggregation=st.sampled_from(["sum", "min", "count", "unique", "running_total"]),
    window=st.sampled_from([WindowSize.DAY, WindowSize.WEEK, WindowSize.TOTAL]),
    fill=st.sampled_from(Fill),
)
def test_both_sides_are_what_each_period_answers_alone(
    events: list[Event], aggregation: str, window: WindowSize, fill: Fill
) -> None:
    asked = question("2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z", window=window, group_by=("customer",))
    both = ask(events, replace(asked, compare=Compare.PREVIOUS, fill=fill), meter(aggregation))
    now, before = (ask(events, each, meter(aggregation)) for each in (asked, previous_question(asked)))
    assert both.previous == (before.question.start, before.question.end)
    nothing = None if aggregation == "min" else Decimal(0)
    for answer, side in ((now, "value"), (before, "previous")):
        totals = {total.group["customer"]: total.value for total in answer.totals}
        for total in both.totals:
            assert total.compared is not None
            found = total.value if side == "value" else total.compared.previous
            assert found == totals.get(total.group["customer"], nothing)
        assert {total.group["customer"] for total in both.totals} >= set(totals)
    rows = {(row.group["customer"], row.start): row.value for row in now.rows}
    assert {
        key: value for key, value in rows.items() if key not in {(r.group["customer"], r.start) for r in both.rows}
    } == {}
    for row in both.rows:
        assert row.value == rows.get((row.group["customer"], row.start), nothing)


def test_a_question_that_is_not_compared_names_no_other_period() -> None:
    answer = ask(EVENTS, question())
    assert answer.previous is None
    assert all(total.compared is None for total in answer.totals)
    assert UsageQuestion(start=answer.question.start, end=answer.question.end).compare is Compare.NONE
