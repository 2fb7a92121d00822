"""The log as people read it: its events in order, and its blocks without their payloads."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from tallystick.event import EventState, Position, StoredEvent
from tallystick.instant import EARLIEST, LATEST, Instant
from tallystick.log.block import Block, BlockKind
from tallystick.log.event_log import EventLog
from tallystick.log.events_payload import decode_events
from tallystick.store import BlockSummary

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
    return BlockSummary(
        number=block.number,
        kind=block.kind.name.lower(),
        position=block.position,
        record_count=block.record_count,
        written_at=block.written_at,
        payload_bytes=len(block.payload),
        previous_hash=block.previous_hash,
        hash=block.hash,
    )
