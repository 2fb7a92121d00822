"""Events that come again in the order in which the log has them: a batch that was not acknowledged, a file that is sent twice.

Promises: a row that is answered is the event at that position, identity and content, byte by byte; such a row is a duplicate, whatever else
the log holds. Does not: answer for every row that came before; the index does, one by one (`admission`).
One look into the index finds where a stretch begins; the rows after it are compared with the positions after that. So a million
events sent again in their order cost a thousand looks instead of a million, each of which reads and proves a page.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from tallystick.dedupe import DedupeIndex, Suspects
from tallystick.event_columns import EventColumns

Int64s = npt.NDArray[np.int64]

# New events get past a filter one in a hundred times, so that many in a row are no chance.
_STRETCH_MIN: Final = 8
# After so many looks in vain, events come again in no order, and looking them up all at once is quicker.
_MISSES_MAX: Final = 16


class Echo(NamedTuple):
    """Rows of a group, ascending, and where each stands in the log."""

    rows: Int64s
    positions: Int64s


NO_ECHO: Final = Echo(np.empty(0, np.int64), np.empty(0, np.int64))


def find_echo(
    columns: EventColumns, suspects: Suspects, *, index: DedupeIndex, columns_at: Callable[[int], EventColumns]
) -> Echo:
    """Return the stretches of rows that stand in the log as they come. `columns_at` returns the events of the log around a position."""
    if columns.packed is None:
        return NO_ECHO
    walk = _Walk(columns, suspects, index, columns_at)
    for start, end in _stretches(suspects.anywhere):
        walk.follow(start, end)
    return walk.echo()


def _stretches(suspected: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return where many rows in a row are suspected."""
    if np.count_nonzero(suspected) < _STRETCH_MIN:
        return []
    edges = np.flatnonzero(np.diff(suspected, prepend=False, append=False)).reshape(-1, 2)
    stretches: list[tuple[int, int]] = edges[edges[:, 1] - edges[:, 0] >= _STRETCH_MIN].tolist()
    return stretches


class _Walk:
    def __init__(
        self,
        columns: EventColumns,
        suspects: Suspects,
        index: DedupeIndex,
        columns_at: Callable[[int], EventColumns],
    ) -> None:
        self._columns, self._suspects = columns, suspects
        self._index, self._columns_at = index, columns_at
        self._found: list[tuple[int, int, int]] = []
        self._misses = 0

    def follow(self, start: int, end: int) -> None:
        """Go through the rows `[start, end)` as long as looking pays."""
        row = start
        while end - row >= _STRETCH_MIN and self._misses < _MISSES_MAX:
            positions = self._index.positions_of_suspect(self._suspects, row)
            count = self._same_from(row, end, positions[-1]) if positions else 0
            if count < _STRETCH_MIN:
                self._misses += 1
            row += max(count, 1)

    def _same_from(self, row: int, end: int, position: int) -> int:
        """Return how many rows from `row` on are the events from `position` on, within its block, and note them."""
        stored = self._columns_at(position)
        ours, theirs = self._columns.packed, stored.packed
        if ours is None or theirs is None:
            return 0
        count = ours.same_from(row, end, theirs, position - stored.first_position)
        if count:
            self._found.append((row, position, count))
        return count

    def echo(self) -> Echo:
        """Return what was found."""
        if not self._found:
            return NO_ECHO
        return Echo(
            np.concatenate([np.arange(row, row + count) for row, _, count in self._found]),
            np.concatenate([np.arange(position, position + count) for _, position, count in self._found]),
        )
