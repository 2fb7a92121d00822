"""The explorer's question as a value: ranges by the calendar, windows that suit, and the same figures by every way out."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick_tui.screens.explorer.answer import Meter
from tallystick_tui.screens.explorer.date_range import DateRange, InvalidRange, Preset, Span, parse_moment
from tallystick_tui.screens.explorer.drill import next_dimensions, of_row
from tallystick_tui.screens.explorer.face import Face
from tallystick_tui.screens.explorer.pivot import Place
from tallystick_tui.screens.explorer.question import WINDOWS_MAX, Question, Window, window_for
from tallystick_tui.screens.explorer.saved_views import View, view_of, view_text
from tallystick_tui.widgets.time_graph import GraphKind
from tests.appliance import Appliance

from .conftest import fixed_now

BERLIN = ZoneInfo("Europe/Berlin")
NOW = fixed_now()  # Wednesday the 25th of November 2026, 11:00 in Berlin
ROOT = Path(__file__).resolve().parent.parent.parent


def span(chosen: DateRange, *, zone: ZoneInfo = BERLIN, now: datetime = NOW, is_whole: bool = False) -> tuple[str, str]:
    found = chosen.span(now, zone, is_whole=is_whole)
    return f"{found.start:%Y-%m-%dT%H:%MZ}", f"{found.end:%Y-%m-%dT%H:%MZ}"


@pytest.mark.parametrize(
    ("preset", "start", "end"),
    [
        (Preset.TODAY, "2026-11-24T23:00Z", "2026-11-25T10:00Z"),
        (Preset.YESTERDAY, "2026-11-23T23:00Z", "2026-11-24T23:00Z"),
        (Preset.LAST_24_HOURS, "2026-11-24T10:00Z", "2026-11-25T10:00Z"),
        (Preset.LAST_7_DAYS, "2026-11-18T23:00Z", "2026-11-25T10:00Z"),
        (Preset.LAST_30_DAYS, "2026-10-26T23:00Z", "2026-11-25T10:00Z"),
        (Preset.LAST_90_DAYS, "2026-08-27T22:00Z", "2026-11-25T10:00Z"),
        (Preset.THIS_MONTH, "2026-10-31T23:00Z", "2026-11-25T10:00Z"),
        (Preset.LAST_MONTH, "2026-09-30T22:00Z", "2026-10-31T23:00Z"),
    ],
)
def test_presets_follow_the_calendar_of_the_zone(preset: Preset, start: str, end: str) -> None:
    assert span(DateRange(preset)) == (start, end)


@pytest.mark.parametrize(
    ("preset", "end"),
    [
        (Preset.TODAY, "2026-11-25T23:00Z"),
        (Preset.YESTERDAY, "2026-11-24T23:00Z"),
        (Preset.LAST_24_HOURS, "2026-11-25T10:00Z"),
        (Preset.LAST_7_DAYS, "2026-11-25T23:00Z"),
        (Preset.THIS_MONTH, "2026-11-30T23:00Z"),
    ],
)
def test_what_is_compared_goes_to_the_end_of_its_day_or_month(preset: Preset, end: str) -> None:
    assert span(DateRange(preset), is_whole=True)[1] == end
    asked = Question("tokens", "Europe/Berlin", DateRange(preset), is_compared=True).at(NOW)
    assert asked.is_unfinished is (end > "2026-11-25T10:00Z")


def test_a_day_on_which_the_clock_is_changed_is_as_long_as_it_is() -> None:
    autumn = datetime(2026, 10, 26, 12, tzinfo=UTC)
    found = DateRange(Preset.YESTERDAY).span(autumn, BERLIN)
    assert found.seconds == timedelta(hours=25).total_seconds()


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2026-11-01", "2026-10-31T23:00:00+00:00"),
        (" 2026-11-01 14:30 ", "2026-11-01T13:30:00+00:00"),
        ("2026-11-01T14:30:05", "2026-11-01T13:30:05+00:00"),
        ("2026-11-01T14:30:05Z", "2026-11-01T14:30:05+00:00"),
        ("2026-11-01T14:30:05.25+02:00", "2026-11-01T12:30:05.250000+00:00"),
        ("now", "2026-11-25T10:00:00+00:00"),
        ("today", "2026-11-24T23:00:00+00:00"),
        ("-36h", "2026-11-23T22:00:00+00:00"),
        ("-2w", "2026-11-11T10:00:00+00:00"),
    ],
)
def test_moments_are_read_as_people_type_them(text: str, meant: str) -> None:
    assert parse_moment(text, NOW, BERLIN, what="the start").isoformat() == meant


@pytest.mark.parametrize("text", ["", "soon", "2026-13-01", "2026-11-01T25:00", "-9x", "2026", "99999999", "-999999w"])
def test_what_is_no_moment_is_said(text: str) -> None:
    with pytest.raises(InvalidRange, match=r"the start .* is no time; give 2026-11-01"):
        parse_moment(text, NOW, BERLIN, what="the start")


def test_a_range_has_to_begin_before_it_ends() -> None:
    with pytest.raises(InvalidRange, match="before the end"):
        DateRange(None, "2026-11-02", "2026-11-02").span(NOW, BERLIN)


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        (DateRange(Preset.LAST_7_DAYS), "last 7 days"),
        (DateRange(None, "-36h", ""), "last 36h"),
        (DateRange(None, "2026-11-01", "now"), "2026-11-01 to now"),
        (DateRange(None, "2026-11-01", "2026-11-03 12:00"), "2026-11-01 to 2026-11-03 12:00"),
        (DateRange(None, "2026-11-18T23:00:00Z", "2026-11-19T23:00:00Z"), "Thu 19 Nov 2026"),
        (DateRange(None, "2026-11-19T08:00:00Z", "2026-11-19T09:00:00Z"), "2026-11-19 09:00 to 10:00"),
    ],
)
def test_a_range_is_said_shortly(chosen: DateRange, words: str) -> None:
    assert chosen.words(NOW, BERLIN) == words


@pytest.mark.parametrize(
    ("length", "wanted", "window"),
    [
        (timedelta(minutes=30), None, Window.MINUTE),
        (timedelta(hours=24), None, Window.HOUR),
        (timedelta(days=7), None, Window.DAY),
        (timedelta(days=90), None, Window.DAY),
        (timedelta(days=700), None, Window.MONTH),
        (timedelta(days=7), Window.HOUR, Window.HOUR),
        (timedelta(days=7), Window.MINUTE, Window.HOUR),
        (timedelta(days=90), Window.TOTAL, Window.TOTAL),
    ],
)
def test_the_window_suits_the_range(length: timedelta, wanted: Window | None, window: Window) -> None:
    assert window_for(Span(NOW - length, NOW), wanted) is window


@given(st.floats(1, 1e10), st.sampled_from([None, *Window]))
def test_no_question_has_more_windows_than_are_shown(seconds: float, wanted: Window | None) -> None:
    start = datetime(1971, 1, 1, tzinfo=UTC)
    length = Span(start, start + timedelta(seconds=min(seconds, 6e9)))
    assert window_for(length, wanted).count_in(length) <= WINDOWS_MAX


def test_filters_are_added_taken_away_and_come_from_a_row() -> None:
    question = Question("tokens", "UTC", group_by=("customer", "region"))
    both = question.with_filter("model", "large").with_filter("model", "small").with_filter("model", "small")
    assert both.filters == (("model", ("large", "small")),)
    assert both.without_filter("model", "large").filters == (("model", ("small",)),)
    assert both.without_filter("model", "large").without_filter("model", "small") == question
    into = of_row(question, Place({"customer": "acme", "region": "eu"}), window=Window.DAY, zone=BERLIN)
    assert into is not None
    assert into[0].filters == (("customer", ("acme",)), ("region", ("eu",)))
    assert into[0].group_by == ()
    assert of_row(question, Place({"customer": "acme", "region": None}), window=Window.DAY, zone=BERLIN) is None


def test_the_next_dimension_is_the_meters_own_that_nothing_is_narrowed_to() -> None:
    meter = Meter("tokens", "Tokens", "completion", "sum", dimensions=["region", "model"])
    question = Question("tokens", "UTC").with_filter("region", "eu")
    assert next_dimensions(question, meter) == ["model", "customer"]
    assert next_dimensions(question.with_filter("region", "us"), meter) == ["region", "model", "customer"]


def test_a_view_is_kept_as_text_and_one_of_another_version_is_none() -> None:
    question = Question("tokens", "Europe/Berlin", DateRange(None, "-2d", ""), ("customer",), window=Window.HOUR)
    view = View(question.with_filter("region", "eu"), Face.TABLE, GraphKind.BARS)
    assert view_of(view_text(view)) == view
    assert view_of('{"question": 1}') is None
    assert view_of(view_text(view).replace("Europe/Berlin", "Europe/Atlantis")) is None
    assert view_of(view_text(view).replace('"bars"', '"pies"')) is None


QUESTIONS = [
    Question("tokens", "Europe/Berlin", group_by=("customer",)),
    Question("tokens", "Asia/Kathmandu", DateRange(Preset.YESTERDAY), ("region", "model"), window=Window.HOUR),
    Question("users", "UTC", DateRange(None, "2026-11-13", "2026-11-20 12:00"), is_compared=True),
    Question("storage", "America/New_York", DateRange(Preset.THIS_MONTH), ("customer",), window=Window.TOTAL),
    Question("requests", "UTC", window=Window.WEEK).with_filter("customer", "acme").with_filter("customer", "hooli"),
]


@pytest.mark.parametrize("question", QUESTIONS)
def test_curl_and_the_command_give_the_figures_that_are_shown(sampled: Appliance, question: Question) -> None:
    asked = question.at(NOW)
    shown: list[dict[str, Any]] = sampled.client.post("/v1/usage", json=asked.body()).json()["answers"]
    assert shown[0]["rows"]
    assert len(shown) == (2 if question.group_by else 1)
    *options, address = shlex.split(asked.curl(sampled.url))
    assert options == ["curl", "-sS", "-H", "Authorization: Bearer $TALLYSTICK_API_KEY"]
    answer = httpx.get(address, headers={"authorization": f"Bearer {sampled.admin_key}"})
    assert (answer.json()["rows"], answer.json()["totals"]) == (shown[0]["rows"], shown[0]["totals"])
    command = asked.command(sampled.url)
    assert command is not None
    program, *words = shlex.split(command)
    assert program == "tallystick"
    roots = os.pathsep.join(str(ROOT / part) for part in ("core", "server", "tui"))
    environment = os.environ | {"TALLYSTICK_API_KEY": str(sampled.admin_key), "PYTHONPATH": roots}
    printed = subprocess.run(
        [sys.executable, "-m", "tallystick_server", *words, "--json"], env=environment, capture_output=True, check=True
    )
    told = json.loads(printed.stdout)
    assert (told["rows"], told["totals"]) == (shown[0]["rows"], shown[0]["totals"])
    assert str(sampled.admin_key) not in asked.curl(sampled.url) + command


def test_odd_names_pass_the_shell_and_the_address() -> None:
    question = Question("a.b:c-d", "UTC").with_filter("it's", "$HOME & 'x'").with_filter("ü", "ä/?#=")
    asked = question.at(NOW)
    address = httpx.URL(shlex.split(asked.curl("http://127.0.0.1:7070"))[-1])
    assert [(name, value) for name, value in address.params.multi_items() if name.startswith("filter")] == [
        ("filter[it's]", "$HOME & 'x'"),
        ("filter[ü]", "ä/?#="),
    ]
    command = asked.command("http://127.0.0.1:7070")
    assert command is not None
    words = shlex.split(command)
    assert question.with_filter("a=b", "c").at(NOW).command("http://127.0.0.1:7070") is None
    assert [after for word, after in pairwise(words) if word == "--filter"] == ["it's=$HOME & 'x'", "ü=ä/?#="]
