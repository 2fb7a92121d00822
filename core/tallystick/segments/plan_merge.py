"""Decide which segment files to merge next; the decision is pure, `merge_segments` does it.

A question should open few files. Two things make it open many: small files (a checkpoint may hold few events) and
files whose times overlap (events that come late, or a backfill in no order of time). So, at each level from the
lowest, a merge is due when
  1. `FAN_IN` files of the level overlap at one instant: they are re-cut by time, so that fewer overlap; or
  2. `FAN_IN` files of the level are small: those nearest in time are made one.
What comes out has the level above. A row is rewritten once a level, and a level needs `FAN_IN` times as many
checkpoints as the one below: 100 million events in checkpoints of 262,144 reach level 2 or 3 in any order of
arrival. A stream in order of time is rewritten once. A full file within one hour is settled: hours are the finest
cut, so another merge could not make it better.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from tallystick.instant import NS_PER_HOUR

from .segment_entry import SegmentEntry
from .segment_layout import rows_max

FAN_IN: Final = 8
# Bounds the work and the memory of one merge: `merge_segments` holds all times of its rows, and one output file.
MERGE_FILES_MAX: Final = 16
MERGE_ROWS_MAX: Final = 8_000_000


class MergePlan(msgspec.Struct, frozen=True):
    """Files to be replaced by what is made of them, at `level`."""

    entries: tuple[SegmentEntry, ...]
    level: int


def plan_merge(entries: Iterable[SegmentEntry]) -> MergePlan | None:
    """Return the next merge that is due, or None when the files are as they should be."""
    levels: defaultdict[int, list[SegmentEntry]] = defaultdict(list)
    for entry in entries:
        levels[entry.level].append(entry)
    for level in sorted(levels):
        files = sorted(levels[level], key=lambda entry: (entry.first_time, entry.last_time, entry.file))
        chosen = _deepest(files) or _smallest(files)
        if chosen:
            return MergePlan(tuple(chosen), level + 1)
    return None


def is_full(entry: SegmentEntry) -> bool:
    """Whether a file has at least half of the rows that it may have."""
    return 2 * entry.rows >= rows_max(len(entry.properties))


def is_settled(entry: SegmentEntry) -> bool:
    """Whether no merge can improve a file: it is full, and lies within an hour."""
    return is_full(entry) and entry.first_time // NS_PER_HOUR == entry.last_time // NS_PER_HOUR


def _deepest(files: Sequence[SegmentEntry]) -> list[SegmentEntry]:
    """Return the unsettled files that contain the instant which most of them contain; none when those are fewer than `FAN_IN`."""
    open_files: list[tuple[int, int]] = []
    deepest: list[int] = []
    for index, entry in enumerate(files):
        if is_settled(entry):
            continue
        while open_files and open_files[0][0] < entry.first_time:
            heapq.heappop(open_files)
        heapq.heappush(open_files, (entry.last_time, index))
        if len(open_files) > len(deepest):
            deepest = [index for _, index in open_files]
    if len(deepest) < FAN_IN:
        return []
    # The widest first: they are what makes other instants deep as well.
    widest = sorted(
        (files[index] for index in deepest), key=lambda entry: (entry.first_time - entry.last_time, entry.file)
    )
    return _within_limits(widest)


def _smallest(files: Sequence[SegmentEntry]) -> list[SegmentEntry]:
    """Return the small files that are nearest to one another in time; none when there are fewer than `FAN_IN`."""
    small = [entry for entry in files if not is_full(entry)]
    if len(small) < FAN_IN:
        return []
    windows = [small[at : at + FAN_IN] for at in range(len(small) - FAN_IN + 1)]
    nearest = min(range(len(windows)), key=lambda at: (_span(windows[at]), at))
    return _within_limits(small[nearest : nearest + MERGE_FILES_MAX])


def _within_limits(files: Sequence[SegmentEntry]) -> list[SegmentEntry]:
    """Return the first files, at least `FAN_IN`, while they stay within the limits."""
    chosen = list(files[:FAN_IN])
    rows = sum(entry.rows for entry in chosen)
    for entry in files[FAN_IN:MERGE_FILES_MAX]:
        rows += entry.rows
        if rows > MERGE_ROWS_MAX:
            break
        chosen.append(entry)
    return chosen


def _span(files: Sequence[SegmentEntry]) -> int:
    return max(entry.last_time for entry in files) - files[0].first_time
