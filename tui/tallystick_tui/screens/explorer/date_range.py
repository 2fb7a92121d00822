"""Which time a question is about: a preset that moves along with the clock, or two moments as somebody typed them.

Promises: days and months are those of the question's zone, daylight saving included; typed texts are kept as they were typed; what is wrong
with one is said in a sentence. Pure: the present is passed in.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tallystick_tui.texts import moments

FORMS: Final = "2026-11-01, 2026-11-01 14:30, RFC 3339, now, today, yesterday, or back from now such as -36h, -7d"

_LOCAL: Final = re.compile(r"(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d(?::\d\d)?))?", re.ASCII)
_BACK: Final = re.compile(r"-(\d{1,6})([smhdw])", re.ASCII)
_OFFSET: Final = re.compile(r"([Zz]|[+-]\d\d:?\d\d)$", re.ASCII)
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class InvalidRange(ValueError):
    """A text that names no moment, or two in the wrong order; `str()` says which and what is taken."""


class Preset(StrEnum):
    """Ranges that most questions are about; the value is how a saved view names it."""

    TODAY = "today"
    YESTERDAY = "yesterday"
    LAST_24_HOURS = "last-24-hours"
    LAST_7_DAYS = "last-7-days"
    LAST_30_DAYS = "last-30-days"
    LAST_90_DAYS = "last-90-days"
    THIS_MONTH = "this-month"
    LAST_MONTH = "last-month"

    @property
    def words(self) -> str:
        """How people call it."""
        return self.value.replace("-", " ")


_DAYS: Final = {Preset.LAST_7_DAYS: 7, Preset.LAST_30_DAYS: 30, Preset.LAST_90_DAYS: 90}


@dataclass(frozen=True, slots=True)
class Span:
    """Half-open `[start, end)`, in UTC."""

    start: datetime
    end: datetime

    @property
    def seconds(self) -> float:
        """How long it is."""
        return (self.end - self.start).total_seconds()


@dataclass(frozen=True, slots=True)
class DateRange:
    """A preset, or `start` and `end` as typed (an empty end: now)."""

    preset: Preset | None = Preset.LAST_7_DAYS
    start: str = ""
    end: str = ""

    @property
    def is_open(self) -> bool:
        """Whether it ends now, so that figures still grow."""
        if self.preset is not None:
            return self.preset not in {Preset.YESTERDAY, Preset.LAST_MONTH}
        return self.end.strip() in {"", "now"}

    def span(self, now: datetime, zone: ZoneInfo, *, is_whole: bool = False) -> Span:
        """Return the instants; with `is_whole` days and months that are not over yet to their end. Raises `InvalidRange`."""
        if self.preset is not None:
            span = _span_of(self.preset, now, zone)
            return Span(span.start, _end_of(self.preset, now, zone)) if is_whole and self.is_open else span
        start = parse_moment(self.start, now, zone, what="the start")
        end = parse_moment(self.end or "now", now, zone, what="the end")
        if start >= end:
            raise InvalidRange("the start must lie before the end")
        return Span(start, end)

    def words(self, now: datetime, zone: ZoneInfo) -> str:
        """Return it as short as it can be said."""
        if self.preset is not None:
            return self.preset.words
        if _BACK.fullmatch(self.start.strip()) and self.is_open:
            return f"last {self.start.strip()[1:]}"
        span = self.span(now, zone)
        start, end = span.start.astimezone(zone), span.end.astimezone(zone)
        if midnight(start.date() + timedelta(days=1), zone) == span.end and midnight(start.date(), zone) == span.start:
            return f"{start:%a %d %b %Y}"
        if start.date() == end.date() and not self.is_open and not (start.second or end.second):
            return f"{start:%Y-%m-%d %H:%M} to {end:%H:%M}"
        return f"{_short(span.start, zone)} to {'now' if self.is_open else _short(span.end, zone)}"


def parse_moment(text: str, now: datetime, zone: ZoneInfo, *, what: str) -> datetime:
    """Return the instant that a text names, dates and times without an offset in the zone. Raises `InvalidRange`."""
    word = text.strip()
    try:
        if word == "now":
            return now.astimezone(UTC)
        if word == "today":
            return midnight(now.astimezone(zone).date(), zone)
        if word == "yesterday":
            return midnight(now.astimezone(zone).date() - timedelta(days=1), zone)
        if back := _BACK.fullmatch(word):
            return now.astimezone(UTC) - timedelta(**{_UNITS[back[2]]: int(back[1])})
        if local := _LOCAL.fullmatch(word):
            moment = datetime.fromisoformat(f"{local[1]}T{local[2] or '00:00'}").replace(tzinfo=zone)
        else:
            moment = datetime.fromisoformat(word if _OFFSET.search(word) else "")
        return datetime.fromtimestamp(moment.timestamp(), UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise InvalidRange(f"{what} {word[:40]!a} is no time; give {FORMS}") from error


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """Return the first instant of a day; where the clock skips midnight, when it is moved."""
    return datetime.fromtimestamp(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp(), UTC)


def zone_named(name: str) -> ZoneInfo:
    """Return an IANA zone. Raises `InvalidRange`."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidRange(f"{name[:40]!a} is no IANA time zone such as Europe/Berlin") from error


def _span_of(preset: Preset, now: datetime, zone: ZoneInfo) -> Span:
    now, today = now.astimezone(UTC), now.astimezone(zone).date()
    match preset:
        case Preset.TODAY:
            return Span(midnight(today, zone), now)
        case Preset.YESTERDAY:
            return Span(midnight(today - timedelta(days=1), zone), midnight(today, zone))
        case Preset.LAST_24_HOURS:
            return Span(now - timedelta(hours=24), now)
        case Preset.THIS_MONTH:
            return Span(midnight(today.replace(day=1), zone), now)
        case Preset.LAST_MONTH:
            first = today.replace(day=1)
            return Span(midnight((first - timedelta(days=1)).replace(day=1), zone), midnight(first, zone))
        case _:
            return Span(midnight(today - timedelta(days=_DAYS[preset] - 1), zone), now)


def _end_of(preset: Preset, now: datetime, zone: ZoneInfo) -> datetime:
    """Return when the day or month is over that an open preset ends in."""
    today = now.astimezone(zone).date()
    if preset is Preset.LAST_24_HOURS:
        return now.astimezone(UTC)
    if preset is Preset.THIS_MONTH:
        return midnight((today.replace(day=28) + timedelta(days=4)).replace(day=1), zone)
    return midnight(today + timedelta(days=1), zone)


def _short(moment: datetime, zone: ZoneInfo) -> str:
    return moments.as_short_as_exact(moment, zone)
