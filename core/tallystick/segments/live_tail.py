"""The newest events, in memory: what is in the log and in no segment yet.

Promises: `append` costs the writer two list operations; what it has appended is there for every reader who comes
later. Readers fold what was appended since the last of them into Polars tables, each at least twice as long as the
next, so that an event is copied a logarithmic number of times and a question looks at a dozen tables instead of
thousands of blocks. Properties are cut once a name and distinct object.
Does not: end. The engine starts a new tail when it seals this one for a checkpoint, and drops it when its segments are
on record.
"""

from __future__ import annotations

import threading
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl

from tallystick.customer import CustomerSeen
from tallystick.event_columns import EventColumns
from tallystick.usage.event_frames import CUSTOMER, POSITION, PROPERTY_PREFIX, TIME, VALUE

from .customers_seen import add_up, as_customers, count_customers
from .distinct_texts import distinct_texts
from .event_places import EventPlaces, Place, newest_in, newest_of, positions_from
from .event_table import PROPERTIES, event_table, properties_of
from .property_texts import PropertyTexts
from .selection import Selection

# Property columns that were asked for stay for the next question; more names than this, and the ones not asked for
# the longest go.
_KEPT_NAMES_MAX: Final = 16


class _Table(msgspec.Struct, frozen=True):
    """The rows of the blocks `[first_block, end_block)`. Without the objects of properties, which were a third of it."""

    rows: pl.DataFrame
    first_block: int
    end_block: int


