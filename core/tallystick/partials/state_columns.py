"""States as columns of 64-bit integers: what most questions are answered from, in microseconds where frames take milliseconds.

Promises: exact. A state's number is a whole number of units of 10^-`scale`, and `bound` is no less than what all numbers of the columns
add up to whatever their signs, so that it says beforehand whether adding anything up may leave 64 bits; where it may, the answer is None
and the caller goes on with frames, whose two parts of 128 bits hold every sum. Rows are sorted by group, then by bucket, each
combination once.
Does not: know aggregations other than those that count and add up.
"""

from __future__ import annotations

import ctypes
from bisect import insort
from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl

from tallystick.amount import SCALE
from tallystick.native.library import NATIVE, NativeLibrary
from tallystick.usage.aggregators import EVENTS
from tallystick.usage.figure import HIGH, LIMB, LOW

Int64s = npt.NDArray[np.int64]

INT64_MAX: Final = 2**63 - 1
_HALF_BITS: Final = 32
_HALF_MASK: Final = (1 << _HALF_BITS) - 1
_UNITS: Final = "units"
# Scales that values of a segment come in (`segment_layout`), and the one that holds every value.
_SCALES: Final = (0, 2, 3, 6, 9, SCALE)
# A table of every group and bucket is quicker than sorting as long as most of it is used.
_CELLS_PER_ROW_MAX: Final = 8
_CELLS_MIN: Final = 4_096
# So many are merged in less time than getting back one's turn may take.
_SHORT_ROWS_MAX: Final = 20_000
_MERGED_IN_PAIRS_MAX: Final = 3


class StateColumns(msgspec.Struct, frozen=True, eq=False):
    """States by group (`GroupCodes`) and bucket: row `i` is of the bucket that begins at the instant `buckets[places[i]]`.

    `buckets` are sorted, each once. `units` is None where events alone are counted.
    """

    groups: Int64s
    places: Int64s
    buckets: Int64s
    events: Int64s
    units: Int64s | None
    scale: int
    bound: int

    def __len__(self) -> int:
        return len(self.groups)

    @property
    def size_bytes(self) -> int:
        """Return how much memory the columns take."""
        return len(self) * (32 if self.units is not None else 24)

    def taken(self, rows: Int64s | slice | npt.NDArray[np.bool_]) -> StateColumns:
        """Return some of the rows, in their order."""
        units = None if self.units is None else self.units[rows]
        return msgspec.structs.replace(
            self, groups=self.groups[rows], places=self.places[rows], events=self.events[rows], units=units
        )

    def of_groups(self, groups: Sequence[int]) -> StateColumns:
        """Return the rows of some groups, found by halving."""
        wanted = np.array(sorted(groups), np.int64)
        starts: list[int] = np.searchsorted(self.groups, wanted, side="left").tolist()
        ends: list[int] = np.searchsorted(self.groups, wanted, side="right").tolist()
        if len(starts) == 1:
            return self.taken(slice(starts[0], ends[0]))
        ranges: list[Int64s] = [np.arange(start, end) for start, end in zip(starts, ends, strict=True)]
        return self.taken(np.concatenate([np.empty(0, np.int64), *ranges]))

    def within(self, start: int, end: int) -> StateColumns:
        """Return the rows of the buckets that begin in `[start, end)`."""
        first, last = np.searchsorted(self.buckets, (start, end)).tolist()
        if first == 0 and last == len(self.buckets):
            return self
        return self.taken((self.places >= first) & (self.places < last))

    def in_windows(self, edges: Int64s) -> StateColumns:
        """Return the states by group and window, whose number stands in `buckets` then; every bucket lies whole in a window."""
        windows = np.searchsorted(edges, self.buckets, side="right") - 1
        numbers = np.arange(max(len(edges) - 1, 1))
        by_window = msgspec.structs.replace(self, places=windows[self.places], buckets=numbers)
        if np.all(windows[1:] != windows[:-1]):
            return by_window
        return by_window.added_up(by_window.run_starts(by_window.places))

    def moved(self, windows: int, count: int) -> StateColumns:
        """Return states whose buckets are numbers of windows as those of `count` windows, some of which come before."""
        return msgspec.structs.replace(self, places=self.places + windows, buckets=np.arange(count))

    def regrouped(self, groups: Int64s) -> StateColumns:
        """Return the states with other groups, one for each row, which may be equal in several."""
        key = groups * max(len(self.buckets), 1) + self.places
        moved = msgspec.structs.replace(self, groups=groups)
        if not np.all(key[1:] > key[:-1]):
            moved = moved.taken(np.argsort(key, kind="stable"))
        return moved.added_up(moved.run_starts(moved.places))

    def run_starts(self, *further: Int64s) -> Int64s:
        """Return where runs of rows with one group, and one of each further column, begin."""
        if not len(self):
            return np.empty(0, np.int64)
        is_start = np.empty(len(self), np.bool_)
        is_start[0] = True
        np.not_equal(self.groups[1:], self.groups[:-1], out=is_start[1:])
        for column in further:
            is_start[1:] |= column[1:] != column[:-1]
        return np.flatnonzero(is_start)

    def added_up(self, starts: Int64s) -> StateColumns:
        """Return one row for each run of rows; nothing leaves 64 bits, by `bound`."""
        if len(starts) == len(self):
            return self
        return msgspec.structs.replace(
            self,
            groups=self.groups[starts],
            places=self.places[starts],
            events=np.add.reduceat(self.events, starts),
            units=None if self.units is None else np.add.reduceat(self.units, starts),
        )


