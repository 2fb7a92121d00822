"""Instants: integer nanoseconds since 1970-01-01T00:00:00Z, one representation everywhere.

Promises: every RFC 3339 time between 1970 and 2261 with up to nine fractional digits is kept exactly; further digits are
cut off, so that an event never moves forward into another window. Nanoseconds, because clients send them (Go's
RFC3339Nano) and two events that differ in them alone are two events. Formatting writes UTC with `Z` and 0, 3, 6 or 9
fractional digits, as few as are exact.
Does not: know the time. A `Clock` is passed in to whoever needs it.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final, NewType, Protocol

Instant = NewType("Instant", int)

NS_PER_MS: Final = 1_000_000
NS_PER_S: Final = 1_000_000_000
NS_PER_HOUR: Final = 3_600 * NS_PER_S
NS_PER_DAY: Final = 24 * NS_PER_HOUR

EARLIEST: Final = Instant(0)
# 2262-01-01T00:00:00Z: the last whole year that 63 bits of nanoseconds can hold.
LATEST: Final = Instant(9_214_646_400 * NS_PER_S)

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
_RFC3339: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})"
    r"(?:\.([0-9]+))?(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))",
    re.ASCII,
)


class Clock(Protocol):
    """Where the present comes from: the system's clock in the server, a clock that a test moves in tests."""

    def now(self) -> Instant:
        """Return the present; may go backwards when the system's clock is set."""
        ...


class StillClock:
    """A `Clock` that stands: for questions about a time that is known."""

    def __init__(self, instant: Instant) -> None:
        self._instant = instant

    def now(self) -> Instant:
        """Return the one instant."""
        return self._instant


class InvalidInstant(ValueError):
    """A time that is no RFC 3339 time with a zone, or lies outside 1970 to 2261."""


class InstantTooLate(InvalidInstant):
    """A well-formed time past 2261: in the future, whatever the present is."""


def parse_instant(text: str) -> Instant:
    """Return the instant that an RFC 3339 text names.

    Leap seconds (`:60`) are read as the first instant of the next minute, as POSIX clocks do. Raises `InvalidInstant`.
    """
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise InvalidInstant(f"{_shown(text)} is not an RFC 3339 time with a zone, such as 2026-11-01T10:00:00.123Z")
    day, hour_text, minute_text, second_text, fraction, sign, offset_hour, offset_minute = match.groups()
    hour, minute, second = int(hour_text), int(minute_text), int(second_text)
    leap = second == 60  # noqa: PLR2004 - POSIX clocks show it as the first second of the next minute
    if hour > 23 or minute > 59 or (second > 59 and not leap):  # noqa: PLR2004 - a clock
        raise InvalidInstant(f"{_shown(text)} is no valid time: there is no {hour_text}:{minute_text}:{second_text}")
    try:
        seconds = _midnight(day) + hour * 3_600 + minute * 60 + second
    except ValueError as error:
        raise InvalidInstant(f"{_shown(text)} is no valid time: {error}") from error
    if sign:
        offset = int(offset_hour) * 3_600 + int(offset_minute) * 60
        if int(offset_hour) > 23 or int(offset_minute) > 59:  # noqa: PLR2004 - hours of a day, minutes of an hour
            raise InvalidInstant(f"{_shown(text)} has an offset of more than 23:59 or with more than 59 minutes")
        seconds += offset if sign == "-" else -offset
    nanoseconds = int(fraction[:9].ljust(9, "0")) if fraction and not leap else 0
    return checked_instant(seconds * NS_PER_S + nanoseconds)


@lru_cache(maxsize=1_024)
def _midnight(day: str) -> int:
    """Return the seconds from the epoch to the start of a day in UTC; remembered, since most events are of the same few days."""
    return (date.fromisoformat(day).toordinal() - _EPOCH_DAY) * 86_400


def instant_from_ms(milliseconds: int) -> Instant:
    """Return the instant that many milliseconds after the epoch. Raises `InvalidInstant` outside 1970 to 2261."""
    return checked_instant(milliseconds * NS_PER_MS)


def checked_instant(nanoseconds: int) -> Instant:
    """Return the nanoseconds as an instant, or raise `InvalidInstant` before 1970, `InstantTooLate` after 2261."""
    if nanoseconds < EARLIEST:
        raise InvalidInstant("the time lies before 1970-01-01T00:00:00Z")
    if nanoseconds >= LATEST:
        raise InstantTooLate("the time lies after 2261-12-31T23:59:59Z")
    return Instant(nanoseconds)


def format_instant(instant: Instant) -> str:
    """Return RFC 3339 in UTC with `Z`, with 0, 3, 6 or 9 fractional digits: as few as are exact."""
    seconds, nanoseconds = divmod(instant, NS_PER_S)
    text = (_EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")
    if nanoseconds == 0:
        return f"{text}Z"
    digits = f"{nanoseconds:09d}"
    if digits.endswith("000000"):
        return f"{text}.{digits[:3]}Z"
    if digits.endswith("000"):
        return f"{text}.{digits[:6]}Z"
    return f"{text}.{digits}Z"


def _shown(text: str) -> str:
    """Return the text as a message may carry it: quoted, escaped, cut."""
    return ascii(text if len(text) <= 40 else text[:40] + "…")  # noqa: PLR2004 - enough to recognise it
