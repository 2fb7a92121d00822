"""What the overview computes: rates, the two days that are compared, rows and facts."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick_tui.connection.failure import Refused
from tallystick_tui.connection.fired_signal import FiredSignal, FiredSignals, Period
from tallystick_tui.connection.status import Counts
from tallystick_tui.connection.usage_answer import UsageTotal
from tallystick_tui.screens.overview.cards import (
    Meter,
    customer_records,
    fired_records,
    meter_record,
    refusals,
)
from tallystick_tui.screens.overview.rates import SAMPLES_MAX, RateHistory
from tallystick_tui.screens.overview.today import MeterToday, day_at, meter_today, queries_of

NOW = datetime(2026, 11, 25, 10, 0, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


def counts(accepted: int, *, commits: int = 1) -> Counts:
    return Counts(
        accepted=accepted, duplicates=accepted // 2, conflicts=0, rejected=0, commits=commits, commit_seconds=0.0
    )


@given(st.lists(st.tuples(st.integers(0, 10_000), st.integers(1, 50)), min_size=2, max_size=50))
def test_rates_over_time_add_up_to_what_was_accepted(steps: list[tuple[int, int]]) -> None:
    history, accepted, ticks_s = RateHistory(), 0, 0.0
    for added, passed_s in steps:
        accepted, ticks_s = accepted + added, ticks_s + passed_s
        history.add(counts(accepted), at_s=ticks_s, ticks_s=ticks_s)
    points = history.accepted(1e6, 1_000_000)
    passed = [passed_s for _, passed_s in steps[1:]]
    assert sum(rate * passed_s for (_, rate), passed_s in zip(points, passed, strict=True)) == pytest.approx(
        sum(added for added, _ in steps[1:])
    )


def test_a_restart_gives_no_rate_rather_than_a_wrong_one() -> None:
    history = RateHistory()
    for second, accepted in enumerate((100, 200, 5, 15)):
        history.add(counts(accepted), at_s=float(second), ticks_s=float(second))
    assert [rate for _, rate in history.accepted(60, 60)] == [100.0, 10.0]


def test_a_history_is_bounded() -> None:
    history = RateHistory()
    for second in range(SAMPLES_MAX * 2):
        history.add(counts(second * 7), at_s=float(second), ticks_s=float(second))
    points = history.accepted(3_600, 120)
    assert len(points) <= 121
    assert {rate for _, rate in points} == {7.0}
    now = history.now()
    assert now is not None
    assert now.accepted == 7.0


def test_yesterday_is_compared_until_the_same_time_of_day() -> None:
    day = day_at(NOW, BERLIN)
    assert day.start == datetime(2026, 11, 24, 23, tzinfo=UTC)
    assert day.yesterday_start == datetime(2026, 11, 23, 23, tzinfo=UTC)
    assert day.yesterday_same_time == datetime(2026, 11, 24, 10, tzinfo=UTC)


def test_a_day_after_clocks_went_back_is_compared_by_the_clock_and_not_by_24_hours() -> None:
    day = day_at(datetime(2026, 10, 26, 11, tzinfo=UTC), BERLIN)
    assert day.yesterday_start == datetime(2026, 10, 24, 22, tzinfo=UTC)
    assert day.yesterday_same_time == datetime(2026, 10, 25, 11, tzinfo=UTC)
    spring = day_at(datetime(2026, 3, 29, 10, tzinfo=UTC), BERLIN)
    assert spring.start == datetime(2026, 3, 28, 23, tzinfo=UTC)
    assert spring.yesterday_same_time == datetime(2026, 3, 28, 11, tzinfo=UTC)


def test_a_meter_that_cannot_answer_says_why_and_the_others_stand() -> None:
    refused = meter_today([Refused("the plugin is gone", status=424)], day_at(NOW, BERLIN))
    assert refused.refusal == "the plugin is gone"
    assert refusals({"a": MeterToday(Decimal(1), Decimal(2)), "b": refused}) == "b: the plugin is gone"
    assert str(meter_record(Meter("b"), refused, hours=12, colour="").cells[1]) == "!"


def test_questions_about_a_day_are_of_exact_instants() -> None:
    today, yesterday, hours = queries_of("m", day_at(NOW, BERLIN))
    assert (today["from"], today["to"]) == ("2026-11-24T23:00:00Z", "2026-11-25T10:00:00Z")
    assert (yesterday["from"], yesterday["to"]) == ("2026-11-23T23:00:00Z", "2026-11-24T10:00:00Z")
    assert (hours["from"], hours["window"]) == ("2026-11-24T11:00:00Z", "hour")


def test_figures_of_rows_keep_their_digits_or_say_that_they_are_short() -> None:
    found = MeterToday(Decimal("1204.5"), Decimal("12345678901234567890.5"), (1.0, None))
    cells = meter_record(Meter("tokens", "token"), found, hours=2, colour="").cells
    assert [str(cell) for cell in cells] == ["tokens", "1,204.5 token", "~12,345,679T", "▼ 100.0 %", "█ "]


def test_names_of_strangers_are_harmless_in_rows() -> None:
    evil = "\x1b[31mred\u202e" + "x" * 300
    (record,) = customer_records(
        [UsageTotal({"customer": evil}, Decimal(3), 1), UsageTotal({"customer": None}, Decimal(9), 1)],
        "call",
        with_bars=True,
        colour="",
    )
    assert record.key == evil
    assert str(record.cells[0]).startswith("\\x1b[31mred\\u202e")
    assert str(record.cells[0]).endswith("…")
    fired = FiredSignal(
        signal=evil, name=evil, meter="m", customer=evil, group={}, state="fired", level=1,
        since="2026-11-25T09:00:00Z", snoozed_until=None, figure=Decimal(5), threshold=Decimal(4),
        period=Period("2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"),
    )  # fmt: skip
    page = FiredSignals([fired], count=1)
    ((row, signal),) = fired_records(page, NOW).items()
    assert signal == evil
    assert all("\x1b" not in str(cell) for cell in row.cells)
    assert [str(cell) for cell in row.cells[3:]] == ["5 of 4", "1 h ago"]


def test_no_bar_is_drawn_where_there_is_nothing() -> None:
    totals = [UsageTotal({"customer": name}, value, 1) for name, value in (("a", Decimal(0)), ("b", None))]
    assert [str(record.cells[2]) for record in customer_records(totals, None, with_bars=True, colour="")] == ["", ""]
