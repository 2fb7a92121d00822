"""Moments as a person types them: RFC 3339, a date, a date and a time, or a distance from now such as `-7d`.

Promises: an exact instant, or `BadUse` with the forms that are taken. A date is its midnight, and a time without an offset is read, in
the zone given; an hour that a clock change repeats is read as its first, one that it skips as the hour after.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from tallystick.instant import NS_PER_S, Instant, InvalidInstant, checked_instant, parse_instant

from .failure import BadUse

MOMENT_HELP: Final = "RFC 3339, a date, `now`, `today`, or relative such as -7d, -12h, -30m, -90s, -2w"

_DISTANCE: Final = re.compile(r"([+-])([0-9]{1,9})(s|m|h|d|w)", re.ASCII)
_SECONDS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_LOCAL: Final = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?:[Tt ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]+))?)?)?", re.ASCII
)


def zone_of(name: str) -> ZoneInfo:
    """Return the IANA zone of this name, or raise `BadUse`."""
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        raise BadUse(f"--timezone: {name!a} is not an IANA time zone such as Europe/Berlin") from None


def parse_moment(text: str, *, option: str, now: Instant, zone: ZoneInfo) -> Instant:
    """Return the instant that the text of an option names. Raises `BadUse`, naming the option."""
    word = text.strip()
    try:
        if word == "now":
            return now
        if distance := _DISTANCE.fullmatch(word):
            sign, count, unit = distance.groups()
            length = int(count) * _SECONDS[unit] * NS_PER_S
            return checked_instant(now - length if sign == "-" else now + length)
        if word == "today":
            local = datetime.fromtimestamp(now // NS_PER_S, zone)
            return instant_of_local(f"{local:%Y-%m-%d}", zone)
        if _LOCAL.fullmatch(word):
            return instant_of_local(word, zone)
        return parse_instant(word)
    except InvalidInstant as error:
        raise BadUse(f"{option}: {text!a} is no time ({error}); give {MOMENT_HELP}") from error


def instant_of_local(text: str, zone: ZoneInfo) -> Instant:
    """Return the instant of a date, or of a date and time without an offset, in the zone. Raises `InvalidInstant`."""
    match = _LOCAL.fullmatch(text)
    if match is None:
        raise InvalidInstant("it is neither a date nor a date and a time")
    year, month, day, hour, minute, second, fraction = match.groups()
    try:
        local = datetime(
            int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0), tzinfo=zone
        )
        seconds = round(local.timestamp())
    except (ValueError, OverflowError) as error:
        raise InvalidInstant(str(error)) from error
    nanoseconds = int(fraction[:9].ljust(9, "0")) if fraction else 0
    return checked_instant(seconds * NS_PER_S + nanoseconds)
