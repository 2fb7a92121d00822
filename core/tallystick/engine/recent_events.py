"""The newest events by customer: what running figures take that came since they were last asked.

Promises: holds every event past `position_start`, up to `position`; to find those of one customer costs what they are.
Does not: let events go by itself. `is_too_large` says when some must, `is_more_than_half` when some had better, `oldest` which.
The blocks are those of the live tail, which drops them at a checkpoint; so at most as many bytes again are held as the bound says.
Costs 0.3 µs an event, once.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

import numpy as np
import polars as pl

from tallystick.event_columns import EventColumns
from tallystick.segments.event_table import PROPERTIES, event_table
from tallystick.segments.live_tail import with_properties
from tallystick.usage.event_frames import POSITION

# Seconds of the fastest ingest, minutes of a usual one: who asks of a customer at all asks again within that, or is answered from states.
RECENT_EVENTS_MAX: Final = 131_072
RECENT_BYTES_MAX: Final = 64 * 1024 * 1024
# What a block costs beside its own bytes: the rows by customer.
_ROW_BYTES: Final = 64
_UNPACKED_BYTES: Final = 300


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some of the oldest blocks, and where they end: the position, and the row after their last."""

    blocks: tuple[EventColumns, ...]
    position: int
    row_end: int

    def customers(self) -> list[str]:
        """Return whose events they hold."""
        return list(set(chain.from_iterable(columns.customers for columns in self.blocks)))


class RecentEvents:
    """Consecutive blocks of the log. For one thread at a time.

    Rows are numbered from the first that was ever appended, so that a number stays what it is when older ones go.
    """

    def __init__(self, position: int) -> None:
        self.position_start = self.position = position
        self._blocks: list[EventColumns] = []
        self._first_positions: list[int] = []
        self._row_starts: list[int] = []
        self._sizes: list[int] = []
        self._row_end = 0
        self._bytes = 0
        self._rows_of: dict[str, list[int]] = {}
        self._table: tuple[tuple[int, int], pl.DataFrame] | None = None

    def __len__(self) -> int:
        return self._row_end - self._row_starts[0] if self._row_starts else 0

    def append(self, blocks: Iterable[EventColumns], *, position: int) -> None:
        """Take what the log holds past `self.position`, up to `position`."""
        rows_of = self._rows_of
        for columns in blocks:
            for row, customer in enumerate(columns.customers, self._row_end):
                rows = rows_of.get(customer)
                if rows is None:
                    rows_of[customer] = [row]
                else:
                    rows.append(row)
            size = _size_of(columns)
            self._blocks.append(columns)
            self._first_positions.append(columns.first_position)
            self._row_starts.append(self._row_end)
            self._sizes.append(size)
            self._row_end += len(columns)
            self._bytes += size
        self.position = position

    def is_twice_too_large(self) -> bool:
        """Whether twice as much is held as may be."""
        return self._is_past(2.0)

    def is_too_large(self) -> bool:
        """Whether the oldest blocks have to go."""
        return self._is_past(1.0)

    def is_more_than_half(self) -> bool:
        """Whether more is held than half of what may be."""
        return self._is_past(0.5)

    def _is_past(self, share: float) -> bool:
        return len(self) > RECENT_EVENTS_MAX * share or self._bytes > RECENT_BYTES_MAX * share

    def oldest(self, events: int) -> Stretch:
        """Return the oldest blocks, of about so many events; one block at least."""
        count = bisect_left(self._row_starts, self._row_starts[0] + events, lo=1)
        blocks = tuple(self._blocks[:count])
        return Stretch(blocks, blocks[-1].end_position - 1, self._row_starts[0] + sum(map(len, blocks)))

    def leave(self, stretch: Stretch) -> None:
        """Let the oldest blocks count as gone, though they are still here: `position_start` is their end now."""
        self.position_start = stretch.position

    def let_go_of(self, stretch: Stretch, customers: Iterable[str]) -> None:
        """Let what the oldest blocks hold of some customers go, once they were left."""
        for customer in customers:
            rows = self._rows_of.get(customer)
            if rows is not None:
                del rows[: bisect_left(rows, stretch.row_end)]
                if not rows:
                    del self._rows_of[customer]

    def let_go(self, stretch: Stretch) -> None:
        """Let the oldest blocks go, once what they hold of all their customers went."""
        count = len(stretch.blocks)
        self._bytes -= sum(self._sizes[:count])
        for column in (self._blocks, self._first_positions, self._row_starts, self._sizes):
            del column[:count]
        self._table = None

    def rows_after(self, customer: str | None, position: int) -> Sequence[int]:
        """Return the rows of one customer (None: of all) past a position that is the end of a commit."""
        first = self._first_row_after(position)
        if customer is None:
            return range(first, self._row_end)
        rows = self._rows_of.get(customer)
        if rows is None or rows[-1] < first:
            return ()
        return rows[bisect_left(rows, first) :]

    def each(self, rows: Iterable[int]) -> Iterator[tuple[EventColumns, int]]:
        """Yield the block that holds each of some rows, and where in it."""
        for row in rows:
            place = bisect_right(self._row_starts, row) - 1
            yield self._blocks[place], row - self._row_starts[place]

    def customer_at(self, position: int) -> str | None:
        """Return whose event stands at a position; None where it is not here."""
        place = bisect_right(self._first_positions, position) - 1
        if place < 0 or position >= self._blocks[place].end_position:
            return None
        return self._blocks[place].customers[position - self._first_positions[place]]

    def table(self, rows: Sequence[int], properties: Sequence[str]) -> pl.DataFrame:
        """Return ascending rows, of which there is one at least, as a table with the columns of these properties."""
        first = bisect_right(self._row_starts, rows[0]) - 1
        last = bisect_right(self._row_starts, rows[-1]) - 1
        stretch = (self._row_starts[first], self._row_starts[last])
        # One look of many watches is at the same stretch of the log.
        if self._table is None or self._table[0] != stretch:
            self._table = (stretch, event_table(self._blocks[first : last + 1]))
        return with_columns_of(self._table[1][np.asarray(rows, np.int64) - stretch[0]], properties)

    def _first_row_after(self, position: int) -> int:
        place = bisect_right(self._first_positions, position)
        return self._row_starts[place] if place < len(self._row_starts) else self._row_end


def with_columns_of(table: pl.DataFrame, properties: Sequence[str]) -> pl.DataFrame:
    """Return an event table with columns of these properties in place of the text that holds them all."""
    return with_properties(table.drop(PROPERTIES), table[PROPERTIES], properties)


def without(table: pl.DataFrame, positions: Collection[int]) -> pl.DataFrame:
    """Return an event table but for the events at some positions."""
    if not positions:
        return table
    return table.filter(~pl.col(POSITION).is_in(pl.Series(sorted(positions), dtype=pl.Int64).implode()))


def _size_of(columns: EventColumns) -> int:
    packed = columns.packed
    if packed is None:
        return len(columns) * (_UNPACKED_BYTES + _ROW_BYTES) + sum(map(len, columns.properties))
    return len(columns) * (len(packed.pack.buffer) // max(1, len(packed.pack)) + _ROW_BYTES)
