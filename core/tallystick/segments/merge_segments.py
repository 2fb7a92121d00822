"""Make fewer, better cut segment files out of many; the rows stay the same.

Memory: the times and positions of all rows (16 bytes each, at most `MERGE_ROWS_MAX` by plan), and the rows of one
output file. For that each input is read once for every output whose time range it overlaps; inputs that follow one
another in time are read once or twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl

from tallystick.failpoints import hit
from tallystick.usage.event_frames import POSITION, TIME

from .plan_merge import MergePlan
from .property_shelves import Shelves
from .segment_entry import SegmentEntry
from .segment_file import SegmentFile
from .segment_layout import FILE_ROWS_MAX, key_order, rows_max
from .selection import Selection
from .store_segment import store_segment
from .time_cuts import TimeCut, cut_by_hours


def merge_segments(
    directory: Path, plan: MergePlan, *, next_number: int, file_rows_max: int = FILE_ROWS_MAX
) -> list[SegmentEntry]:
    """Write the rows of the plan's files anew, and return the new entries once all is on disk. The old files are left alone.

    The caller puts a manifest with the new entries in place of the old on disk, then has the old files deleted
    (`SegmentSet.retire`). Raises `DamagedSegment` when an input is not what was written: what is damaged is never
    copied under a new checksum.
    """
    files = [SegmentFile(directory, entry) for entry in plan.entries]
    shelves = Shelves.choose(files)
    cuts = _cuts(files, rows_max=min(file_rows_max, rows_max(len(shelves.names))))
    edges: list[TimeCut | None] = [None, *cuts, None]
    merged: list[SegmentEntry] = []
    for start, end in pairwise(edges):
        frame = _sorted_rows(files, shelves, start, end)
        if not frame.height:
            continue
        hit("segments.merge_file")
        number = next_number + len(merged)
        merged.append(store_segment(directory, frame, number=number, level=plan.level))
    return merged


def _cuts(files: Sequence[SegmentFile], *, rows_max: int) -> list[TimeCut]:
    parts = [file.times_and_positions(Selection()).collect(engine="streaming") for file in files]
    times = np.concatenate([part[TIME].to_numpy() for part in parts])
    positions = np.concatenate([part[POSITION].to_numpy() for part in parts])
    del parts
    return cut_by_hours(times, positions, rows_max=rows_max)


def _sorted_rows(
    files: Sequence[SegmentFile], shelves: Shelves, start: TimeCut | None, end: TimeCut | None
) -> pl.DataFrame:
    parts = [
        shelves.arrange(file, frame.collect(engine="streaming"))
        for file in files
        if (start is None or file.entry.last_time >= start.time) and (end is None or file.entry.first_time <= end.time)
        for frame in [_between(file.rows(), start, end)]
    ]
    filled = [part for part in parts if part.height]
    if not filled:
        return pl.DataFrame()
    # Not one chunk first: the rows would be in memory a third time.
    frame = pl.concat(filled, rechunk=False)
    return frame[key_order(frame)]


def _between(rows: pl.LazyFrame, start: TimeCut | None, end: TimeCut | None) -> pl.LazyFrame:
    if start is not None:
        rows = rows.filter(_is_at_or_after(start))
    if end is not None:
        rows = rows.filter(~_is_at_or_after(end))
    return rows


def _is_at_or_after(cut: TimeCut) -> pl.Expr:
    if not cut.position:
        return pl.col(TIME) >= cut.time
    return (pl.col(TIME) > cut.time) | ((pl.col(TIME) == cut.time) & (pl.col(POSITION) >= cut.position))
