"""A range of time as people type it.

`today`, `yesterday`, a date (that day), `30m`, `24h`, `7d` (the last so much), or two moments with `..` between, either of which may be
left out: a date, a date and time, a time of today, `now`. Read in the viewer's zone; the end is not included.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

FORMS: Final = "today, yesterday, 24h, 7d, 2026-11-01, or 2026-11-01 10:00 .. 11:30"
_LAST: Final = re.compile(r"(\d{1,5})\s*(m|min|h|d|w)", re.ASCII)
_UNITS: Final = {"m": "minutes", "min": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DATE_FORMS: Final = ("%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S")
_TIME_FORMS: Final = ("%H:%M", "%H:%M:%S")


class Unreadable(ValueError):
    """The text is no range; `str()` says what is."""


def range_of(text: str, *, now: datetime, zone: ZoneInfo) -> tuple[datetime | None, datetime | None]:
    """Return start and end as instants of UTC; None where the range is open. Raises `Unreadable`."""
    text = text.strip().lower().removeprefix("-")
    if not text:
        return None, None
    if ".." in text:
        first, _, last = text.partition("..")
        start, end = _moment(first, now, zone), _moment(last, now, zone)
        if start is not None and end is not None and start >= end:
            raise Unreadable("the range ends before it begins")
        return start, end
    today = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    if text in ("today", "yesterday"):
        day = today if text == "today" else today - timedelta(days=1)
        return _instant(day, zone), None if text == "today" else _instant(day + timedelta(days=1), zone)
    if match := _LAST.fullmatch(text):
        return (now - timedelta(**{_UNITS[match[2]]: int(match[1])})).astimezone(UTC), None
    day = _wall(text, _DATE_FORMS[:1])
    if day is None:
        start = _moment(text, now, zone)
        return start, None
    return _instant(day, zone), _instant(day + timedelta(days=1), zone)


def _moment(text: str, now: datetime, zone: ZoneInfo) -> datetime | None:
    text = text.strip()
    if not text:
        return None
    if text == "now":
        return now.astimezone(UTC)
    wall = _wall(text.replace("t", "T"), _DATE_FORMS)
    if wall is None and (time := _wall(text, _TIME_FORMS)) is not None:
        wall = datetime.combine(now.astimezone(zone).date(), time.time())
    if wall is None:
        raise Unreadable(f"{text!r} is no time: write {FORMS}")
    return _instant(wall, zone)


def _wall(text: str, forms: tuple[str, ...]) -> datetime | None:
    for form in forms:
        try:
            return datetime.strptime(text, form)  # noqa: DTZ007 - wall time, which gets its zone from the viewer
        except ValueError:
            continue
    return None


def _instant(wall: datetime, zone: ZoneInfo) -> datetime:
    return wall.replace(tzinfo=zone).astimezone(UTC)
