"""Turn the events of a checkpoint into a segment file (a few, when they are very many or very wide)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from tallystick.event_columns import EventColumns

from .event_table import event_table
from .packed_table import EventParts, parts_of
from .segment_entry import SegmentEntry
from .segment_layout import FILE_ROWS_MAX, lay_out, property_names, rows_max
from .store_segment import store_segment

_PORTION_ROWS_MAX = FILE_ROWS_MAX // 2


def write_segments(directory: Path, events: Sequence[EventColumns], *, next_number: int) -> list[SegmentEntry]:
    """Write the events and return the entries once all is on disk; files are numbered from `next_number` on.

    Costs about 1 µs an event on one core, most of it outside the interpreter. Raises `OSError` when the disk does;
    the files written until then are named by nobody, and the same numbers can be used again.
    """
    entries: list[SegmentEntry] = []
    for portion in _portions(events):
        for frame in _frames(event_table(portion), parts_of(portion)):
            entries.append(store_segment(directory, frame, number=next_number + len(entries), level=0))
    return entries


def _portions(events: Sequence[EventColumns]) -> Iterator[list[EventColumns]]:
    """Cut the events where a file would have too many rows; a portion goes on past that by one `EventColumns` at most."""
    portion: list[EventColumns] = []
    rows = 0
    for columns in events:
        if portion and rows + len(columns) > _PORTION_ROWS_MAX:
            yield portion
            portion, rows = [], 0
        if len(columns):
            portion.append(columns)
            rows += len(columns)
    if portion:
        yield portion


def _frames(table: pl.DataFrame, packed: EventParts | None = None) -> Iterator[pl.DataFrame]:
    """Lay the table out; in halves by position where the frame would be too wide for its rows."""
    frame = lay_out(table, packed)
    if frame.height <= rows_max(len(property_names(frame))) or frame.height == 1:
        yield frame
        return
    del frame
    half = table.height // 2
    yield from _frames(table[:half])
    yield from _frames(table[half:])
