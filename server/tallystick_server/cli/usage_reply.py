"""A usage answer as the API writes it, and how its times and groups are named for a person."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import msgspec

from tallystick.instant import NS_PER_S, parse_instant

from .printable import printable


class UsageFigure(msgspec.Struct, frozen=True):
    """One group over the whole range; compared with the period before where that was asked for."""

    value: Decimal | None
    events: int
    group: dict[str, str | None] = {}
    previous: Decimal | None = None
    change: Decimal | None = None
    change_percent: Decimal | None = None


class UsageRow(UsageFigure, frozen=True, kw_only=True):
    """One window of one group."""

    start: str
    end: str


class Period(msgspec.Struct, frozen=True, rename={"start": "from", "end": "to"}):
    """A range of time."""

    start: str
    end: str


class UsageReply(msgspec.Struct, frozen=True, rename={"start": "from", "end": "to"}):
    """A whole answer."""

    meter: str
    start: str
    end: str
    rows: list[UsageRow]
    totals: list[UsageFigure]
    window: str = "total"
    compared_with: Period | None = None

    @property
    def names(self) -> list[str]:
        """Return what it is grouped by."""
        return list(dict.fromkeys(name for total in self.totals for name in total.group))


def heading(reply: UsageReply, zone_name: str) -> str:
    """Return the line above an answer: the meter, the range, and the one it is compared with."""
    zone = ZoneInfo(zone_name)
    text = f"{reply.meter}, {_span(reply.start, reply.end, zone)} {zone_name}"
    if reply.compared_with is None:
        return text
    return f"{text}, beside {_span(reply.compared_with.start, reply.compared_with.end, zone)}"


def group_name(group: dict[str, str | None]) -> str:
    """Return a group as a line names it: `-` where its events lack the property."""
    return ", ".join(f"{printable(name)}={'-' if text is None else printable(text)}" for name, text in group.items())


def local_time(text: str, zone: ZoneInfo) -> str:
    """Return an instant as the zone's calendar shows it, as short as is exact: a midnight is a date."""
    instant = parse_instant(text)
    seconds, nanoseconds = divmod(instant, NS_PER_S)
    local = datetime.fromtimestamp(seconds, UTC).astimezone(zone)
    if nanoseconds:
        return f"{local:%Y-%m-%d %H:%M:%S}." + f"{nanoseconds:09d}".rstrip("0")
    if local.second:
        return f"{local:%Y-%m-%d %H:%M:%S}"
    return f"{local:%Y-%m-%d}" if local.hour == local.minute == 0 else f"{local:%Y-%m-%d %H:%M}"


def _span(start: str, end: str, zone: ZoneInfo) -> str:
    return f"{local_time(start, zone)[:19]} to {local_time(end, zone)[:19]}"
