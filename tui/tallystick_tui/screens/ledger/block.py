"""Blocks of the chain as the appliance answers them, and how they look: a row, and a link of a chain."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
from rich.text import Text

from tallystick_tui.texts.figures import bytes_of, exact
from tallystick_tui.texts.moments import age, date_and_time, parsed
from tallystick_tui.widgets.record_table import Column, Record

GENESIS: Final = "0" * 64
_BOX_CELLS: Final = 44


class Block(msgspec.Struct, frozen=True):
    """One block: `hash` covers `previous_hash`, the header and the payload."""

    number: int
    kind: str
    position: int
    record_count: int
    written_at: str
    payload_bytes: int
    previous_hash: str
    hash: str

    @property
    def last_position(self) -> int:
        """The position of its last record."""
        return self.position + self.record_count - 1


def columns(*, is_wide: bool) -> tuple[Column, ...]:
    """Return the columns of a list of blocks."""
    return (
        Column("number", "Block", "right"),
        Column("written", "Written"),
        Column("kind", "Kind"),
        Column("records", "Records", "right"),
        Column("position", "Position", "right"),
        *((Column("size", "Size", "right"),) if is_wide else ()),
        Column("hash", "Hash"),
    )


def block_record(block: Block, zone: ZoneInfo, *, is_wide: bool) -> Record:
    """Return the row of a block."""
    size = (bytes_of(block.payload_bytes),) if is_wide else ()
    cells = (
        exact(block.number),
        date_and_time(parsed(block.written_at), zone),
        block.kind,
        exact(block.record_count),
        exact(block.position),
        *size,
        block.hash[: 20 if is_wide else 8],
    )
    return Record(str(block.number), cells)


def block_facts(block: Block, zone: ZoneInfo, now: datetime) -> list[tuple[str, str]]:
    """Return what is known of a block."""
    written = parsed(block.written_at)
    positions = exact(block.position)
    if block.record_count > 1:
        positions += f" to {exact(block.last_position)}"
    return [
        ("kind", block.kind),
        ("written", f"{date_and_time(written, zone)} · {age(written, now)}"),
        ("records", exact(block.record_count)),
        ("positions", positions),
        ("payload", f"{exact(block.payload_bytes)} bytes"),
        ("hash", block.hash),
        ("previous", block.previous_hash),
    ]


def chain(block: Block, before: Block | None, *, is_plain: bool) -> Text:
    """Return how a block hangs on the one before it: drawn, or (plain) said."""
    if block.number == 1:
        is_whole = block.previous_hash == GENESIS
        words = "the first block: nothing is before it" if is_whole else "! the first block names one before it"
        return Text(words) if is_plain else _box(block).append(f"\n  ╧ {words}\n")
    if before is None:
        return Text("asking for the block before …", style="dim")
    is_whole = block.previous_hash == before.hash
    number = exact(before.number)
    words = (
        f"✓ its previous hash is the hash of block {number}"
        if is_whole
        else f"! its previous hash is not the hash of block {number}: the chain is broken here"
    )
    if is_plain:
        return Text(words)
    link = "┃" if is_whole else "/"
    drawn = _box(block)
    drawn.append(f"\n  {link}\n  {link} {words}\n  {link}\n", style="" if is_whole else "bold")
    return drawn.append_text(_box(before))


def _box(block: Block) -> Text:
    title = f" block {exact(block.number)} · {block.kind} "
    body = f" {block.hash[:16]} … {block.hash[-16:]}"
    below = "┰" if block.number > 1 else "─"
    return Text(
        f"┌─{title}{'─' * (_BOX_CELLS - len(title) - 1)}┐\n│{body:<{_BOX_CELLS}}│\n└─{below}{'─' * (_BOX_CELLS - 2)}┘"
    )
