"""The events of several requests, as one set of columns that is decided on and committed together."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress
from typing import TypeVar

import msgspec
import numpy as np
import numpy.typing as npt

from tallystick.event_batch import EventBatch
from tallystick.event_columns import EventColumns
from tallystick.log.block import EVENTS_PER_BLOCK_MAX

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
    columns = EventColumns(
        first_position=0,
        sources=_joined([batch.sources for batch in batches]),
        ids=_joined([batch.ids for batch in batches]),
        types=_joined([batch.types for batch in batches]),
        customers=_joined([batch.customers for batch in batches]),
        times=np.concatenate([batch.times for batch in batches]),
        times_given=np.concatenate([batch.times_given for batch in batches]),
        received_at=np.repeat(np.array([batch.received_at for batch in batches], np.int64), sizes),
        values=_joined([batch.values for batch in batches]),
        properties=_joined([batch.properties for batch in batches]),
    )
    return CommitGroup(batches=batches, row_starts=row_starts, columns=columns)


def selected(columns: EventColumns, mask: npt.NDArray[np.bool_]) -> EventColumns:
    """Return the rows for which the mask is true."""
    if mask.all():
        return columns
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
    return [
        _slice(columns, start, min(start + EVENTS_PER_BLOCK_MAX, len(columns)), first_position)
        for start in range(0, len(columns), EVENTS_PER_BLOCK_MAX)
    ]


def _slice(columns: EventColumns, start: int, end: int, first_position: int) -> EventColumns:
    return EventColumns(
        first_position=first_position + start,
        sources=columns.sources[start:end],
        ids=columns.ids[start:end],
        types=columns.types[start:end],
        customers=columns.customers[start:end],
        times=columns.times[start:end],
        times_given=columns.times_given[start:end],
        received_at=columns.received_at[start:end],
        values=columns.values[start:end],
        properties=columns.properties[start:end],
    )


def _joined(columns: Sequence[Sequence[Entry]]) -> Sequence[Entry]:
    if len(columns) == 1:
        return columns[0]
    joined: list[Entry] = []
    for column in columns:
        # Copies pointers in one go; `chain.from_iterable` takes three times as long.
        joined += column
    return joined