def state_columns(
    groups: Int64s, places: Int64s, buckets: Int64s, *, events: Int64s, units: Int64s | None, scale: int
) -> StateColumns:
    """Return rows that come in any order as columns; each combination of group and place is there once."""
    bound = 0 if units is None else _sum_of_sizes(units)
    columns = StateColumns(groups, places, buckets, events, units, scale, bound)
    key = groups * max(len(buckets), 1) + places
    if np.all(key[1:] > key[:-1]):
        return columns
    return columns.taken(np.argsort(key, kind="stable"))


def put_together(parts: Sequence[StateColumns]) -> StateColumns | None:
    """Return the states of all parts, of which there is one at least; None where a sum might leave 64 bits."""
    parts = [part for part in parts if len(part)] or parts[:1]
    if len(parts) == 1:
        return parts[0]
    scale = max(part.scale for part in parts)
    factors = [10 ** (scale - part.scale) for part in parts]
    bound = sum(part.bound * factor for part, factor in zip(parts, factors, strict=True))
    if bound > INT64_MAX:
        return None
    if NATIVE is not None:
        return merge_states(NATIVE, parts, scale, bound)
    return _added_up(parts, scale, bound)


def _added_up(parts: Sequence[StateColumns], scale: int, bound: int) -> StateColumns:
    """Put the parts together without the compiled library."""
    factors = [10 ** (scale - part.scale) for part in parts]
    buckets = np.unique(np.concatenate([part.buckets for part in parts]))
    keys = [part.groups * len(buckets) + np.searchsorted(buckets, part.buckets)[part.places] for part in parts]
    numbers = [
        None if part.units is None else part.units if factor == 1 else part.units * factor
        for part, factor in zip(parts, factors, strict=True)
    ]
    rows = sum(map(len, parts))
    cells = (1 + max(int(part.groups[-1]) for part in parts)) * len(buckets)
    add_up = _in_table if cells <= max(_CELLS_MIN, _CELLS_PER_ROW_MAX * rows) else _by_sorting
    key, events, units = add_up(keys, [part.events for part in parts], numbers, cells)
    groups = key // len(buckets)
    return StateColumns(groups, key - groups * len(buckets), buckets, events, units, scale, bound)