class LiveTail:
    """Consecutive events of the log. One thread appends; any thread reads."""

    def __init__(self) -> None:
        self._blocks: list[EventColumns] = []
        self._first_positions: list[int] = []
        self._event_count = 0
        self._fold_lock = threading.Lock()
        self._tables: list[_Table] = []
        self._kept_names: dict[str, None] = {}

    def __len__(self) -> int:
        return self._event_count

    @property
    def first_position(self) -> int | None:
        """The position of the oldest event; None while there is none."""
        return self._first_positions[0] if self._first_positions else None

    @property
    def last_position(self) -> int | None:
        """The position of the newest event; None while there is none."""
        return self._blocks[-1].end_position - 1 if self._blocks else None

    def append(self, columns: EventColumns) -> None:
        """Take the next events of the log; positions may leave gaps, and never go back. For the one writer."""
        if not len(columns):
            return
        if self._blocks and columns.first_position < self._blocks[-1].end_position:
            raise ValueError(f"position {columns.first_position} was appended after {self.last_position}")
        # The block first: whoever finds its position finds the block.
        self._blocks.append(columns)
        self._first_positions.append(columns.first_position)
        self._event_count += len(columns)

    def events(self) -> list[EventColumns]:
        """Return all that was appended, for `write_segments`."""
        return self._blocks[:]

    def blocks_between(self, after: int, head: int) -> list[EventColumns]:
        """Return what was appended past one position and up to another, both of them ends of commits."""
        start, end = bisect_right(self._first_positions, after), bisect_right(self._first_positions, head)
        return self._blocks[start:end]

    def events_after(self, position: int, *, last: int, left_out: Sequence[int]) -> list[EventColumns]:
        """Return the events with `position < … <= last` but for some positions (sorted), as they came."""
        blocks = self._blocks
        start = bisect_right(self._first_positions, position)
        found: list[EventColumns] = []
        for columns in blocks[max(0, start - 1) : bisect_right(self._first_positions, last)]:
            first, end = max(columns.first_position, position + 1), min(columns.end_position, last + 1)
            gaps = left_out[bisect_left(left_out, first) : bisect_left(left_out, end)]
            for piece_end in (*gaps, end):
                if first < piece_end:
                    is_whole = first == columns.first_position and piece_end == columns.end_position
                    at = columns.first_position
                    found.append(columns if is_whole else columns.piece(first - at, piece_end - at))
                first = piece_end + 1
        return found

    def find(self, position: int) -> tuple[EventColumns, int] | None:
        """Return the columns that hold a position, and its row; None when it is not here."""
        index = bisect_right(self._first_positions, position) - 1
        if index < 0:
            return None
        columns = self._blocks[index]
        return (columns, position - columns.first_position) if position < columns.end_position else None

    def frames(
        self,
        *,
        head: int,
        event_type: str,
        start: int,
        end: int,
        properties: Sequence[str] = (),
        customers: Sequence[str] | None = None,
        voided: npt.NDArray[np.int64] | None = None,
    ) -> list[pl.LazyFrame]:
        """Return what `EventFrames.frames` promises, for events up to position `head`; `voided` are sorted positions to leave out."""
        selection = Selection(
            event_type=event_type,
            start=start,
            end=end,
            customers=customers,
            last_position=head,
            voided=voided,
        )
        return self.frames_after(None, selection, properties)

    def frames_after(
        self, position: int | None, selection: Selection, properties: Sequence[str] = ()
    ) -> list[pl.LazyFrame]:
        """Return the same of the selected events alone that come after a position; those before it are not looked at."""
        columns = [POSITION, TIME, CUSTOMER, VALUE, *(PROPERTY_PREFIX + name for name in properties)]
        return [frame.select(columns) for frame in self._selected(selection, properties, after=position)]

    def newest(
        self,
        *,
        head: int,
        customer: str | None = None,
        event_type: str | None = None,
        start: int | None = None,
        end: int | None = None,
        before: Place | None = None,
        limit: int,
    ) -> EventPlaces:
        """Return the newest events up to position `head`, voided ones too, that come before a place in the order of the events list."""
        selection = Selection(
            event_type=event_type,
            start=start,
            end=end,
            customers=None if customer is None else (customer,),
            last_position=head,
        )
        pages = [newest_in(frame, before=before, limit=limit) for frame in self._selected(selection, ())]
        return newest_of(pages, limit=limit)

    def positions_of(
        self, customer: str, *, start: int, end: int, first_position: int, last_position: int
    ) -> npt.NDArray[np.int64]:
        """Return where in `[first_position, last_position]` the customer's events of that time stand, voided ones too, in no order."""
        selection = Selection(start=start, end=end, customers=(customer,), last_position=last_position)
        frames = self._selected(selection, ())
        return np.concatenate([np.empty(0, np.int64), *(positions_from(frame, first_position) for frame in frames)])

    def customers(self, *, head: int, after: str | None = None, limit: int) -> list[CustomerSeen]:
        """Return the first customers by key after the given one, with their events up to position `head`, voided ones too."""
        frames = self._selected(Selection(last_position=head), ())
        if after is not None:
            frames = [frame.filter(pl.col(CUSTOMER) > after) for frame in frames]
        if not frames:
            return []
        counts = add_up(pl.concat([count_customers(frame) for frame in frames]))
        return as_customers(counts.sort(CUSTOMER).head(limit).collect(engine="streaming"))

    def _selected(
        self, selection: Selection, properties: Sequence[str], *, after: int | None = None
    ) -> list[pl.LazyFrame]:
        if selection.customers is not None and not selection.customers:
            return []
        selected: list[pl.LazyFrame] = []
        for rows in self._folded(properties):
            first, last = int(rows[POSITION][0]), int(rows[POSITION][-1])
            if selection.last_position is not None and first > selection.last_position:
                continue
            if after is not None and first <= after:
                if last <= after:
                    continue
                rows = rows.slice(rows[POSITION].search_sorted(after, side="right"))  # noqa: PLW2901 - the same, less of it
            predicate = selection.table_predicate(first_position=first, last_position=last)
            selected.append(rows.lazy().filter(*predicate) if predicate else rows.lazy())
        return selected

    def _folded(self, properties: Sequence[str]) -> list[pl.DataFrame]:
        """Return the rows of all that was appended so far, with the columns of these properties."""
        with self._fold_lock:
            self._keep(properties)
            names = list(self._kept_names)
            start = self._tables[-1].end_block if self._tables else 0
            self._tables = [self._completed(table, names) for table in self._tables]
            if new := self._blocks[start:]:
                rows = event_table(new)
                rows = with_properties(rows.drop(PROPERTIES), rows[PROPERTIES], names)
                self._tables.append(_Table(rows, start, start + len(new)))
            while len(self._tables) > 1 and self._tables[-2].rows.height < 2 * self._tables[-1].rows.height:
                newest, older = self._tables.pop(), self._tables.pop()
                rows = pl.concat([older.rows, newest.rows.select(older.rows.columns)], rechunk=True)
                self._tables.append(_Table(rows, older.first_block, newest.end_block))
            return [table.rows for table in self._tables]

    def _keep(self, properties: Sequence[str]) -> None:
        """Note that these names were asked for, and forget the columns of those that nobody asked for in a long time."""
        for name in properties:
            self._kept_names.pop(name, None)
            self._kept_names[name] = None
        forgotten = list(self._kept_names)[: -max(_KEPT_NAMES_MAX, len(properties))]
        for name in forgotten:
            del self._kept_names[name]
        if forgotten:
            labels = [PROPERTY_PREFIX + name for name in forgotten]
            self._tables = [
                msgspec.structs.replace(table, rows=table.rows.drop(labels, strict=False)) for table in self._tables
            ]

    def _completed(self, table: _Table, names: Sequence[str]) -> _Table:
        """Return the table with a column for each of these properties; the objects are taken from the blocks again."""
        missing = [name for name in names if PROPERTY_PREFIX + name not in table.rows.columns]
        if not missing:
            return table
        objects = properties_of(self._blocks[table.first_block : table.end_block])
        return msgspec.structs.replace(table, rows=with_properties(table.rows, objects, missing))


def with_properties(rows: pl.DataFrame, objects: pl.Series, names: Sequence[str]) -> pl.DataFrame:
    """Return the rows with a column `p:NAME` for each name, cut once for each distinct object."""
    if not names:
        return rows
    distinct = distinct_texts(objects)
    return rows.hstack(PropertyTexts(distinct.texts).columns(names)[distinct.codes])
