"""What an answer promises, one rule a test."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from tallystick.amount import plain
from tallystick.errors import InvalidQuestion
from tallystick.event import Position
from tallystick.instant import Instant, format_instant
from tallystick.testing.frames import ListedFrames
from tallystick.usage.answer_usage import answer_usage
from tallystick.usage.event_frames import CUSTOMER, POSITION, PROPERTY_PREFIX, TIME, VALUE, VALUE_TYPE
from tallystick.usage.question import Fill, Order, WindowSize
from tests.core.usage.asking import ask, call, clock_at, meter, question, totals, values

NOON = "2026-11-01T12:00:00Z"
LARGEST = "99999999999999999999999999.999999999999"


def test_ten_times_a_tenth_is_one() -> None:
    answer = ask([call(NOON, value="0.1") for _ in range(10)])
    assert str(answer.totals[0].value) == "1"


def test_a_sum_past_the_widest_column_is_exact() -> None:
    answer = ask([call(NOON, value=LARGEST) for _ in range(1_000)])
    assert str(answer.totals[0].value) == "99999999999999999999999999999.999999999000"


def test_large_values_that_cancel_leave_the_small_one() -> None:
    values_sent = [LARGEST] * 3 + ["0.000000000001"] + [f"-{LARGEST}"] * 3
    answer = ask([call(NOON, value=value) for value in values_sent])
    assert answer.totals[0].value == Decimal("0.000000000001")
    assert answer.totals[0].events == 7


def test_groups_are_ranked_by_exact_totals_past_the_widest_column() -> None:
    events = [call(NOON, value=LARGEST, customer=customer) for customer in ("a", "b", "b", "b", "c") for _ in range(2)]
    events.append(call(NOON, value="0.000000000001", customer="c"))
    events += [call(NOON, value=f"-{LARGEST}", customer="d") for _ in range(3)]
    answer = ask(events, question(group_by=("customer",), limit=2))
    assert [group for group, _ in totals(answer)] == [("b",), ("c",)]
    answer = ask(events, question(group_by=("customer",), limit=2, order=Order.ASC))
    assert [group for group, _ in totals(answer)] == [("a",), ("d",)]


def test_equal_totals_are_cut_by_group_in_both_orders() -> None:
    events = [call(NOON, customer=customer) for customer in "cab"]
    for order in Order:
        answer = ask(events, question(group_by=("customer",), limit=2, order=order))
        assert [group for group, _ in totals(answer)] == [("a",), ("b",)]


def test_the_distinct_count_of_a_range_is_not_the_sum_of_its_days() -> None:
    events = [call(f"2026-11-0{day}T12:00:00Z", customer="acme") for day in (1, 2, 3)]
    answer = ask(events, question(window=WindowSize.DAY), meter("unique", field="customer"))
    assert values(answer) == [1, 1, 1]
    assert totals(answer) == [((), 1)]


def test_a_row_says_when_its_window_starts_and_ends_in_utc() -> None:
    answer = ask(
        [call("2026-10-25T00:30:00Z"), call("2026-10-25T23:30:00Z")],
        question("2026-10-24T12:00:00Z", "2026-10-26T12:00:00Z", window=WindowSize.DAY, timezone="Europe/Berlin"),
    )
    assert [(format_instant(row.start), format_instant(row.end)) for row in answer.rows] == [
        ("2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"),
        ("2026-10-25T23:00:00Z", "2026-10-26T12:00:00Z"),
    ]


def test_the_range_holds_its_start_and_not_its_end() -> None:
    events = [call("2026-11-01T00:00:00Z"), call("2026-12-01T00:00:00Z"), call("2026-11-30T23:59:59.999999999Z")]
    assert totals(ask(events)) == [((), 2)]


def test_rows_are_ordered_by_group_and_null_comes_last() -> None:
    events = [
        call("2026-11-02T00:00:00Z", region="us"),
        call("2026-11-01T00:00:00Z", region="us"),
        call("2026-11-01T00:00:00Z"),
        call("2026-11-01T00:00:00Z", region=""),
        call("2026-11-01T00:00:00Z", region="Z"),
    ]
    answer = ask(events, question(group_by=("region",), window=WindowSize.DAY))
    assert [(row.group["region"], row.start) for row in answer.rows] == [
        (region, answer.question.start + day * 86_400 * 10**9)
        for region, day in (("", 0), ("Z", 0), ("us", 0), ("us", 1), (None, 0))
    ]
    assert [total.group for total in answer.totals] == [{"region": region} for region in ("", "Z", "us", None)]


def test_numbers_and_texts_of_one_value_are_one_group_but_a_text_keeps_its_spelling() -> None:
    events = [call(NOON, n=n) for n in (Decimal(1), Decimal("1.0"), "1", "1.0", True, "true")]
    assert totals(ask(events, question(group_by=("n",)))) == [(("1",), 3), (("1.0",), 1), (("true",), 2)]
    assert totals(ask(events, question(filter={"n": ("1",)}))) == [((), 3)]
    assert totals(ask(events, of=meter("unique", field="properties.n"))) == [((), 3)]


def test_filters_of_the_meter_and_of_the_question_both_hold() -> None:
    events = [
        call(NOON, customer=customer, model=model, region=region)
        for customer in ("acme", "beta")
        for model in ("large", "small", "tiny")
        for region in ("eu", "us")
    ]
    filtered = meter(filter={"model": ("large", "small"), "customer": ("acme",)})
    assert totals(ask(events, of=filtered)) == [((), 4)]
    assert totals(ask(events, question(filter={"region": ("eu",), "model": ("small", "tiny")}), filtered)) == [((), 1)]
    assert ask(events, question(filter={"customer": ("beta",)}), filtered).totals == []


def test_an_event_whose_field_is_no_number_does_not_count() -> None:
    events = [call(NOON, n=n) for n in (Decimal("1.5"), "2.50", "many", True, "")] + [call(NOON)]
    answer = ask(events, of=meter("sum", field="properties.n"))
    assert (answer.totals[0].value, answer.totals[0].events) == (4, 2)


def test_a_count_of_a_property_counts_the_events_that_have_it() -> None:
    events = [call(NOON, n="many"), call(NOON, n=False), call(NOON)]
    assert totals(ask(events, of=meter("count", field="properties.n"))) == [((), 2)]
    assert totals(ask(events, of=meter("count"))) == [((), 3)]


def test_distinct_combinations_are_told_apart_whatever_the_texts_hold() -> None:
    pairs = [("a", "bc"), ("ab", "c"), ("a", "bc"), ("a\0", "b"), ("a", "\0b")]
    events = [call(NOON, x=x, y=y) for x, y in pairs] + [call(NOON, x="alone")]
    assert totals(ask(events, of=meter("unique", fields=("properties.x", "properties.y")))) == [((), 4)]


def test_the_smallest_and_largest_are_exact() -> None:
    events = [
        call(NOON, value=value) for value in (f"-{LARGEST}", "0", LARGEST, "99999999999999999999999999.999999999998")
    ]
    assert str(ask(events, of=meter("max")).totals[0].value) == LARGEST
    assert str(ask(events, of=meter("min")).totals[0].value) == f"-{LARGEST}"


@pytest.mark.parametrize(
    ("sent", "mean"),
    [
        (["1", "2", "2"], "1.666666666667"),
        (["-1", "-2", "-2"], "-1.666666666667"),
        (["0.000000000001", "0"], "0"),
        (["0.000000000003", "0"], "0.000000000002"),
        (["-0.000000000003", "0"], "-0.000000000002"),
        ([LARGEST] * 3 + ["0.000000000002"] * 3, "50000000000000000000000000"),
    ],
)
def test_a_mean_is_exact_and_rounded_once_half_even(sent: list[str], mean: str) -> None:
    answer = ask([call(NOON, value=value) for value in sent], of=meter("avg"))
    assert plain(answer.totals[0].value or Decimal(0)) == mean


def test_the_mean_of_a_range_is_not_the_mean_of_its_days() -> None:
    events = [call(NOON, value="1"), call(NOON, value="2"), call("2026-11-02T12:00:00Z", value="6")]
    answer = ask(events, question(window=WindowSize.DAY), meter("avg"))
    assert values(answer) == [Decimal("1.5"), 6]
    assert totals(answer) == [((), 3)]


def test_the_latest_is_by_time_and_at_equal_times_by_position() -> None:
    events = [call("2026-11-02T12:00:00Z", value="3"), call("2026-11-02T12:00:00Z", value="2"), call(NOON, value="9")]
    answer = ask(events, question(window=WindowSize.DAY), meter("latest"))
    assert values(answer) == [9, 2]
    assert totals(answer) == [((), 2)]


@pytest.mark.parametrize(
    ("aggregation", "nothing"),
    [("count", 0), ("sum", 0), ("unique", 0), ("min", None), ("max", None), ("avg", None), ("latest", None)],
)
def test_fill_zero_answers_every_window_of_the_one_group_though_nothing_happened(
    aggregation: str, nothing: int | None
) -> None:
    asked = question("2026-11-01T00:00:00Z", "2026-11-03T00:00:00Z", window=WindowSize.DAY, fill=Fill.ZERO)
    answer = ask([], asked, meter(aggregation))
    assert [(row.group, row.value, row.events) for row in answer.rows] == [({}, nothing, 0)] * 2
    assert totals(answer) == [((), nothing)]


def test_fill_zero_answers_every_window_of_every_group_that_stays() -> None:
    events = [
        call("2026-11-02T12:00:00Z", customer="b", value="2"),
        call(NOON, customer="a", value="3"),
        call(NOON, customer="c"),
    ]
    asked = question(
        "2026-11-01T00:00:00Z",
        "2026-11-04T00:00:00Z",
        window=WindowSize.DAY,
        fill=Fill.ZERO,
        group_by=("customer",),
        limit=2,
    )
    answer = ask(events, asked)
    assert [(row.group["customer"], row.value) for row in answer.rows] == [
        ("a", 3), ("a", 0), ("a", 0), ("b", 0), ("b", 2), ("b", 0),
    ]  # fmt: skip


def test_without_fill_nothing_is_answered_where_nothing_happened() -> None:
    answer = ask([], question(window=WindowSize.DAY))
    assert (answer.rows, answer.totals) == ([], [])


def test_an_empty_range_has_no_rows() -> None:
    answer = ask(
        [call("2026-11-01T00:00:00Z")], question("2026-11-01T00:00:00Z", "2026-11-01T00:00:00Z", fill=Fill.ZERO)
    )
    assert (answer.rows, totals(answer)) == ([], [((), 0)])


def test_an_answer_as_of_a_position_is_what_was_known_then() -> None:
    events = [call(NOON, value=value) for value in ("1", "10", "100")]
    frames = ListedFrames(events, voids={1: 3})
    known = [
        answer_usage(frames, meter(), question(as_of=Position(position)), clock=clock_at()).totals
        for position in (1, 2, 3)
    ]
    assert [found[0].value for found in known] == [1, 11, 110]
    assert answer_usage(frames, meter(), question(), clock=clock_at()).totals[0].value == 110


def test_a_store_with_no_frames_at_all_answers_nothing() -> None:
    assert ask([call(NOON, type_="other")]).rows == []
    assert answer_usage(NoFrames(), meter(), question(group_by=("region",)), clock=clock_at()).rows == []


class NoFrames:
    def frames(self, **_asked: object) -> list[pl.LazyFrame]:
        return []


class ManyCustomers:
    """As many customers as asked, one event each, without an object for any."""

    def __init__(self, customer_count: int) -> None:
        self._customer_count = customer_count

    def frames(self, *, start: Instant, properties: Sequence[str] = (), **_asked: object) -> list[pl.LazyFrame]:
        positions = pl.int_range(1, self._customer_count + 1, eager=True)
        columns = {
            POSITION: positions,
            TIME: pl.repeat(int(start), self._customer_count, dtype=pl.Int64, eager=True),
            CUSTOMER: positions.cast(pl.String),
            VALUE: positions.cast(VALUE_TYPE),
        }
        return [
            pl.LazyFrame(columns).with_columns(pl.lit("x").alias(f"{PROPERTY_PREFIX}{name}") for name in properties)
        ]


def test_more_groups_than_an_answer_may_have_are_refused_rather_than_left_out() -> None:
    with pytest.raises(InvalidQuestion, match=r"1,000,001 groups.*keep the top groups with limit") as refused:
        answer_usage(ManyCustomers(1_000_001), meter(), question(group_by=("customer",)), clock=clock_at())
    assert refused.value.parameter == "limit"
    answer = answer_usage(
        ManyCustomers(1_000_001), meter(), question(group_by=("customer",), limit=3), clock=clock_at()
    )
    assert totals(answer) == [(("1000000",), 1_000_000), (("1000001",), 1_000_001), (("999999",), 999_999)]


def test_more_filled_rows_than_an_answer_may_have_are_refused_before_they_are_made() -> None:
    asked = question(group_by=("customer",), window=WindowSize.HOUR, fill=Fill.ZERO)
    with pytest.raises(InvalidQuestion, match=r"36,000,000 rows"):
        answer_usage(ManyCustomers(50_000), meter(), asked, clock=clock_at())


@pytest.mark.parametrize(
    ("asked", "parameter"),
    [
        ({"end": "2026-10-01T00:00:00Z"}, "to"),
        ({"window": WindowSize.MINUTE, "end": "2028-11-01T00:00:00Z"}, "window"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"group_by": ("region", "region")}, "group_by"),
        ({"group_by": ("",)}, "group_by"),
        ({"group_by": ("\ud800",)}, "group_by"),
        ({"group_by": tuple("abcdefghi")}, "group_by"),
        ({"filter": {"region": ()}}, "filter"),
        ({"filter": {"": ("x",)}}, "filter"),
        ({"filter": {"x": ("\ud800",)}}, "filter"),
        ({"limit": 0}, "limit"),
        ({"limit": 1_000_001}, "limit"),
        ({"as_of": -1}, "as_of"),
    ],
)
def test_a_question_that_cannot_be_answered_is_refused_by_the_name_of_its_parameter(
    asked: dict[str, Any], parameter: str
) -> None:
    with pytest.raises(InvalidQuestion) as refused:
        ask([], question(**asked))
    assert refused.value.parameter == parameter
