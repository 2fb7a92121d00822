"""The events of several requests, as one set of columns that is decided on and committed together."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress
from typing import TypeVar

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import structs

from tallystick.event_batch import EventBatch, EventLists
from tallystick.event_columns import EventColumns, columns_of_pack
from tallystick.log.block import EVENTS_PER_BLOCK_MAX
from tallystick.native.library import NATIVE
from tallystick.packed_events import joined, packed_lists

Entry = TypeVar("Entry", str, bytes)


class CommitGroup(msgspec.Struct, frozen=True, kw_only=True):
    """The requests of a group and their events, in the order they came.

    `row_starts` has one entry more than there are batches: batch `i` has the rows `[row_starts[i], row_starts[i + 1])`.
    The columns are as in `EventColumns`; their `first_position` means nothing until the events are admitted.
    """

    batches: Sequence[EventBatch]
    row_starts: npt.NDArray[np.int64]
    columns: EventColumns

    def batch_of_rows(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return for each row the place of its batch in `batches`."""
        return np.searchsorted(self.row_starts, rows, side="right") - 1


def commit_group(batches: Sequence[EventBatch]) -> CommitGroup:
    """Put the batches' events one after the other."""
    sizes = [len(batch) for batch in batches]
    row_starts = np.zeros(len(batches) + 1, np.int64)
    np.cumsum(sizes, out=row_starts[1:])
    columns = (
        _listed(batches, sizes) if NATIVE is None else columns_of_pack(joined([_packed(each) for each in batches]))
    )
    return CommitGroup(batches=batches, row_starts=row_starts, columns=columns)


def _packed(batch: EventBatch) -> bytes:
    columns = batch.columns
    if isinstance(columns, EventLists):
        columns = packed_lists(
            (columns.sources, columns.ids, columns.types, columns.customers, columns.values, columns.properties),
            times=columns.times,
            received_at=np.full(len(columns), batch.received_at, np.int64),
            times_given=columns.times_given,
        )
    return columns.buffer


def _listed(batches: Sequence[EventBatch], sizes: list[int]) -> EventColumns:
    columns = [batch.columns for batch in batches]
    return EventColumns(
        first_position=0,
        sources=_joined([each.sources for each in columns]),
        ids=_joined([each.ids for each in columns]),
        types=_joined([each.types for each in columns]),
        customers=_joined([each.customers for each in columns]),
        times=np.concatenate([each.times for each in columns]),
        times_given=np.concatenate([each.times_given for each in columns]),
        received_at=np.repeat(np.array([batch.received_at for batch in batches], np.int64), sizes),
        values=_joined([each.values for each in columns]),
        properties=_joined([each.properties for each in columns]),
    )


def selected(columns: EventColumns, mask: npt.NDArray[np.bool_]) -> EventColumns:
    """Return the rows for which the mask is true."""
    if mask.all():
        return columns
    if columns.packed is not None:
        rows = np.flatnonzero(mask) + columns.packed.start
        return columns_of_pack(columns.packed.pack.taken(rows), first_position=columns.first_position)
    keep = mask.tolist()
    return EventColumns(
        first_position=columns.first_position,
        sources=list(compress(columns.sources, keep)),
        ids=list(compress(columns.ids, keep)),
        types=list(compress(columns.types, keep)),
        customers=list(compress(columns.customers, keep)),
        times=columns.times[mask],
        times_given=columns.times_given[mask],
        received_at=columns.received_at[mask],
        values=list(compress(columns.values, keep)),
        properties=list(compress(columns.properties, keep)),
    )


def cut_into_blocks(columns: EventColumns, *, first_position: int) -> list[EventColumns]:
    """Return the columns in pieces that fit a block each, with the positions they will have."""
    placed = structs.replace(columns, first_position=first_position)
    return [
        placed.piece(start, min(start + EVENTS_PER_BLOCK_MAX, len(columns)))
        for start in range(0, len(columns), EVENTS_PER_BLOCK_MAX)
    ]


def _joined(columns: Sequence[Sequence[Entry]]) -> Sequence[Entry]:
    if len(columns) == 1:
        return columns[0]
    joined: list[Entry] = []
    for column in columns:
        # Copies pointers in one go; `chain.from_iterable` takes three times as long.
        joined += column
    return joined
