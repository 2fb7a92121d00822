"""A list of the API as a table for people, rows for pipes, or JSON: the same for every resource."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from .terminal import Cell, Column, Terminal

if TYPE_CHECKING:
    from .client import ApplianceClient, Page, Params


class Field(msgspec.Struct, frozen=True):
    """One column: its heading, the field of the item that fills it, whether it holds numbers, whether only pipes see it."""

    title: str
    name: str
    numeric: bool = False
    for_pipes_only: bool = False


class Listing(msgspec.Struct, frozen=True):
    """Where a list is, and how it is shown."""

    path: str
    fields: tuple[Field, ...]
    empty: str

    def show(
        self,
        client: ApplianceClient,
        terminal: Terminal,
        params: Params = (),
        *,
        limit: int | None,
        as_json: bool,
    ) -> None:
        """Write at most `limit` items; a person is told when there are more."""
        pages = client.pages(self.path, params, limit=limit)
        if as_json:
            terminal.json(_joined(list(pages)))
            return
        fields = [field for field in self.fields if not (terminal.for_person and field.for_pipes_only)]
        columns = [Column(field.title, field.numeric) for field in fields]
        if not terminal.for_person:
            for page in pages:
                terminal.table(columns, _rows(page, fields))
            return
        shown = list(pages)
        terminal.table(columns, [row for page in shown for row in _rows(page, fields)], empty=self.empty)
        if shown and shown[-1].next_cursor is not None:
            terminal.note("There are more: raise --limit to see them.")


def cell_of(item: dict[str, Any], name: str) -> Cell:  # Any: decoded JSON, whose fields are cells or structures
    """Return a field of decoded JSON as a cell: a list of texts joined by commas, other structures as compact JSON."""
    from decimal import Decimal

    from .terminal import compact_json

    value = item.get(name)
    if value is None or isinstance(value, str | int | Decimal):
        return value
    if isinstance(value, list) and all(isinstance(part, str) for part in value):  # pyright: ignore[reportUnknownVariableType] - decoded JSON
        return ", ".join(value)  # pyright: ignore[reportUnknownArgumentType] - checked on the line above
    return compact_json(value) if value else None


def show_item(terminal: Terminal, body: bytes, *, as_json: bool) -> None:
    """Write one thing: its fields line by line, or its JSON."""
    from .client import decode_object

    if as_json:
        terminal.json(body)
        return
    item = decode_object(body)
    terminal.facts((name, cell_of(item, name)) for name in item)


def _rows(page: Page, fields: Sequence[Field]) -> list[list[Cell]]:
    from .client import decode_object

    items = [decode_object(bytes(raw)) for raw in page.items]
    return [[cell_of(item, field.name) for field in fields] for item in items]


def _joined(pages: list[Page]) -> bytes:
    items = [item for page in pages for item in page.items]
    return msgspec.json.encode({"items": items, "next_cursor": pages[-1].next_cursor if pages else None})
