"""The events of one customer in the order of the log, as the log had them at a position.

Promises: each event with its time in the range and its position in `(after, as_of]` comes once, voided ones too, marked as they were at
`as_of`; asking again gives the same, whatever came since.
Cost: the segments tell where the customer's events stand, the log what they are. Memory is bounded by a stretch of positions and a block
of events, whatever the range holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from tallystick.cancellation import check_cancelled
from tallystick.errors import InvalidQuestion
from tallystick.event import Position
from tallystick.event_columns import EventColumns
from tallystick.event_lists import entries_at
from tallystick.instant import EARLIEST, LATEST, Instant
from tallystick.log.block import GENESIS_HASH
from tallystick.log.event_log import EventLog
from tallystick.log.events_payload import decode_events
from tallystick.log_place import LogPlace

from .view import View

Int64s = npt.NDArray[np.int64]

# The first stretch is short, since a page mostly ends in it; 16 MB of positions in the longest, where every event is the customer's.
STRETCH_POSITIONS_MIN: Final = 1 << 16
STRETCH_POSITIONS_MAX: Final = 1 << 21


class CustomerScope(msgspec.Struct, frozen=True, kw_only=True):
    """Which events: those of `customer` with `start <= time < end`, as the log had them at `as_of`.

    `source` None: of every source.
    """

    customer: str
    start: Instant
    end: Instant
    as_of: Position
    source: str | None = None


class FoundEvents(msgspec.Struct, frozen=True):
    """Events of one block: their rows in its columns, and whether each was voided."""

    columns: EventColumns
    rows: list[int]
    are_voided: list[bool]

    @property
    def counted_rows(self) -> list[int]:
        """The rows of the events that were not voided."""
        return [row for row, is_voided in zip(self.rows, self.are_voided, strict=True) if not is_voided]

    @property
    def positions(self) -> list[int]:
        """The positions of the events."""
        first = self.columns.first_position
        return [first + row for row in self.rows]


class CustomerEvents:
    """The events of scopes, in one view of the store."""

    def __init__(self, view: View, log: EventLog) -> None:
        self._view, self._log = view, log

    def scan(self, scope: CustomerScope, *, after: int = 0) -> Iterator[FoundEvents]:
        """Yield the events by position, block by block. Raises `DamagedStore`."""
        voided = self._view.voids.as_of(scope.as_of)
        for positions in self._stretches(scope, after):
            at = 0
            while at < len(positions):
                check_cancelled()
                columns = self.columns_at(int(positions[at]))
                end = int(np.searchsorted(positions, columns.end_position))
                found = positions[at:end]
                rows: list[int] = (found - columns.first_position).tolist()
                are_voided: list[bool] = np.isin(found, voided).tolist()
                at = end
                if scope.source is not None:
                    sources = entries_at(columns.sources, rows)
                    kept = [place for place, source in enumerate(sources) if source == scope.source]
                    rows, are_voided = [rows[place] for place in kept], [are_voided[place] for place in kept]
                if rows:
                    yield FoundEvents(columns, rows, are_voided)

    def columns_at(self, position: int) -> EventColumns:
        """Return the events around a position; read past the cache, which a scan of millions would empty of what re-sends need."""
        for tail in self._view.tails:
            if (found := tail.find(position)) is not None:
                return found[0]
        block = self._log.block_at(position)
        return decode_events(block.payload, first_position=block.position)

    def place_of(self, as_of: Position) -> LogPlace:
        """Return the position with the block that holds it."""
        if as_of == 0:
            return LogPlace(position=as_of, block=0, block_hash=GENESIS_HASH, written_at=EARLIEST)
        block = self._log.block_at(as_of)
        return LogPlace(position=as_of, block=block.number, block_hash=block.hash, written_at=block.written_at)

    def count_before(self, scope: CustomerScope, position: int) -> int:
        """Return how many events of the scope that are not voided stand before the position; reads no block, so the source is not asked."""
        before = msgspec.structs.replace(scope, as_of=Position(position - 1))
        voided = self._view.voids.as_of(scope.as_of)
        return sum(len(positions) - int(np.isin(positions, voided).sum()) for positions in self._stretches(before, 0))

    def count_up_to(self, scope: CustomerScope, enough: int) -> int:
        """Return how many events the customer has in the range, voided ones and those of every source too; stops past `enough`."""
        count = 0
        for positions in self._stretches(scope, 0):
            count += len(positions)
            if count > enough:
                break
        return count

    def _stretches(self, scope: CustomerScope, after: int) -> Iterator[Int64s]:
        first, size = after + 1, STRETCH_POSITIONS_MIN
        while first <= scope.as_of:
            last = min(first + size - 1, scope.as_of)
            yield self._view.positions_of(
                scope.customer, start=scope.start, end=scope.end, first_position=first, last_position=last
            )
            first, size = last + 1, min(4 * size, STRETCH_POSITIONS_MAX)


def checked_scope(view: View, scope: CustomerScope) -> CustomerScope:
    """Return the scope, or raise `InvalidQuestion` naming the parameter that breaks a rule."""
    if not EARLIEST <= scope.start <= LATEST:
        raise InvalidQuestion("from", "lies outside 1970 to 2261")
    if not EARLIEST <= scope.end <= LATEST:
        raise InvalidQuestion("to", "lies outside 1970 to 2261")
    if scope.end < scope.start:
        raise InvalidQuestion("to", "lies before from")
    if scope.as_of < 0:
        raise InvalidQuestion("as_of", "is no position in the log: positions start at 1")
    if scope.as_of > view.head.position:
        raise InvalidQuestion("as_of", f"the log ends at {view.head.position}")
    return scope