_Added = tuple[Int64s, Int64s, Int64s | None]


def _in_table(keys: Sequence[Int64s], events: Sequence[Int64s], units: Sequence[Int64s | None], cells: int) -> _Added:
    """Add up in a table of all keys. Within a part each key is there once, so that whole columns are added at a time."""
    counts = np.zeros(cells, np.int64)
    for key, count in zip(keys, events, strict=True):
        counts[key] += count
    found = np.flatnonzero(counts)
    if units[0] is None:
        return found, counts[found], None
    sums = np.zeros(cells, np.int64)
    for key, number in zip(keys, units, strict=True):
        if number is not None:
            sums[key] += number
    return found, counts[found], sums[found]


def _by_sorting(keys: Sequence[Int64s], events: Sequence[Int64s], units: Sequence[Int64s | None], cells: int) -> _Added:
    del cells
    key = np.concatenate(keys)
    order = np.argsort(key, kind="stable")
    key = key[order]
    starts = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]]))
    counts = np.add.reduceat(np.concatenate(events)[order], starts)
    numbers = [number for number in units if number is not None]
    return key[starts], counts, np.add.reduceat(np.concatenate(numbers)[order], starts) if numbers else None


class _Part(ctypes.Structure):
    """`states_part` of `native/merge_states.c`."""

    _fields_ = (
        *((name, ctypes.c_void_p) for name in ("groups", "places", "events", "units")),
        ("count", ctypes.c_uint64),
        ("new_places", ctypes.c_void_p),
        ("factor", ctypes.c_int64),
    )


class _Made(ctypes.Structure):
    """`states_made` of the same."""

    _fields_ = tuple((name, ctypes.c_void_p) for name in ("groups", "places", "events", "units"))


def merge_states(library: NativeLibrary, parts: Sequence[StateColumns], scale: int, bound: int) -> StateColumns:
    """Put the parts together by the compiled library; `bound` says that nothing can leave 64 bits."""
    if len(parts) > _MERGED_IN_PAIRS_MAX:
        buckets = np.unique(np.concatenate([part.buckets for part in parts]))
        groups = 1 + max(int(part.groups[-1]) for part in parts)
        if groups * len(buckets) <= _CELLS_PER_ROW_MAX * sum(map(len, parts)):
            return msgspec.structs.replace(_in_native_table(library, parts, buckets, groups, scale), bound=bound)
    waiting = sorted(parts, key=len, reverse=True)
    while len(waiting) > 1:
        # The smallest first, so that few rows are copied often.
        merged = _merged_pair(library, waiting.pop(), waiting.pop())
        insort(waiting, merged, key=lambda part: -len(part))
    return msgspec.structs.replace(waiting[0], bound=bound)


def _in_native_table(
    library: NativeLibrary, parts: Sequence[StateColumns], buckets: Int64s, groups: int, scale: int
) -> StateColumns:
    """Add up many parts in a table of every group and bucket, which takes a look at each row instead of some for each pair."""
    cells = groups * len(buckets)
    counts = np.zeros(cells, np.int64)
    sums = None if parts[0].units is None else np.zeros(cells, np.int64)
    for part in parts:
        # What is passed on by its address is kept in variables until the call is over.
        whole = _contiguous(part, buckets)
        told = _told(whole, scale)
        library.long.add_states(ctypes.addressof(told), len(buckets), _address(counts), _address(sums))
    made = _room(int(np.count_nonzero(counts)), has_units=sums is not None)
    columns = _Made(*(_address(column) for column in made))
    library.long.collect_states(_address(counts), _address(sums), groups, len(buckets), ctypes.addressof(columns))
    found, places, events, units = made
    return StateColumns(found, places, buckets, events, units, scale, 0)


def _room(rows: int, *, has_units: bool) -> tuple[Int64s, Int64s, Int64s, Int64s | None]:
    """Return columns to be filled: groups, places, events and units."""
    groups, places, events = (np.empty(rows, np.int64) for _ in range(3))
    return groups, places, events, np.empty(rows, np.int64) if has_units else None


