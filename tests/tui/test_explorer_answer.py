"""The explorer's answer as a table, as a graph and in words: exact, and honest about what is not there."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from tallystick_tui.dialogs.choice import Offer, matching
from tallystick_tui.screens.explorer.answer import Answer, Answers, Figure
from tallystick_tui.screens.explorer.date_range import DateRange, Preset
from tallystick_tui.screens.explorer.explanation import Causes, Event, Interval, amount_of, proof
from tallystick_tui.screens.explorer.graph_series import graph_of
from tallystick_tui.screens.explorer.pivot import Kind, Look, Pivot, bar, pivot
from tallystick_tui.screens.explorer.question import Question, Window
from tallystick_tui.screens.explorer.words import totals_words
from tallystick_tui.texts.figures import NOTHING
from tallystick_tui.widgets.time_graph import GraphKind

from .conftest import fixed_now

BERLIN = ZoneInfo("Europe/Berlin")
DAYS = ("2026-11-22T23:00:00Z", "2026-11-23T23:00:00Z", "2026-11-24T23:00:00Z", "2026-11-25T23:00:00Z")


def answer(groups: dict[str | None, list[str | None]], totals: dict[str | None, str | None]) -> Answer:
    rows: list[dict[str, Any]] = [  # Any: JSON values
        {"start": start, "end": end, "group": {"customer": name}, "value": value, "events": 1}
        for name, values in groups.items()
        for start, end, value in zip(DAYS, DAYS[1:], values, strict=False)
    ]
    body = {
        "meter": "tokens",
        "from": DAYS[0],
        "to": DAYS[-1],
        "window": "day",
        "rows": rows,
        "totals": [{"group": {"customer": name}, "value": value, "events": 3} for name, value in totals.items()],
    }
    return msgspec.convert(body, Answer, strict=False)


GROUPED = answer(
    {"acme": ["1204.5", "2", None], "bolt": ["7000000", "1", "0"], None: ["3", "3", "3"]},
    {"acme": "1206.5", "bolt": "7000001", None: None},
)
QUESTION = Question("tokens", "Europe/Berlin", DateRange(Preset.TODAY), ("customer",), window=Window.DAY)
ASKED = QUESTION.at(fixed_now())


def cells(shown: Pivot) -> list[list[str]]:
    return [[str(cell) for cell in record.cells] for record in shown.records]


def test_groups_stand_largest_first_with_their_windows_as_columns_where_these_fit() -> None:
    shown = pivot(ASKED, GROUPED, Look(80, BERLIN))
    assert shown.kind is Kind.GROUPS
    assert [column.label for column in shown.columns] == ["customer", "total", "events", "23 Nov", "24 Nov", "25 Nov"]
    assert [column.align for column in shown.columns[1:]] == ["right"] * 5
    assert cells(shown) == [
        ["bolt", "7,000,001", "3", "7,000,000", "1", "0"],
        ["acme", "1,206.5", "3", "1,204.5", "2", NOTHING],
        ["(no customer)", NOTHING, "3", "3", "3", "3"],
    ]
    assert shown.places[shown.records[2].key].group == {"customer": None}


def test_where_windows_do_not_fit_a_bar_and_a_trend_stand_in_their_place() -> None:
    shown = pivot(ASKED, GROUPED, Look(60, BERLIN))
    assert [column.label for column in shown.columns] == ["customer", "total", "events", "", "by day"][
        : len(shown.columns)
    ]
    assert not shown.has_window_columns
    assert cells(shown)[0][3].startswith("█")


def test_plain_text_has_figures_alone() -> None:
    shown = pivot(ASKED, GROUPED, Look(50, BERLIN, is_plain=True))
    assert [len(line) for line in cells(shown)] == [3, 3, 3]


def test_every_digit_stands_and_hostile_names_are_harmless() -> None:
    huge = "12345678901234567890123456.123456789012"
    shown = pivot(ASKED, answer({"[red]\x1b[31m": [huge]}, {"[red]\x1b[31m": huge}), Look(160, BERLIN))
    assert cells(shown)[0][:2] == ["[red]\\x1b[31m", "12,345,678,901,234,567,890,123,456.123456789012"]


def test_windows_that_have_not_begun_are_left_out_and_one_that_is_not_over_is_said_to_be() -> None:
    rows: list[dict[str, Any]] = [
        {"start": start, "end": end, "group": {}, "value": 5, "events": 1, "previous": 4, "change": 1}
        for start, end in zip(DAYS, (*DAYS[1:], "2026-11-26T23:00:00Z"), strict=True)
    ]
    total: dict[str, Any] = {"group": {}, "value": 15, "events": 3, "previous": 16}
    body: dict[str, Any] = {
        "meter": "tokens",
        "from": DAYS[0],
        "to": DAYS[-1],
        "window": "day",
        "rows": rows,
        "totals": [total],
    }
    found = msgspec.convert(body, Answer, strict=False)
    asked = Question("tokens", "Europe/Berlin", DateRange(Preset.LAST_7_DAYS), is_compared=True).at(fixed_now())
    shown = pivot(asked, found, Look(80, BERLIN))
    assert [line[:5] for line in cells(shown)] == [
        ["Mon 23 Nov 2026", "5", "1", "4", "▲ 25.0 %"],
        ["Tue 24 Nov 2026", "5", "1", "4", "▲ 25.0 %"],
        ["Wed 25 Nov 2026", "5", "1", "4", "so far"],
    ]
    drawn = graph_of(asked, found, GraphKind.BARS)
    assert [(each.name, len(each.points), each.is_behind) for each in drawn.series] == [
        ("tokens", 3, False),
        ("before", 4, True),
    ]
    words = totals_words(asked, Answers([found]), unit="token", zone=BERLIN, drawn=drawn)
    assert words.startswith("total 15 token so far · before 16 in all · 3 events")


def test_a_graph_draws_the_largest_groups_and_says_of_how_many() -> None:
    many = answer(
        {f"c{number}": [str(number), None, "1"] for number in range(9)},
        {f"c{number}": str(number) for number in range(9)},
    )
    drawn = graph_of(ASKED, many, GraphKind.LINES)
    assert [each.name for each in drawn.series] == ["c8", "c7", "c6", "c5", "c4", "c3"]
    assert [len(each.points) for each in drawn.series] == [2] * 6
    stacked = graph_of(ASKED, many, GraphKind.STACKED)
    assert [len(each.points) for each in stacked.series] == [3] * 6
    words = totals_words(ASKED, Answers([many, many]), unit="", zone=BERLIN, drawn=drawn)
    assert "9 groups · 6 of them drawn" in words


@pytest.mark.parametrize(("share", "text"), [(0, "    "), (1, "████"), (0.5, "██  "), (0.0001, "▏   "), (0.28, "█▏  ")])
def test_bars_are_as_long_as_their_share(share: float, text: str) -> None:
    assert bar(share, 4) == text


def test_what_is_typed_is_found_first_where_a_word_begins_with_it() -> None:
    offers = [Offer("a-region"), Offer("region"), Offer("x", "Region of all"), Offer("model")]
    assert [offer.value for offer in matching(offers, " REG")] == ["region", "x", "a-region"]
    assert matching(offers, "") == offers


def event(amount: str | None) -> Event:
    number = None if amount is None else Decimal(amount)
    return Event("1", "", "call", "acme", "2026-11-01T00:00:00Z", 1, number)


@pytest.mark.parametrize(
    ("aggregation", "seen", "total", "words"),
    [
        ("sum", 2, "3.5", "2 of 3 events add 3.5 of 10.5"),
        ("sum", 3, "10.5", "all 3 events add up to 10.5 = the figure 10.5"),
        ("sum", 3, "9", "all 3 events add up to 9 ≠ the figure 10.5"),
        ("max", 3, "0", "the largest of 3 amounts is the figure, 10.5"),
        ("avg", 3, "0", "the mean of 3 amounts is the figure, 10.5"),
        ("p95", 3, "0", "3 events make it; the figure is 10.5"),
    ],
)
def test_how_events_make_a_figure_is_said(aggregation: str, seen: int, total: str, words: str) -> None:
    assert proof(aggregation, Figure(Decimal("10.5"), 3), [event("1")], Decimal(total), seen) == words
    assert amount_of(event(None)) == 0


def test_how_intervals_make_a_figure_is_said() -> None:
    interval = Interval("", "", Decimal(60), Decimal(2), "acme", None, Causes(0, []), "now")
    assert amount_of(interval) == 60
    assert proof("duration", Figure(Decimal(60), 2), [interval], Decimal(60), 1) == (
        "the seconds of 1 intervals add up to 60 of 60"
    )
    assert "levels that hold at one time" in proof("level", Figure(Decimal(2), 2), [interval], Decimal(60), 1)
    assert proof("sum", None, [], Decimal(0), 0) == "nothing counts here"
