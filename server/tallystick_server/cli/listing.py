"""A list of the API as a table for people, rows for pipes, or JSON: the same for every resource."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import msgspec

from .terminal import Cell, Column, Terminal

if TYPE_CHECKING:
    from .client import ApplianceClient, Page, Params


class Field(msgspec.Struct, frozen=True):
    """One column: its heading and the field of the item that fills it.

    `numeric` and `moment` say what it holds; `for_pipes_only` that a person does not see it;
    `usual` is the text that tells a person nothing.
    """

    title: str
    name: str
    numeric: bool = False
    moment: bool = False
    for_pipes_only: bool = False
    usual: str | None = None


class Listing(msgspec.Struct, frozen=True):
    """Where a list is, and how it is shown."""

    path: str
    fields: tuple[Field, ...]
    empty: str
    is_paged: bool = True

    def show(
        self,
        client: ApplianceClient,
        terminal: Terminal,
        params: Params = (),
        *,
        limit: int | None = None,
        as_json: bool,
    ) -> None:
        """Write at most `limit` items (None: all); a person is told when there are more."""
        from .client import Page, decode

        whole = [] if self.is_paged else [decode(client.get(self.path, params), Page)]
        pages = client.pages(self.path, params, limit=limit) if self.is_paged else iter(whole)
        if as_json:
            terminal.json(_joined(list(pages)))
            return
        fields = [field for field in self.fields if not (terminal.for_person and field.for_pipes_only)]
        columns = [Column(field.title, field.numeric, field.moment) for field in fields]
        if not terminal.for_person:
            for page in pages:
                terminal.table(columns, _rows(page, fields))
            return
        shown = list(pages)
        terminal.table(
            columns, [row for page in shown for row in _rows(page, fields, for_person=True)], empty=self.empty
        )
        if shown and shown[-1].next_cursor is not None:
            terminal.note("There are more: raise --limit to see them.")


def cell_of(item: dict[str, Any], name: str, *, for_person: bool = False) -> Cell:  # Any: decoded JSON
    """Return a field of decoded JSON as a cell: texts joined by commas, an object as `name=value` or (for pipes) as compact JSON."""
    from decimal import Decimal

    from .terminal import compact_json, digits

    value = item.get(name)
    if value is None or isinstance(value, str | int | Decimal):
        return value
    if not value:
        return None
    parts = cast("list[object] | dict[str, object]", value)
    if isinstance(parts, list) and all(isinstance(part, str) for part in parts):
        return ", ".join(cast("list[str]", parts))
    if for_person and isinstance(parts, dict):
        texts = {
            name: digits(part) if isinstance(part, int | Decimal) and not isinstance(part, bool) else part
            for name, part in parts.items()
        }
        return " ".join(
            f"{name}={part if isinstance(part, str) else compact_json(part)}" for name, part in texts.items()
        )
    return compact_json(parts)


def show_item(terminal: Terminal, body: bytes, *, as_json: bool) -> None:
    """Write one thing: its fields line by line, or its JSON."""
    from .client import decode_object

    if as_json:
        terminal.json(body)
        return
    item = decode_object(body)
    facts = [(name, cell_of(item, name, for_person=terminal.for_person)) for name in item]
    # A person does not miss what is not there.
    terminal.facts([(name, cell) for name, cell in facts if cell is not None or not terminal.for_person])


def _rows(page: Page, fields: Sequence[Field], *, for_person: bool = False) -> list[list[Cell]]:
    from .client import decode_object

    items = [decode_object(bytes(raw)) for raw in page.items]
    rows = [[cell_of(item, field.name, for_person=for_person) for field in fields] for item in items]
    if for_person:
        rows = [
            [None if cell == field.usual else cell for cell, field in zip(row, fields, strict=True)] for row in rows
        ]
    return rows


def _joined(pages: list[Page]) -> bytes:
    items = [item for page in pages for item in page.items]
    return msgspec.json.encode({"items": items, "next_cursor": pages[-1].next_cursor if pages else None})
