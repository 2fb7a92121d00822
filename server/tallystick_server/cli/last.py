"""`--last 30d`: the newest so many units of the local calendar, the one that is not over yet among them.

Promises: the range begins where a minute, an hour, a day, a week (Monday) or a month begins in the zone, and ends where the present one
does, so that it has exactly so many windows of that unit: `--last 30d --window day` shows 30 whole days, of which the last is today.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from tallystick.instant import NS_PER_S, Instant, InvalidInstant, checked_instant

from .failure import BadUse
from .moment import instant_of_local

LAST_HELP: Final = "90m, 24h, 30d, 4w or 3mo"

_LAST: Final = re.compile(r"([1-9][0-9]{0,5})(mo|m|h|d|w)", re.ASCII)
_CLOCK_S: Final = {"m": 60, "h": 3_600}


def parse_last(text: str, *, now: Instant, zone: ZoneInfo) -> tuple[Instant, Instant]:
    """Return the range that the text names. Raises `BadUse`."""
    match = _LAST.fullmatch(text.strip())
    if match is None:
        raise BadUse(f"--last: {text!a} is no length of time; give {LAST_HELP}")
    count, unit = int(match[1]), match[2]
    try:
        return _by_clock(count, _CLOCK_S[unit], now, zone) if unit in _CLOCK_S else _by_calendar(count, unit, now, zone)
    except (InvalidInstant, OverflowError, ValueError) as error:
        raise BadUse(f"--last: {text!a} reaches back before 1970; give less") from error


def _by_clock(count: int, unit_s: int, now: Instant, zone: ZoneInfo) -> tuple[Instant, Instant]:
    second = now // NS_PER_S
    offset = datetime.fromtimestamp(second, zone).utcoffset() or timedelta()
    # The local clock's own full hour: where it is half an hour beside UTC's, so are the windows.
    into_unit = (second + round(offset.total_seconds())) % unit_s
    end = second - into_unit + unit_s
    return checked_instant((end - count * unit_s) * NS_PER_S), checked_instant(end * NS_PER_S)


def _by_calendar(count: int, unit: str, now: Instant, zone: ZoneInfo) -> tuple[Instant, Instant]:
    today = datetime.fromtimestamp(now // NS_PER_S, zone).date()
    if unit == "mo":
        first, after = _month(today, 1 - count), _month(today, 1)
    else:
        length = 7 if unit == "w" else 1
        this = today - timedelta(days=today.weekday() if unit == "w" else 0)
        first, after = this - timedelta(days=length * (count - 1)), this + timedelta(days=length)
    return instant_of_local(f"{first:%Y-%m-%d}", zone), instant_of_local(f"{after:%Y-%m-%d}", zone)


def _month(day: date, distance: int) -> date:
    months = day.year * 12 + day.month - 1 + distance
    return date(months // 12, months % 12 + 1, 1)
