"""Levels and durations, one rule a test; the worked examples of the page on meters among them."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from tallystick.errors import InvalidQuestion
from tallystick.event import Event
from tallystick.instant import format_instant
from tallystick.testing.frames import ListedFrames
from tallystick.usage import level_table
from tallystick.usage.answer import UsageAnswer
from tallystick.usage.answer_usage import answer_usage
from tallystick.usage.question import Compare, Fill, WindowSize
from tests.core.usage.asking import ask, call, clock_at, meter, question, totals, values

UP_AND_DOWN = [
    call("2026-11-01T10:00:00Z", value="1"),
    call("2026-11-01T10:10:00Z", value="1"),
    call("2026-11-01T10:40:00Z", value="-1"),
]
MORNING = question("2026-11-01T09:00:00Z", "2026-11-01T13:00:00Z", window=WindowSize.HOUR)


def by_hour(answer: UsageAnswer) -> dict[str, Decimal | None]:
    return {format_instant(row.start)[11:13]: row.value for row in answer.rows}


@pytest.mark.parametrize(
    ("statistic", "ten", "later"),
    [("peak", "2", "1"), ("closing", "1", "1"), ("average", "1.5", "1"), ("low", "1", "1"), (None, "2", "1")],
)
def test_a_running_total_stands_until_it_is_moved_again(statistic: str | None, ten: str, later: str) -> None:
    answer = ask(UP_AND_DOWN, MORNING, meter("running_total", statistic=statistic))
    assert by_hour(answer) == {"10": Decimal(ten), "11": Decimal(later), "12": Decimal(later)}
    assert [row.events for row in answer.rows] == [3, 0, 0]


@pytest.mark.parametrize(
    ("statistic", "ten", "eleven"),
    [("peak", "2", "1"), ("closing", "1", "0"), ("average", "1.5", "0.333333333333"), ("low", "1", "0")],
)
def test_a_running_total_falls_to_0_after_its_timeout(statistic: str, ten: str, eleven: str) -> None:
    answer = ask(UP_AND_DOWN, MORNING, meter("running_total", statistic=statistic, timeout=2400))
    assert by_hour(answer) == {"10": Decimal(ten), "11": Decimal(eleven)}


def test_a_level_set_for_a_year_is_there_in_every_month() -> None:
    events = [call("2026-01-01T00:00:00Z", value="1000"), call("2026-03-15T00:00:00Z", value="500")]
    asked = question("2026-01-01T00:00:00Z", "2026-05-01T00:00:00Z", window=WindowSize.MONTH)
    answer = ask(events, asked, meter("level", timeout=365 * 86_400))
    assert values(answer) == [1000, 1000, 1000, 500]


START_STOP = [call("2026-11-01T10:50:00Z"), call("2026-11-01T11:20:00Z", value="0")]


@pytest.mark.parametrize("events", [START_STOP, START_STOP[::-1]], ids=["in order", "the stop arrives first"])
def test_a_duration_is_cut_at_the_edges_of_windows(events: list[Event]) -> None:
    answer = ask(events, MORNING, meter("duration"))
    assert by_hour(answer) == {"10": 600, "11": 1200}
    assert totals(answer) == [((), 1800)]


def test_what_happened_before_the_range_is_the_level_carried_in() -> None:
    later = question("2026-11-01T11:00:00Z", "2026-11-01T13:00:00Z", window=WindowSize.HOUR)
    assert values(ask(UP_AND_DOWN, later, meter("running_total"))) == [1, 1]
    assert values(ask(UP_AND_DOWN, later, meter("level"))) == [-1, -1]
    assert values(ask(START_STOP, later, meter("duration"))) == [1200]


def test_a_level_carried_in_counts_for_the_peak_unless_it_ends_with_the_window_before() -> None:
    events = [call("2026-11-01T10:00:00Z", value="5"), call("2026-11-01T11:00:00Z", value="3")]
    assert by_hour(ask(events, MORNING, meter("level"))) == {"10": 5, "11": 3, "12": 3}
    events = [call("2026-11-01T10:00:00Z", value="5"), call("2026-11-01T11:00:00.000000001Z", value="3")]
    assert by_hour(ask(events, MORNING, meter("level"))) == {"10": 5, "11": 5, "12": 3}


def test_an_event_exactly_at_the_timeout_finds_the_level_standing_and_one_later_does_not() -> None:
    start = call("2026-11-01T10:00:00Z", value="5")
    on_time, late = call("2026-11-01T10:30:00Z"), call("2026-11-01T10:30:00.000000001Z")
    defined = meter("running_total", timeout=1800, statistic="closing")
    until = question("2026-11-01T10:00:00Z", "2026-11-01T10:31:00Z")
    assert totals(ask([start, on_time], until, defined)) == [((), 6)]
    assert totals(ask([start, late], until, defined)) == [((), 1)]
    low = meter("running_total", timeout=1800, statistic="low")
    assert totals(ask([start, on_time], until, low)) == [((), 5)]
    assert totals(ask([start, late], until, low)) == [((), 0)]


def test_the_past_is_carried_in_as_if_it_had_been_drawn() -> None:
    asked = question("2026-11-01T11:10:00Z", "2026-11-01T12:00:00Z")
    for last, carried in (("2026-11-01T11:00:00Z", 6), ("2026-11-01T11:00:00.000000001Z", 1)):
        events = [call(time, value=value) for time, value in (("2026-11-01T10:30:00Z", "5"), (last, "1"))]
        assert totals(ask(events, asked, meter("running_total", timeout=1800))) == [((), carried)]
        assert totals(ask(events[::-1], asked, meter("running_total", timeout=1800))) == [((), carried)]


def test_the_low_of_a_window_in_which_something_began_is_what_was_before() -> None:
    events = [
        call("2026-11-01T09:30:00Z", value="5"),
        call("2026-11-01T09:40:00Z", value="-5"),
        call("2026-11-01T12:30:00Z", value="3"),
    ]
    assert by_hour(ask(events, MORNING, meter("running_total", statistic="low"))) == {"09": 0, "12": 0}
    assert by_hour(ask(events, MORNING, meter("running_total", statistic="peak"))) == {"09": 5, "12": 3}


@pytest.mark.parametrize("aggregation", ["running_total", "level"])
def test_levels_whose_sum_is_past_64_bits_are_exact(aggregation: str) -> None:
    # The first fits into 64 bits as a number of 10^-12, and two of it do not; of the others not even one, or not 150.
    for value in ("9000000.000000000001", "90000000000000000", "92233720368547758.07"):
        events = [call("2026-11-01T10:00:00Z", value=value, customer=str(number)) for number in range(150)]
        assert totals(ask(events, MORNING, meter(aggregation))) == [((), Decimal(value) * 150)]


def test_a_level_that_a_timeout_ends_with_the_window_is_not_in_the_next() -> None:
    answer = ask([call("2026-11-01T10:00:00Z", value="5")], MORNING, meter("level", timeout=3600))
    assert by_hour(answer) == {"10": 5}


def test_events_of_one_instant_move_the_level_at_once() -> None:
    noon = "2026-11-01T10:00:00Z"
    for moves in (["1", "-1", "1"], ["1", "1", "-1"], ["-1", "1", "1"]):
        answer = ask([call(noon, value=move) for move in moves], MORNING, meter("running_total", statistic="peak"))
        assert by_hour(answer) == {"10": 1, "11": 1, "12": 1}


def test_of_levels_set_at_one_instant_the_one_last_in_the_log_holds() -> None:
    noon = "2026-11-01T10:00:00Z"
    for found in ("7", "3"):
        answer = ask([call(noon, value="5"), call(noon, value=found)], MORNING, meter("level"))
        assert by_hour(answer)["10"] == Decimal(found)


def test_series_of_one_group_are_added_up_before_the_statistic_is_taken() -> None:
    events = [
        call("2026-11-01T10:00:00Z", value="4", host="a"),
        call("2026-11-01T10:20:00Z", value="3", host="b"),
        call("2026-11-01T10:40:00Z", value="0", host="a"),
    ]
    asked = question("2026-11-01T10:00:00Z", "2026-11-01T11:00:00Z")
    found = {
        statistic: totals(ask(events, asked, meter("level", series="host", statistic=statistic)))[0][1]
        for statistic in ("peak", "low", "closing", "average")
    }
    assert found == {"peak": 7, "low": 3, "closing": 3, "average": Decimal("4.666666666667")}
    assert totals(ask(events, asked, meter("level"))) == [((), 4)]


def test_customers_never_share_a_series_and_a_missing_property_is_a_series_of_its_own() -> None:
    events = [
        call("2026-11-01T10:00:00Z", value="4", customer="acme"),
        call("2026-11-01T10:10:00Z", value="3", customer="beta"),
        call("2026-11-01T10:20:00Z", value="2", customer="beta", host="a"),
        call("2026-11-01T10:30:00Z", value="1", customer="beta"),
    ]
    asked = question("2026-11-01T10:00:00Z", "2026-11-01T11:00:00Z", group_by=("customer",))
    answer = ask(events, asked, meter("level", series="properties.host", statistic="closing"))
    assert totals(answer) == [(("acme",), 4), (("beta",), 3)]


def test_each_value_of_a_grouped_property_is_a_series_of_its_own() -> None:
    events = [
        call("2026-11-01T10:00:00Z", value="5", plan="small"),
        call("2026-11-01T10:30:00Z", value="9", plan="large"),
    ]
    asked = question("2026-11-01T10:00:00Z", "2026-11-01T11:00:00Z", group_by=("plan",))
    assert totals(ask(events, asked, meter("level", statistic="closing"))) == [(("large",), 9), (("small",), 5)]


def test_machines_that_are_on_at_once_add_up() -> None:
    events = [call("2026-11-01T10:00:00Z", value=on, machine=name) for name in "ab" for on in ("1",)]
    events += [call("2026-11-01T11:00:00Z", value="0", machine=name) for name in "ab"]
    assert totals(ask(events, MORNING, meter("duration", series="machine"))) == [((), 7200)]


def test_a_start_while_on_is_a_sign_of_life_and_a_stop_without_a_start_counts_nothing() -> None:
    events = [
        call("2026-11-01T09:30:00Z", value="0"),
        call("2026-11-01T10:00:00Z"),
        call("2026-11-01T10:20:00Z", value="2.5"),
        call("2026-11-01T12:00:00Z", value="0"),
        call("2026-11-01T12:30:00Z", value="-1"),
    ]
    assert by_hour(ask(events, MORNING, meter("duration"))) == {"09": 0, "10": 3600, "11": 3600, "12": 0}
    # With a timeout it ends that long after the last sign of life.
    assert by_hour(ask(events, MORNING, meter("duration", timeout=1800))) == {"09": 0, "10": 3000, "12": 0}


def test_an_open_interval_counts_up_to_now_or_to_the_end_of_the_range() -> None:
    started = [call("2026-11-01T10:15:00.5Z")]
    assert totals(ask(started, MORNING, meter("duration"), now="2026-11-01T10:30:00Z")) == [((), Decimal("899.5"))]
    assert totals(ask(started, MORNING, meter("duration"), now="2026-12-01T00:00:00Z")) == [((), Decimal("9899.5"))]


def test_a_window_that_is_not_over_is_read_up_to_now_and_one_that_has_not_begun_has_no_figure() -> None:
    average = meter("running_total", statistic="average")
    answer = ask(UP_AND_DOWN, MORNING, average, now="2026-11-01T10:20:00Z")
    assert by_hour(answer) == {"10": Decimal("1.5")}
    filled = question("2026-11-01T09:00:00Z", "2026-11-01T12:00:00Z", window=WindowSize.HOUR, fill=Fill.ZERO)
    assert by_hour(ask(UP_AND_DOWN, filled, average, now="2026-11-01T10:20:00Z")) == {
        "09": 0,
        "10": Decimal("1.5"),
        "11": None,
    }
    assert by_hour(ask(START_STOP, filled, meter("duration"), now="2026-11-01T10:55:00Z")) == {
        "09": 0,
        "10": 300,
        "11": 0,
    }


def test_an_event_of_this_very_instant_is_on_the_line_and_a_later_one_is_not_yet() -> None:
    for statistic in ("peak", "low", "closing", "average"):
        answer = ask(
            UP_AND_DOWN,
            question("2026-11-01T10:10:00Z", "2026-11-01T11:00:00Z"),
            meter("running_total", statistic=statistic),
            now="2026-11-01T10:10:00Z",
        )
        assert [(total.value, total.events) for total in answer.totals] == [(2, 1)]


def test_fill_zero_carries_the_level_in_and_is_0_before_it() -> None:
    filled = question("2026-11-01T09:00:00Z", "2026-11-01T12:00:00Z", window=WindowSize.HOUR, fill=Fill.ZERO)
    assert values(ask(UP_AND_DOWN, filled, meter("running_total"))) == [0, 2, 1]
    assert values(ask([], filled, meter("running_total"))) == [0, 0, 0]
    assert values(ask([], filled, meter("duration"))) == [0, 0, 0]


def test_a_level_past_the_widest_column_is_exact() -> None:
    largest = "99999999999999999999999999.999999999999"
    events = [call("2026-11-01T10:00:00Z", value=largest, customer=customer) for customer in "abc"]
    events.append(call("2026-11-01T10:20:00Z", value="0.000000000001", customer="a"))
    peak = ask(events, MORNING, meter("running_total")).totals[0].value
    assert str(peak) == "299999999999999999999999999.999999999998"
    average = ask(events, MORNING, meter("running_total", statistic="average"))
    # 20 minutes at the level below the peak, 40 at the peak.
    assert str(average.rows[0].value) == "299999999999999999999999999.999999999998"
    assert str(ask(events, MORNING, meter("level")).totals[0].value) == "299999999999999999999999999.999999999997"


def test_voided_events_and_answers_as_of_a_position_are_as_if_never_sent() -> None:
    frames = ListedFrames(UP_AND_DOWN, voids={2: 4})
    peaks = [
        answer_usage(
            frames, meter("running_total"), msgspec.structs.replace(MORNING, as_of=as_of), clock=clock_at()
        ).totals[0]
        for as_of in (1, 2, 3, 4)
    ]
    assert [(peak.value, peak.events) for peak in peaks] == [(1, 1), (2, 2), (2, 3), (1, 2)]


def test_the_top_groups_are_those_with_the_largest_figure_of_the_range() -> None:
    events = [
        call(f"2026-11-01T10:{minute:02d}:00Z", value=value, customer=customer)
        for customer, value, minute in [("a", "1", 0), ("b", "9", 1), ("b", "-9", 2), ("c", "3", 3)]
    ]
    asked = msgspec.structs.replace(MORNING, group_by=("customer",), limit=2)
    answer = ask(events, asked, meter("running_total"))
    assert totals(answer) == [(("b",), 9), (("c",), 3)]
    assert [(row.group["customer"], row.value) for row in answer.rows] == [("b", 9), ("c", 3), ("c", 3), ("c", 3)]


def test_beside_the_period_before_a_level_has_no_figure_where_it_has_not_begun() -> None:
    events = [
        call(f"2026-11-01T{hour}:00:00Z", value="1", customer=customer) for hour in ("09", "11") for customer in "ab"
    ]
    events += [
        call("2026-11-02T09:30:00Z", value=move, customer=customer) for customer, move in (("a", "3"), ("b", "-2"))
    ]
    asked = question(
        "2026-11-02T09:00:00Z",
        "2026-11-02T12:00:00Z",
        window=WindowSize.HOUR,
        group_by=("customer",),
        limit=1,
        compare=Compare.PREVIOUS,
    )
    answer = ask(events, asked, meter("running_total"), now="2026-11-02T10:30:00Z")
    assert [(row.group["customer"], row.value, row.compared.previous) for row in answer.rows if row.compared] == [
        ("a", 5, 2),
        ("a", 5, 2),
        ("a", None, 2),
    ]


def test_a_long_past_is_folded_a_stretch_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    events = [call(f"2026-11-{day:02d}T{hour:02d}:00:00Z") for day in (1, 2, 5, 6) for hour in range(0, 24, 5)]
    events.append(call("2026-11-06T20:59:59.999999999Z"))
    asked = question("2026-11-06T21:00:00Z", "2026-11-06T22:00:00Z")
    defined = meter("running_total", timeout=20 * 3600)
    whole = totals(ask(events, asked, defined))
    assert whole == [((), 11)]
    for at_once in (1, 2, 3, 7):
        monkeypatch.setattr(level_table, "EVENTS_AT_ONCE", at_once)
        assert totals(ask(events, asked, defined)) == whole
        assert totals(ask(events[::-1], asked, defined)) == whole
        assert ask([], asked, defined).totals == []


def test_a_range_of_more_events_than_are_drawn_at_once_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(level_table, "EVENTS_MAX", 2)
    later = question("2026-11-01T10:05:00Z", "2026-11-01T13:00:00Z")
    assert totals(ask(UP_AND_DOWN, later, meter("level"))) == [((), 1)]
    with pytest.raises(InvalidQuestion, match="more than 2 events") as refused:
        ask(UP_AND_DOWN, MORNING, meter("level"))
    assert refused.value.parameter == "from"


def test_idle_minutes_of_many_groups_cost_nothing_and_busy_ones_are_refused_by_name() -> None:
    events = [call("2026-11-01T00:00:30Z", value=move, customer=str(n)) for n in range(50) for move in ("1",)]
    events += [call("2026-11-01T00:01:30Z", value="-1", customer=str(n)) for n in range(50)]
    asked = question(window=WindowSize.MINUTE, group_by=("customer",))
    assert len(ask(events, asked, meter("running_total")).rows) == 100
    with pytest.raises(InvalidQuestion, match="more than 1,000,000 rows") as refused:
        ask(events[:50], asked, meter("running_total"))
    assert refused.value.parameter == "limit"
