"""The log as people read it: its events in order, and its blocks without their payloads."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from tallystick.errors import InvalidQuestion
from tallystick.event import EventState, Position, StoredEvent
from tallystick.instant import EARLIEST, LATEST, Instant
from tallystick.log.block import Block, BlockHeader, BlockKind
from tallystick.log.event_log import EventLog
from tallystick.log.events_payload import decode_events
from tallystick.store import BlocksPage, BlockSummary

from .void_index import Voids


def scan_log(
    log: EventLog,
    voids: Callable[[], Voids],
    *,
    start: Instant | None,
    end: Instant | None,
    after: Position | None,
) -> Iterator[StoredEvent]:
    """Yield the events with `start <= time < end` and a position past `after`, by position.

    Holds one block and no transaction between two of them.
    """
    first, last = EARLIEST if start is None else start, LATEST if end is None else end
    first_position = 1 if after is None else after + 1
    for block in log.blocks(start=first_position):
        if block.kind != BlockKind.EVENTS:
            continue
        columns = decode_events(block.payload, first_position=block.position)
        not_counted = voids()
        rows = np.flatnonzero((columns.times >= first) & (columns.times < last))
        for row in rows[rows >= first_position - block.position].tolist():
            is_voided = block.position + row in not_counted
            yield columns.stored_event(row, state=EventState.VOIDED if is_voided else EventState.COUNTED)


def block_summary(block: Block) -> BlockSummary:
    """Return what an auditor needs of a block to follow the chain."""
    return _summary(block.header)


def _summary(header: BlockHeader) -> BlockSummary:
    return BlockSummary(
        number=header.number,
        kind=header.kind.name.lower(),
        position=header.position,
        record_count=header.record_count,
        written_at=header.written_at,
        payload_bytes=header.payload_bytes,
        previous_hash=header.previous_hash,
        hash=header.hash,
    )


def blocks_page(log: EventLog, *, limit: int, cursor: str | None) -> BlocksPage:
    """Return blocks, newest first; the cursor is the number of the last block that was listed. Raises `InvalidQuestion`."""
    newest = log.head.block if cursor is None else _number_of(cursor) - 1
    found = [_summary(header) for header in log.headers(newest=min(newest, log.head.block), limit=limit)]
    return BlocksPage(found, str(found[-1].number) if found and found[-1].number > 1 else None)


def _number_of(cursor: str) -> int:
    if not (cursor.isascii() and cursor.isdecimal() and len(cursor) <= 18):  # noqa: PLR2004 - fits in eight bytes
        raise InvalidQuestion("cursor", "is none that this list gave out")
    return int(cursor)
