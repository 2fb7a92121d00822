"""An explanation as tables: the figures, then what they were made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from .client import decode_object
from .terminal import Cell, Column, Terminal

Item = dict[str, Any]  # Any: decoded JSON

_NAMES_SHOWN: Final = 3


def show_explanation(terminal: Terminal, explanation: Mapping[str, Any]) -> None:
    """Write the items; a person sees the figures first, and whether there are more items."""
    items = [decode_object(bytes(raw)) for raw in explanation["items"]]
    totals: list[Item] = decode_object(b'{"totals":' + bytes(explanation["totals"]) + b"}")["totals"] or []
    groups = list(dict.fromkeys(name for total in totals for name in total["group"]))
    if terminal.for_person:
        columns = [*(Column(name) for name in groups), Column("figure", numeric=True), Column("events", numeric=True)]
        rows = [[*_group(total, groups), total["value"], total["events"]] for total in totals]
        terminal.table(columns, rows, empty="No usage in this range.")
        if items:
            terminal.say("")
    if any(item["kind"] == "interval" for item in items):
        _show_intervals(terminal, items, groups)
    elif items:
        _show_events(terminal, items, groups)
    if explanation["next_cursor"] is not None:
        terminal.note("There are more: raise --limit to see them.")


def _show_events(terminal: Terminal, items: list[Item], groups: list[str]) -> None:
    columns = [
        Column("time", moment=True),
        *(Column(name) for name in groups if name != "customer"),
        Column("customer"),
        Column("amount", numeric=True),
        Column("source"),
        Column("id"),
        Column("position", numeric=True),
    ]
    names = [name for name in groups if name != "customer"]
    rows: list[list[Cell]] = [
        [
            item["time"],
            *_group(item, names),
            item["customer"],
            item["amount"],
            item["source"] or None,
            item["id"],
            item["position"],
        ]
        for item in items
    ]
    terminal.table(columns, rows)


def _show_intervals(terminal: Terminal, items: list[Item], groups: list[str]) -> None:
    names = [name for name in groups if name != "customer"]
    columns = [
        Column("start", moment=True),
        Column("end", moment=True),
        *(Column(name) for name in names),
        Column("customer"),
        Column("series"),
        Column("level", numeric=True),
        Column("seconds", numeric=True),
        Column("opened by"),
        Column("ended by"),
    ]
    rows: list[list[Cell]] = []
    for item in items:
        ended_by = _causes(item["closed"]) if item["closed"] is not None else _ENDINGS[item["ending"]]
        rows.append(
            [
                item["start"],
                item["end"],
                *_group(item, names),
                item["customer"],
                item["series"],
                item["level"],
                item["seconds"],
                _causes(item["opened"]),
                ended_by,
            ]
        )
    terminal.table(columns, rows)


_ENDINGS: Final = {"timeout": "(timeout)", "range": "(end of the range)", "now": "(still so)"}


def _causes(causes: Item) -> str:
    names = [event["id"] for event in causes["events"][:_NAMES_SHOWN]]
    more = causes["count"] - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")


def _group(item: Item, names: list[str]) -> list[Cell]:
    return [item["group"].get(name) for name in names]
