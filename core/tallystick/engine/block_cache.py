"""Decoded blocks of events, the least recently used first to go, bounded by bytes.

A re-sent file asks for neighbours, and a page of events for a few places: both find their block here after its first event.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Final

from tallystick.errors import DamagedStore
from tallystick.event_columns import EventColumns
from tallystick.log.block import BlockKind
from tallystick.log.event_log import EventLog
from tallystick.log.events_payload import decode_events, unpacked_size

# Measured with 177-byte events: the strings and lists of one decoded event, give or take a third.
_BYTES_PER_EVENT: Final = 450


class BlockCache:
    """Blocks of events by position; safe from any thread."""

    def __init__(self, log: EventLog, *, bytes_max: int) -> None:
        self._log = log
        self._weight_max = bytes_max // _BYTES_PER_EVENT
        self._guard = threading.Lock()
        self._blocks: OrderedDict[int, EventColumns] = OrderedDict()
        self._starts: dict[int, int] = {}
        # In events, of which large ones count as several.
        self._weights: dict[int, int] = {}
        self._weight = 0

    def columns_at(self, position: int) -> EventColumns:
        """Return the events around a position. Raises `NotFound`, or `DamagedStore` if the block there holds no events or is damaged."""
        with self._guard:
            start = self._starts.get(position >> 6)
            columns = None if start is None else self._blocks.get(start)
            if columns is not None and columns.first_position <= position < columns.end_position:
                self._blocks.move_to_end(columns.first_position)
                return columns
        block = self._log.block_at(position)
        if block.kind != BlockKind.EVENTS:
            raise DamagedStore(position, f"an event should be here, but the block holds {block.kind.name.lower()}")
        columns = decode_events(block.payload, first_position=block.position)
        with self._guard:
            self._keep(columns, max(len(columns), unpacked_size(block.payload) // _BYTES_PER_EVENT))
        return columns

    def clear(self) -> None:
        """Forget everything, after the log was reopened."""
        with self._guard:
            self._blocks.clear()
            self._starts.clear()
            self._weights.clear()
            self._weight = 0

    def _keep(self, columns: EventColumns, weight: int) -> None:
        self._weight += weight - self._weights.get(columns.first_position, 0)
        self._weights[columns.first_position] = weight
        self._blocks[columns.first_position] = columns
        for hint in _hints(columns):
            self._starts[hint] = columns.first_position
        while self._weight > self._weight_max and len(self._blocks) > 1:
            start, gone = self._blocks.popitem(last=False)
            self._weight -= self._weights.pop(start)
            for hint in _hints(gone):
                if self._starts.get(hint) == gone.first_position:
                    del self._starts[hint]


def _hints(columns: EventColumns) -> range:
    """Return the groups of 64 positions that the block touches: a place to look, checked by whoever looks."""
    return range(columns.first_position >> 6, (columns.end_position - 1 >> 6) + 1)
