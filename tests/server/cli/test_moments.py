"""Moments as a person types them."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.instant import LATEST, Instant, format_instant, parse_instant
from tallystick_server.cli.failure import BadUse
from tallystick_server.cli.moment import parse_moment, zone_of

NOW = parse_instant("2026-11-23T12:34:56.789Z")
UTC = ZoneInfo("UTC")
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        ("now", UTC, "2026-11-23T12:34:56.789Z"),
        ("-7d", UTC, "2026-11-16T12:34:56.789Z"),
        ("-90s", UTC, "2026-11-23T12:33:26.789Z"),
        ("-30m", BERLIN, "2026-11-23T12:04:56.789Z"),
        ("-2w", UTC, "2026-11-09T12:34:56.789Z"),
        ("+1h", UTC, "2026-11-23T13:34:56.789Z"),
        ("today", BERLIN, "2026-11-22T23:00:00Z"),
        ("2026-11-01", UTC, "2026-11-01T00:00:00Z"),
        ("2026-11-01", BERLIN, "2026-10-31T23:00:00Z"),
        ("2026-07-01", BERLIN, "2026-06-30T22:00:00Z"),
        ("2026-11-01 08:30", BERLIN, "2026-11-01T07:30:00Z"),
        ("2026-11-01T08:30:15.123456789", UTC, "2026-11-01T08:30:15.123456789Z"),
        ("2026-11-01T08:30:15+05:30", BERLIN, "2026-11-01T03:00:15Z"),
        # The hour that the change of clocks repeats is its first, the one it skips the hour after.
        ("2026-10-25 02:30", BERLIN, "2026-10-25T00:30:00Z"),
        ("2026-03-29 02:30", BERLIN, "2026-03-29T01:30:00Z"),
    ],
)
def test_a_moment_is_read_in_the_zone_given(text: str, zone: ZoneInfo, expected: str) -> None:
    assert format_instant(parse_moment(text, option="--from", now=NOW, zone=zone)) == expected


@pytest.mark.parametrize(
    "text", ["", "yesterday-ish", "7d", "-7y", "2026-13-01", "2026-02-30", "1e3", "-99999999w", "0001-01-01"]
)
def test_what_is_no_moment_is_bad_use_that_names_the_option(text: str) -> None:
    with pytest.raises(BadUse, match=r"^--from: "):
        parse_moment(text, option="--from", now=NOW, zone=UTC)


@given(st.integers(0, LATEST - 1))
def test_what_the_api_writes_is_read_back_exactly(nanoseconds: int) -> None:
    instant = Instant(nanoseconds)
    assert parse_moment(format_instant(instant), option="--to", now=NOW, zone=BERLIN) == instant


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../../etc/passwd", "\x00"])
def test_an_unknown_zone_is_bad_use(name: str) -> None:
    with pytest.raises(BadUse, match="IANA"):
        zone_of(name)
