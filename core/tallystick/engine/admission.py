"""What becomes of each event of a commit group: accepted, a duplicate, or a conflict.

Promises: exact. The index only points at places in the log; what stands there is compared, identity and content, so that a collision
of hashes never merges two events, and a damaged block stops the decision rather than bending it.
Does not: write anything. The decision is a value; the writer commits it, and only then do the index and the tail learn of it, so that
an id whose write failed is free to be sent again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from tallystick.dedupe import Candidates
from tallystick.event import property_text
from tallystick.event_columns import EventColumns, decode_properties

from .commit_group import CommitGroup
from .echo import NO_ECHO, Echo

Int64s = npt.NDArray[np.int64]
Uint8s = npt.NDArray[np.uint8]

ACCEPTED: Final = 0
DUPLICATE: Final = 1
CONFLICT: Final = 2

# How a row of the group relates to a row of the log that its hash points at.
_SAME: Final = 0
_OTHER_CONTENT: Final = 1
_OTHER_IDENTITY: Final = 2
_TOO_OLD: Final = 3
# What the compiled library says of rows that agree in all but the bytes of their properties.
_OTHER_PROPERTIES: Final = 3

ColumnsAt = Callable[[int], EventColumns]


class Admission(msgspec.Struct, frozen=True, kw_only=True):
    """The decision on each row, and for each duplicate or conflict the position of the event that was first."""

    outcomes: Uint8s
    first_positions: Int64s

    @property
    def accepted(self) -> npt.NDArray[np.bool_]:
        """The rows that enter the log."""
        return self.outcomes == ACCEPTED


def admit(
    group: CommitGroup,
    *,
    hashes: npt.NDArray[np.uint64],
    candidates: Candidates,
    columns_at: ColumnsAt,
    next_position: int,
    seen_since: int | None,
    echo: Echo = NO_ECHO,
) -> Admission:
    """Decide on every row of the group.

    `echo` are rows that were found in the log already, `candidates` the places that the others have to be compared with.
    `columns_at` returns the events of the log around a position. `next_position` is what the first accepted row will get.
    `seen_since` is the start of the dedupe window (None: for ever): an event received before it no longer makes a duplicate.
    """
    count = len(group.columns)
    outcomes = np.zeros(count, np.uint8)
    first_positions = np.zeros(count, np.int64)
    outcomes[echo.rows] = DUPLICATE
    first_positions[echo.rows] = echo.positions
    if len(candidates.rows):
        _compare_with_log(group, candidates, columns_at, seen_since, outcomes, first_positions)
    repeated = _rows_with_repeated_hashes(hashes)
    if len(repeated):
        _compare_within_group(group, repeated, next_position, outcomes, first_positions)
    return Admission(outcomes=outcomes, first_positions=first_positions)


def _compare_with_log(
    group: CommitGroup,
    candidates: Candidates,
    columns_at: ColumnsAt,
    seen_since: int | None,
    outcomes: Uint8s,
    first_positions: Int64s,
) -> None:
    # By position, so that each block is fetched once; a row's newest twin is compared last and so has the last word.
    order = np.argsort(candidates.positions, kind="stable")
    rows, positions = candidates.rows[order], candidates.positions[order]
    start = 0
    while start < len(rows):
        stored = columns_at(int(positions[start]))
        end = int(np.searchsorted(positions, stored.end_position))
        block_rows, block_positions = rows[start:end], positions[start:end]
        relations = _relations(group.columns, block_rows, stored, block_positions - stored.first_position, seen_since)
        decided = relations <= _OTHER_CONTENT
        outcomes[block_rows[decided]] = np.where(relations[decided] == _SAME, DUPLICATE, CONFLICT)
        first_positions[block_rows[decided]] = block_positions[decided]
        start = end


def _relations(
    ours: EventColumns, our_rows: Int64s, stored: EventColumns, stored_rows: Int64s, seen_since: int | None
) -> Uint8s:
    """Return how each of our rows relates to the stored row beside it. Whole columns first: re-sent batches are all the same."""
    if ours.packed is not None and stored.packed is not None:
        relations = _compared(ours, our_rows, stored, stored_rows)
        if seen_since is not None:
            relations[stored.received_at[stored_rows] < seen_since] = _TOO_OLD
        return relations
    left, right = _taken(ours, our_rows), _taken(stored, stored_rows)
    if left[:-2] == right[:-2] and np.array_equal(left[-1], right[-1]) and _same_times(left, right).all():
        relations = np.full(len(our_rows), _SAME, np.uint8)
    else:
        relations = np.array(
            [
                _relation(ours, row, stored, twin)
                for row, twin in zip(our_rows.tolist(), stored_rows.tolist(), strict=True)
            ],
            np.uint8,
        )
    if seen_since is not None:
        relations[stored.received_at[stored_rows] < seen_since] = _TOO_OLD
    return relations


def _compared(ours: EventColumns, our_rows: Int64s, stored: EventColumns, stored_rows: Int64s) -> Uint8s:
    """Do as `_relations`, by the compiled library; where properties differ in their bytes, their texts are looked at."""
    assert ours.packed is not None  # noqa: S101 - asked for by the only caller
    assert stored.packed is not None  # noqa: S101
    relations = ours.packed.compared(our_rows, stored.packed, stored_rows)
    for place in np.flatnonzero(relations == _OTHER_PROPERTIES).tolist():
        left, right = ours.properties[int(our_rows[place])], stored.properties[int(stored_rows[place])]
        relations[place] = _SAME if _texts(left) == _texts(right) else _OTHER_CONTENT
    return relations


def _taken(columns: EventColumns, rows: Int64s) -> tuple[Any, ...]:  # Any: six tuples of text and two arrays
    start, end = int(rows[0]), int(rows[-1]) + 1
    texts: tuple[Sequence[str | bytes], ...] = (
        columns.ids,
        columns.sources,
        columns.customers,
        columns.types,
        columns.values,
        columns.properties,
    )
    if end - start == len(rows) and (len(rows) == 1 or bool((np.diff(rows) == 1).all())):
        taken = tuple(text[start:end] for text in texts)
    else:
        take = itemgetter(*rows.tolist())
        taken = tuple(list(take(text)) for text in texts)
    return (*taken, columns.times[rows], columns.times_given[rows])


def _same_times(left: tuple[Any, ...], right: tuple[Any, ...]) -> npt.NDArray[np.bool_]:  # Any: as `_taken`
    # A time that was not given is no content: the arrival was filled in.
    return (left[-2] == right[-2]) | ~left[-1]


def _relation(ours: EventColumns, row: int, stored: EventColumns, twin: int) -> int:
    if ours.ids[row] != stored.ids[twin] or ours.sources[row] != stored.sources[twin]:
        return _OTHER_IDENTITY
    return _SAME if has_same_content(ours, row, stored, twin) else _OTHER_CONTENT


def has_same_content(ours: EventColumns, row: int, stored: EventColumns, twin: int) -> bool:
    """Whether two events say the same: type, customer, time if one was given, value and properties, by their text."""
    if (
        ours.types[row] != stored.types[twin]
        or ours.customers[row] != stored.customers[twin]
        or ours.values[row] != stored.values[twin]
        or bool(ours.times_given[row]) != bool(stored.times_given[twin])
        or (bool(ours.times_given[row]) and int(ours.times[row]) != int(stored.times[twin]))
    ):
        return False
    left, right = ours.properties[row], stored.properties[twin]
    # Other bytes may still be the same values: `{"n":1}` and `{"n":"1"}`.
    return left == right or _texts(left) == _texts(right)


def _texts(properties: bytes) -> dict[str, str]:
    return {name: property_text(value) for name, value in decode_properties(properties).items()}


def _rows_with_repeated_hashes(hashes: npt.NDArray[np.uint64]) -> Int64s:
    ordered = np.sort(hashes)
    repeats = ordered[1:][ordered[1:] == ordered[:-1]]
    return np.flatnonzero(np.isin(hashes, repeats)) if len(repeats) else np.empty(0, np.int64)


def _compare_within_group(
    group: CommitGroup, rows: Int64s, next_position: int, outcomes: Uint8s, first_positions: Int64s
) -> None:
    """Let the first of several rows with one identity stand for it, where the log has none."""
    columns = group.columns
    first_rows: dict[tuple[str, str], int] = {}
    repeats: list[tuple[int, int]] = []
    our_rows: list[int] = rows.tolist()
    for row in our_rows:
        if outcomes[row] != ACCEPTED:
            continue
        first = first_rows.setdefault((columns.sources[row], columns.ids[row]), row)
        if first != row:
            outcomes[row] = DUPLICATE if has_same_content(columns, row, columns, first) else CONFLICT
            repeats.append((row, first))
    if repeats:
        position_of_row = next_position + np.cumsum(outcomes == ACCEPTED) - 1
        for row, first in repeats:
            first_positions[row] = position_of_row[first]
