"""A usage answer as tables: rows by window and group, then the totals of the range."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import msgspec

from tallystick.instant import NS_PER_S, parse_instant

from .client import decode
from .terminal import Cell, Column, Terminal


class UsageRow(msgspec.Struct, frozen=True):
    """One window of one group, as the API answers it."""

    start: str
    end: str
    value: Decimal | None
    events: int
    group: dict[str, str | None] = {}


class UsageTotal(msgspec.Struct, frozen=True):
    """One group over the whole range, as the API answers it."""

    value: Decimal | None
    events: int
    group: dict[str, str | None] = {}


class UsageReply(msgspec.Struct, frozen=True, rename={"start": "from", "end": "to"}):
    """A usage answer, as the API writes it."""

    meter: str
    start: str
    end: str
    rows: list[UsageRow]
    totals: list[UsageTotal]
    window: str = "total"


def show_usage(terminal: Terminal, body: bytes, *, zone_name: str, totals_only: bool) -> None:
    """Write the rows (and for a person the totals below them), or the totals alone."""
    reply = decode(body, UsageReply)
    zone = ZoneInfo(zone_name)
    names = list(dict.fromkeys(name for total in reply.totals for name in total.group))
    if terminal.for_person:
        terminal.say(f"{reply.meter}, {_local(reply.start, zone)[:19]} to {_local(reply.end, zone)[:19]} {zone_name}")
        terminal.say("")
    if not totals_only and not (terminal.for_person and reply.window == "total"):
        _show_rows(terminal, reply, names, zone)
        if terminal.for_person and reply.rows:
            terminal.say("")
    if totals_only or terminal.for_person:
        columns = [*(Column(name) for name in names), Column("total", numeric=True), Column("events", numeric=True)]
        rows = [[*_group(total.group, names), total.value, total.events] for total in reply.totals]
        terminal.table(columns, rows, empty="No usage in this range.")


def _show_rows(terminal: Terminal, reply: UsageReply, names: list[str], zone: ZoneInfo) -> None:
    heads = [Column(reply.window)] if terminal.for_person else [Column("start"), Column("end")]
    columns = [*heads, *(Column(name) for name in names), Column("value", numeric=True), Column("events", numeric=True)]
    rows: list[list[Cell]] = []
    for row in reply.rows:
        window: list[Cell] = [_local(row.start, zone)] if terminal.for_person else [row.start, row.end]
        rows.append([*window, *_group(row.group, names), row.value, row.events])
    terminal.table(columns, rows)


def _group(group: dict[str, str | None], names: list[str]) -> list[Cell]:
    return [group.get(name) for name in names]


def _local(text: str, zone: ZoneInfo) -> str:
    """Return an instant as the zone's calendar shows it, as short as is exact: a midnight is a date."""
    instant = parse_instant(text)
    seconds, nanoseconds = divmod(instant, NS_PER_S)
    local = datetime.fromtimestamp(seconds, UTC).astimezone(zone)
    if nanoseconds:
        return f"{local:%Y-%m-%d %H:%M:%S}." + f"{nanoseconds:09d}".rstrip("0")
    if local.second:
        return f"{local:%Y-%m-%d %H:%M:%S}"
    return f"{local:%Y-%m-%d}" if local.hour == local.minute == 0 else f"{local:%Y-%m-%d %H:%M}"
