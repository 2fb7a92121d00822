"""Calendar periods: each instant in exactly one, through every moved clock; and how much of one had gone by."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.instant import NS_PER_HOUR, Instant, parse_instant
from tallystick.signals.calendar_period import elapsed_before, span_at, span_before, spans_between
from tallystick.signals.signal import Period
from tests.core.engine.signals_model import period_of

ZONES = ("UTC", "Europe/Berlin", "America/Sao_Paulo", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia")
INSTANTS = st.integers(parse_instant("1990-01-01T00:00:00Z"), parse_instant("2040-01-01T00:00:00Z")).map(Instant)


@given(instant=INSTANTS, zone=st.sampled_from(ZONES), period=st.sampled_from([Period.HOUR, Period.DAY, Period.WEEK]))
def test_a_period_is_where_the_calendar_shows_the_same(instant: Instant, zone: str, period: Period) -> None:
    span = span_at(instant, period, zone)
    assert (span.start, span.end) == period_of(instant, period, zone)
    assert span_before(span, period, zone).end == span.start


@pytest.mark.parametrize(
    ("zone", "at", "start", "end"),
    [
        ("Europe/Berlin", "2026-10-10T00:00:00Z", "2026-09-30T22:00:00Z", "2026-10-31T23:00:00Z"),
        ("America/Sao_Paulo", "2018-11-10T00:00:00Z", "2018-11-01T03:00:00Z", "2018-12-01T02:00:00Z"),
        ("Australia/Lord_Howe", "2026-04-10T00:00:00Z", "2026-03-31T13:00:00Z", "2026-04-30T13:30:00Z"),
    ],
)
def test_a_month_begins_and_ends_at_local_midnight(zone: str, at: str, start: str, end: str) -> None:
    span = span_at(parse_instant(at), Period.MONTH, zone)
    assert (span.start, span.end) == (parse_instant(start), parse_instant(end))


def test_periods_between_two_instants_touch() -> None:
    first, last = parse_instant("2026-10-24T20:00:00Z"), parse_instant("2026-10-26T20:00:00Z")
    spans = list(spans_between(first, last, Period.DAY, "Europe/Berlin"))
    assert [(span.end - span.start) // NS_PER_HOUR for span in spans] == [24, 25, 24]
    assert all(one.end == other.start for one, other in pairwise(spans))


def test_what_had_gone_by_ends_with_the_period_before() -> None:
    march = span_at(parse_instant("2026-03-31T12:00:00Z"), Period.MONTH, "UTC")
    february = span_before(march, Period.MONTH, "UTC")
    assert elapsed_before(march, february, parse_instant("2026-03-02T06:00:00Z")).end == parse_instant(
        "2026-02-02T06:00:00Z"
    )
    assert elapsed_before(march, february, parse_instant("2026-03-30T00:00:00Z")) == february
