"""An event as the appliance answers it, and how it looks in a row, in lines and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from tallystick_tui.texts.figures import exact
from tallystick_tui.texts.harmless import cut, harmless
from tallystick_tui.texts.moments import age, date_and_time, parsed, precise
from tallystick_tui.widgets.record_table import Column, Record

# Names of properties have as much room as they need, within this.
_NAME_CELLS, _NAME_CELLS_MAX = 14, 24
VOIDED: Final = "voided"
_decode_number: Final = msgspec.json.Decoder(Decimal).decode
_decode_any: Final = msgspec.json.Decoder(Any, float_hook=Decimal).decode


class Voiding(msgspec.Struct, frozen=True):
    """The correction by which an event no longer counts."""

    position: int
    at: str
    reason: str


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An event of the log; with its receipt once that was asked for. Numbers are kept as they came."""

    source: str
    id: str
    type: str
    customer: str
    time: str
    value: msgspec.Raw
    properties: dict[str, msgspec.Raw]
    position: int
    received_at: str
    state: str
    block: int | None = None
    block_hash: str | None = None
    duplicates_seen: int | None = None
    voided: Voiding | None = None

    @property
    def key(self) -> str:
        """What tells it apart from all others."""
        return str(self.position)

    @property
    def is_voided(self) -> bool:
        """Whether it no longer counts."""
        return self.state == VOIDED

    @property
    def amount(self) -> Decimal:
        """Its value, with all digits."""
        return _decode_number(self.value)


@dataclass(frozen=True, slots=True)
class Layout:
    """How wide the columns of a list of events are, in cells: fixed, so that nothing jumps while events land; 0 leaves one out."""

    time: int
    customer: int
    type: int
    value: int
    id: int
    source: int = 0
    properties: int = 0

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns of a table."""
        more = (
            Column("source", "Source", width=self.source),
            Column("properties", "Properties", width=self.properties),
        )
        return (
            Column("mark", " ", width=1),
            Column("time", "Time", width=self.time),
            Column("customer", "Customer", width=self.customer),
            Column("type", "Type", width=self.type),
            Column("value", "Value", "right", width=self.value),
            Column("id", "Id", width=self.id),
            *(more if self.source else ()),
        )


NARROW: Final = Layout(time=19, customer=12, type=12, value=9, id=12)
_SECONDS_CELLS: Final = 19


def layout_of(cells: int) -> Layout:
    """Return what fits into so many cells, the space between columns and a scroll bar taken off."""
    if cells < 96:  # noqa: PLR2004 - what the next one takes
        return NARROW
    if cells < 128:  # noqa: PLR2004 - as above
        return Layout(time=23, customer=15, type=14, value=11, id=18)
    return Layout(time=23, customer=16, type=14, value=12, id=20, source=12, properties=cells - 116)


def event_record(event: Event, zone: ZoneInfo, layout: Layout = NARROW) -> Record:
    """Return the row of an event; a voided one has a cross in front, and is dim."""
    moment = parsed(event.time)
    texts = [
        "✗" if event.is_voided else " ",
        date_and_time(moment, zone) if layout.time == _SECONDS_CELLS else precise(moment, zone),
        cut(event.customer, layout.customer),
        cut(event.type, layout.type),
        cut(exact(event.amount), layout.value),
        cut(event.id, layout.id),
    ]
    if layout.source:
        listed = " ".join(f"{name}={value}" for name, value in properties(event))
        texts += [cut(event.source, layout.source), cut(listed, layout.properties)]
    style = "dim" if event.is_voided else ""
    return Record(event.key, tuple(Text(text, style=style) for text in texts))


def properties(event: Event) -> list[tuple[str, str]]:
    """Return names and values as people read them: numbers with thousands apart, texts as they are."""
    found: list[tuple[str, str]] = []
    for name, raw in event.properties.items():
        value: Any = _decode_any(raw)  # Any: a text, a number, true or false
        if isinstance(value, bool):
            found.append((name, "true" if value else "false"))
        else:
            found.append((name, exact(value) if isinstance(value, int | Decimal) else str(value)))
    return found


def event_facts(event: Event, zone: ZoneInfo, now: datetime, *, trouble: str = "") -> Group:
    """Return everything that is known of an event, line by line; `trouble` is why there is no receipt."""
    received = parsed(event.received_at)
    facts = [
        ("state", "✗ voided: stays in the log, counts no more" if event.is_voided else "● in the log, not voided"),
        *_voiding_facts(event.voided, zone, now),
        ("customer", event.customer),
        ("type", event.type),
        ("value", exact(event.amount)),
        ("time", precise(parsed(event.time), zone)),
        ("received", f"{precise(received, zone)} · {age(received, now)}"),
        ("source", event.source or "(none)"),
    ]
    own = properties(event)
    name_cells = min(max([_NAME_CELLS, *(len(name) for name, _ in own)]), _NAME_CELLS_MAX)
    receipt: RenderableType = Text(f"! no receipt: {harmless(trouble)}" if trouble else "asking …", style="dim")
    if event.block is not None and event.block_hash is not None:
        times = event.duplicates_seen or 0
        receipt = _grid(
            [
                ("position", exact(event.position)),
                ("block", exact(event.block)),
                ("block's hash", event.block_hash),
                ("sent again", "never" if not times else "once" if times == 1 else f"{exact(times)} times"),
            ],
            name_cells,
        )
    return Group(
        Text(harmless(event.id), style="bold"),
        _grid(facts, name_cells),
        Text(f"\nProperties · {len(event.properties)}", style="bold"),
        _grid(own, name_cells),
        Text("\nReceipt", style="bold"),
        receipt,
        Text(f"\ntimes in {zone.key}", style="dim"),
    )


def _voiding_facts(voiding: Voiding | None, zone: ZoneInfo, now: datetime) -> list[tuple[str, str]]:
    if voiding is None:
        return []
    at = parsed(voiding.at)
    return [
        ("reason", voiding.reason),
        ("voided", f"{precise(at, zone)} · {age(at, now)} · position {exact(voiding.position)}"),
    ]


def _grid(facts: Sequence[tuple[str, str]], name_cells: int) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0), expand=True)
    grid.add_column(width=name_cells, style="dim", no_wrap=True)
    grid.add_column(ratio=1, overflow="fold")
    for name, value in facts:
        grid.add_row(Text(cut(name, name_cells)), Text(harmless(value)))
    return grid


def event_json(event: Event) -> str:
    """Return the event as JSON, numbers digit by digit as they came."""
    return msgspec.json.format(msgspec.json.encode(event), indent=2).decode()
