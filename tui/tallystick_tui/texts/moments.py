"""Instants as the viewer's calendar shows them, and how long ago they were.

Promises: an instant is shown in the zone that is passed in, and `zone_label` names it; ages are rounded down.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

_RFC3339: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(?:Z|\+00:00)", re.ASCII)
_UNITS: Final = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def parsed(text: str) -> datetime:
    """Return an instant as the appliance writes it (RFC 3339 in UTC), to the microsecond."""
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!a} is no instant of UTC")
    moment = datetime.fromisoformat(match[1]).replace(tzinfo=UTC)
    return moment + timedelta(microseconds=int((match[2] or "0").ljust(9, "0")[:6]))


def date_and_time(moment: datetime, zone: ZoneInfo) -> str:
    """Return date and time to the second."""
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M:%S}"


def precise(moment: datetime, zone: ZoneInfo) -> str:
    """Return date and time to the millisecond."""
    local = moment.astimezone(zone)
    return f"{local:%Y-%m-%d %H:%M:%S}.{local.microsecond // 1000:03d}"


def clock_time(moment: datetime, zone: ZoneInfo) -> str:
    """Return the time of day alone."""
    return f"{moment.astimezone(zone):%H:%M:%S}"


def as_short_as_exact(moment: datetime, zone: ZoneInfo) -> str:
    """Return a date for a midnight, otherwise date and time."""
    local = moment.astimezone(zone)
    if local.second:
        return f"{local:%Y-%m-%d %H:%M:%S}"
    return f"{local:%Y-%m-%d}" if local.hour == local.minute == 0 else f"{local:%Y-%m-%d %H:%M}"


def age(moment: datetime, now: datetime) -> str:
    """Return how long ago it was: 12 s ago, 3 min ago, 5 h ago, 2 d ago; in 4 min for what is to come."""
    seconds = (now - moment).total_seconds()
    size = int(abs(seconds))
    if size == 0:
        return "now"
    step, unit = next(entry for entry in _UNITS if size >= entry[0])
    return f"{size // step} {unit} ago" if seconds > 0 else f"in {size // step} {unit}"


def rfc3339(moment: datetime) -> str:
    """Return an instant as the appliance reads it."""
    text = f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}"
    return f"{text}.{moment.microsecond:06d}Z" if moment.microsecond else f"{text}Z"
