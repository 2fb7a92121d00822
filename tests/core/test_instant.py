"""Instants: every RFC 3339 time between 1970 and 2261 is kept exactly, and written as it was meant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.instant import (
    LATEST,
    NS_PER_S,
    Instant,
    InstantTooLate,
    InvalidInstant,
    format_instant,
    instant_from_ms,
    parse_instant,
)

instants = st.integers(0, LATEST - 1).map(Instant)


@given(instant=instants)
def test_what_is_written_is_read_back_exactly(instant: Instant) -> None:
    assert parse_instant(format_instant(instant)) == instant


@given(
    moment=st.datetimes(datetime(1970, 1, 3), datetime(2261, 12, 29)),  # noqa: DTZ001 - hypothesis wants them without a zone
    offset=st.integers(-1_439, 1_439),
)
def test_a_time_of_any_offset_is_the_instant_that_datetime_says(moment: datetime, offset: int) -> None:
    local = moment.replace(tzinfo=timezone(timedelta(minutes=offset)))
    since = local - datetime(1970, 1, 1, tzinfo=UTC)
    expected = (since.days * 86_400 + since.seconds) * NS_PER_S + since.microseconds * 1_000
    assert parse_instant(local.isoformat()) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:00.000000001Z", 1),
        ("1970-01-01t00:00:01z", NS_PER_S),
        ("1970-01-01 00:00:01Z", NS_PER_S),
        ("1970-01-01T00:00:00.9999999999Z", 999_999_999),
        ("1970-01-01T00:00:60.5Z", 60 * NS_PER_S),
        ("1972-06-30T23:59:60Z", 78_796_800 * NS_PER_S),
        ("1970-01-02T00:00:00-00:00", 86_400 * NS_PER_S),
    ],
)
def test_a_time_is_read_to_the_nanosecond(text: str, expected: int) -> None:
    assert parse_instant(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-11-01",
        "2026-11-01T10:00:00",
        "2026-11-01T10:00Z",
        "2026-11-01T10:00:00.Z",
        "2026-11-01T10:00:00,5Z",
        "2026-11-01T10:00:00+0100",
        "2026-11-01T10:00:00+24:00",
        "2026-11-01T10:00:00+01:60",
        "2026-11-01T24:00:00Z",
        "2026-11-01T10:60:00Z",
        "2026-11-01T10:00:61Z",
        "2026-13-01T10:00:00Z",
        "2026-02-29T10:00:00Z",
        "0000-01-01T00:00:00Z",
        "2026-11-01T10:00:00Z\n",
        " 2026-11-01T10:00:00Z",
        "\u0662026-11-01T10:00:00Z",
        "2026-W45-1T10:00:00Z",
        "1969-12-31T23:59:59.999999999Z",
        "1970-01-01T00:00:00+00:01",
        "x" * 10_000,
    ],
)
def test_what_is_no_time_or_lies_before_1970_is_refused_with_a_short_reason(text: str) -> None:
    with pytest.raises(InvalidInstant) as refused:
        parse_instant(text)
    assert not isinstance(refused.value, InstantTooLate)
    assert len(str(refused.value)) < 200


@pytest.mark.parametrize("text", ["2262-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2261-12-31T23:59:59-00:01"])
def test_a_time_past_2261_is_known_to_lie_in_the_future(text: str) -> None:
    with pytest.raises(InstantTooLate):
        parse_instant(text)


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (1, "1970-01-01T00:00:00.000000001Z"),
        (1_000, "1970-01-01T00:00:00.000001Z"),
        (1_000_000, "1970-01-01T00:00:00.001Z"),
        (120_000_000, "1970-01-01T00:00:00.120Z"),
        (LATEST - 1, "2261-12-31T23:59:59.999999999Z"),
    ],
)
def test_a_time_is_written_with_as_few_digits_as_are_exact(nanoseconds: int, text: str) -> None:
    assert format_instant(Instant(nanoseconds)) == text


def test_milliseconds_are_instants_within_the_same_bounds() -> None:
    assert instant_from_ms(1_793_527_200_123) == parse_instant("2026-11-01T10:00:00.123Z")
    with pytest.raises(InvalidInstant, match="1970"):
        instant_from_ms(-1)
    with pytest.raises(InstantTooLate):
        instant_from_ms(10**15)
