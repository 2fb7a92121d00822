"""`--last`: whole units of the local calendar, the present one included."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from tallystick.instant import format_instant, parse_instant
from tallystick_server.cli.failure import BadUse
from tallystick_server.cli.last import parse_last

NOW = parse_instant("2026-11-25T00:40:12.5Z")


@pytest.mark.parametrize(
    ("text", "now", "zone", "expected"),
    [
        ("30d", "2026-11-25T00:40:12Z", "UTC", ("2026-10-27T00:00:00Z", "2026-11-26T00:00:00Z")),
        ("1d", "2026-11-25T00:40:12Z", "America/New_York", ("2026-11-24T05:00:00Z", "2026-11-25T05:00:00Z")),
        ("90m", "2026-11-25T00:40:12Z", "UTC", ("2026-11-24T23:11:00Z", "2026-11-25T00:41:00Z")),
        ("24h", "2026-11-25T00:40:12Z", "UTC", ("2026-11-24T01:00:00Z", "2026-11-25T01:00:00Z")),
        # Half past by UTC is a full hour in India.
        ("2h", "2026-11-25T00:40:12Z", "Asia/Kolkata", ("2026-11-24T23:30:00Z", "2026-11-25T01:30:00Z")),
        ("2w", "2026-11-25T00:40:12Z", "UTC", ("2026-11-16T00:00:00Z", "2026-11-30T00:00:00Z")),
        ("1mo", "2026-11-25T00:40:12Z", "UTC", ("2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z")),
        ("3mo", "2026-01-31T23:59:59Z", "Europe/Berlin", ("2025-11-30T23:00:00Z", "2026-02-28T23:00:00Z")),
        # The day on which Berlin's clock goes back has 25 hours.
        ("1d", "2026-10-25T12:00:00Z", "Europe/Berlin", ("2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z")),
        # In São Paulo the day began at 01:00 when the clock was moved at midnight.
        ("1d", "2018-11-04T12:00:00Z", "America/Sao_Paulo", ("2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z")),
    ],
)
def test_the_range_is_of_whole_units_and_ends_with_the_present_one(
    text: str, now: str, zone: str, expected: tuple[str, str]
) -> None:
    start, end = parse_last(text, now=parse_instant(now), zone=ZoneInfo(zone))
    assert (format_instant(start), format_instant(end)) == expected


@pytest.mark.parametrize("text", ["", "30", "d", "0d", "-3d", "1.5h", "30 d", "3y", "1M", "٣d", "9999999d", "999999d"])
def test_what_is_no_length_of_time_is_bad_use(text: str) -> None:
    with pytest.raises(BadUse, match="--last"):
        parse_last(text, now=NOW, zone=ZoneInfo("UTC"))
