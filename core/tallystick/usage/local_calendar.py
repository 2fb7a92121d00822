"""The local calendar of a time zone: when its days begin, and how long its clock runs without being moved.

Promises: answers are instants, exact to the nanosecond, for every zone of the IANA database and every date from 1970 to 2261.
A day begins at the first instant whose local date is that day: where midnight is skipped by a clock going forward, at the moment it is
moved; where midnight comes twice, at the first. A date that a zone left out (Pacific/Apia, 2011-12-30) begins where the next one does.
Names and rules come from the `tzdata` package, never from the machine: two machines with the same installation cut the same windows, and
`localtime` or `right/UTC` are no names. When a country changes its rules, updating that package is enough.
Source of the rule for midnights: `LocalDate.atStartOfDay` of Java's time library, which most calendars follow.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from importlib.resources import files
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from tallystick.errors import InvalidQuestion
from tallystick.instant import NS_PER_DAY, NS_PER_S, Instant

# No zone has moved its clock twice within 6.9 days since 1970, so looking every two days misses nothing (a test reads all zones).
STRETCH_SAMPLE_NS: Final = 2 * NS_PER_DAY

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Stretch(msgspec.Struct, frozen=True):
    """Time during which a zone's clock is not moved: `[start, end)`, local time is UTC plus `offset_ns`."""

    start: Instant
    end: Instant
    offset_ns: int


class LocalCalendar:
    """The calendar of one zone. Raises `InvalidQuestion` for a name that is no IANA zone."""

    def __init__(self, zone_name: str) -> None:
        if zone_name not in zone_names():
            raise InvalidQuestion("timezone", f"{zone_name[:64]!a} is no IANA time zone, such as Europe/Berlin or UTC")
        self._zone = _zone(zone_name)

    def local_date(self, instant: Instant) -> date:
        """Return the date that the zone's calendars show."""
        return self._local(instant // NS_PER_S).date()

    def day_start(self, day: date) -> Instant:
        """Return the first instant of the date; for a date that was left out, the instant at which it would have begun."""
        midnight = datetime.combine(day, time.min, tzinfo=self._zone)
        second = _seconds(midnight)
        if self._local(second).replace(tzinfo=None) == midnight.replace(tzinfo=None):
            return Instant(second * NS_PER_S)
        # Midnight was skipped. With fold=1 the same local time is read with the offset after the move, which lies before the move.
        return Instant(self._moved_at(_seconds(midnight.replace(fold=1)), second) * NS_PER_S)

    def stretches(self, start: Instant, end: Instant) -> Iterator[Stretch]:
        """Cut `[start, end)` where the zone's clock is moved."""
        stretch_start, seen = start, start
        offset = self._offset_s(start // NS_PER_S)
        while seen < end:
            ahead = min(Instant(seen + STRETCH_SAMPLE_NS), end)
            offset_ahead = self._offset_s(ahead // NS_PER_S)
            if offset_ahead != offset:
                moved_at = Instant(self._moved_at(seen // NS_PER_S, ahead // NS_PER_S) * NS_PER_S)
                if moved_at >= end:
                    break
                yield Stretch(stretch_start, moved_at, offset * NS_PER_S)
                stretch_start, offset = moved_at, offset_ahead
            seen = ahead
        if stretch_start < end:
            yield Stretch(stretch_start, end, offset * NS_PER_S)

    def _moved_at(self, before_s: int, after_s: int) -> int:
        """Return the second in `(before_s, after_s]` at which the clock is moved; it is moved exactly once between them."""
        offset_after = self._offset_s(after_s)
        while after_s - before_s > 1:
            middle_s = (before_s + after_s) // 2
            if self._offset_s(middle_s) == offset_after:
                after_s = middle_s
            else:
                before_s = middle_s
        return after_s

    def _local(self, second: int) -> datetime:
        return (_EPOCH + timedelta(seconds=second)).astimezone(self._zone)

    def _offset_s(self, second: int) -> int:
        offset = self._local(second).utcoffset()
        return 0 if offset is None else offset.days * 86_400 + offset.seconds


@cache
def zone_names() -> frozenset[str]:
    """Return the names of the IANA database, but for `Factory`, which stands for a machine that was not set up."""
    names = files("tzdata").joinpath("zones").read_text(encoding="utf-8").split()
    return frozenset(names) - {"Factory"}


@cache
def _zone(name: str) -> ZoneInfo:
    with files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


def _seconds(local: datetime) -> int:
    since = local.astimezone(UTC) - _EPOCH
    return since.days * 86_400 + since.seconds