def _merged_pair(library: NativeLibrary, left: StateColumns, right: StateColumns) -> StateColumns:
    rows, scale = len(left) + len(right), max(left.scale, right.scale)
    is_same = left.buckets is right.buckets or np.array_equal(left.buckets, right.buckets)
    buckets = left.buckets if is_same else np.union1d(left.buckets, right.buckets)
    groups, places, events, units = _room(rows, has_units=left.units is not None)
    # What is passed on by its address is kept in variables until the call is over.
    inputs = [_contiguous(part, buckets) for part in (left, right)]
    told = [_told(part, scale) for part in inputs]
    made = _Made(*(_address(column) for column in (groups, places, events, units)))
    functions = library.long if rows > _SHORT_ROWS_MAX else library.short
    count = functions.merge_states(ctypes.addressof(told[0]), ctypes.addressof(told[1]), ctypes.addressof(made))
    return StateColumns(
        groups[:count],
        places[:count],
        buckets,
        events[:count],
        None if units is None else units[:count],
        scale,
        0,
    )


def _contiguous(part: StateColumns, buckets: Int64s) -> StateColumns:
    """Return the part with whole columns, and in place of its buckets where they are among those."""
    return msgspec.structs.replace(
        part,
        groups=np.ascontiguousarray(part.groups),
        places=np.ascontiguousarray(part.places),
        buckets=np.searchsorted(buckets, part.buckets),
        events=np.ascontiguousarray(part.events),
        units=None if part.units is None else np.ascontiguousarray(part.units),
    )


def _told(part: StateColumns, scale: int) -> _Part:
    columns = (part.groups, part.places, part.events, part.units)
    return _Part(
        *(_address(column) for column in columns), len(part), _address(part.buckets), 10 ** (scale - part.scale)
    )


def _address(column: Int64s | None) -> int | None:
    return None if column is None else column.ctypes.data


def units_of_parts(states: pl.DataFrame) -> tuple[Int64s, int] | None:
    """Return the numbers in `HIGH` and `LOW` as whole numbers of the smallest scale that keeps them; None where none does."""
    if not states.height:
        return np.empty(0, np.int64), 0
    carried = states.select((pl.col(HIGH) + pl.col(LOW) // LIMB).alias(HIGH), (pl.col(LOW) % LIMB).alias(LOW))
    if int(carried.select(pl.col(HIGH).abs().max()).item()) >= LIMB:
        return None
    units = carried.select((pl.col(HIGH) * LIMB + pl.col(LOW)).alias(_UNITS))
    scale = next(scale for scale in _SCALES if _is_kept_by(units, scale))
    found = units.select(pl.col(_UNITS) // 10 ** (SCALE - scale))
    if int(found.select(pl.col(_UNITS).abs().max()).item()) > INT64_MAX:
        return None
    return found[_UNITS].cast(pl.Int64).to_numpy(), scale


def _is_kept_by(units: pl.DataFrame, scale: int) -> bool:
    factor = 10 ** (SCALE - scale)
    return factor == 1 or bool(units.select((pl.col(_UNITS) % factor == 0).all()).item())


def _sum_of_sizes(units: Int64s) -> int:
    """Return the sum of the numbers without their signs; in two halves, since it may leave 64 bits."""
    if not len(units):
        return 0
    largest = max(-int(units.min()), int(units.max()))
    if largest * len(units) <= INT64_MAX:
        return int(np.abs(units).sum())
    sizes = np.abs(units).view(np.uint64)  # the smallest Int64 is its own size that way
    return (int((sizes >> _HALF_BITS).sum()) << _HALF_BITS) + int((sizes & _HALF_MASK).sum())


def frame_events(states: pl.DataFrame) -> Int64s:
    """Return how many events are in each state."""
    return states[EVENTS].cast(pl.Int64).to_numpy()
