"""The dimensions of a meter: one line a name for a person, one a value for a pipe."""

from __future__ import annotations

import msgspec

from .client import decode
from .terminal import Cell, Column, Terminal, shown


class Value(msgspec.Struct, frozen=True):
    """A value and how many events have it."""

    value: str
    events: int


class Dimension(msgspec.Struct, frozen=True):
    """`customer` or a property."""

    name: str
    events: int
    distinct: int
    values: list[Value]


class DimensionsReply(msgspec.Struct, frozen=True):
    """The answer of `GET /v1/meters/{key}/dimensions`."""

    events: int
    complete: bool
    items: list[Dimension]


def show_dimensions(terminal: Terminal, body: bytes, *, as_json: bool) -> None:
    """Write the names; a person is told when there are older events than those that were looked at."""
    if as_json:
        terminal.json(body)
        return
    reply = decode(body, DimensionsReply)
    if not terminal.for_person:
        columns = [Column("name"), Column("value"), Column("events", numeric=True)]
        terminal.table(columns, [[each.name, it.value, it.events] for each in reply.items for it in each.values])
        return
    columns = [
        Column("name"),
        Column("events", numeric=True),
        Column("distinct", numeric=True),
        Column("most frequent"),
    ]
    rows: list[list[Cell]] = [
        [each.name, each.events, each.distinct, ", ".join(it.value for it in each.values)] for each in reply.items
    ]
    terminal.table(columns, rows, empty="None of its events is in this range.")
    if not reply.complete:
        terminal.note(f"Seen in the newest events, of which {shown(reply.events)} count; there are older ones.")
