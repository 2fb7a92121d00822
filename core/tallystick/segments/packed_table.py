"""Events in packs as Polars columns, and taken apart: texts numbered and properties cut by the compiled library.

Promises: what the same events as lists give (`event_table`, `distinct_texts`, `property_texts`), without an object a row or the
interpreter's lock. Does not: exist without the library, nor for events that are not packed: `parts_of` answers None then.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from itertools import pairwise
from typing import Final, cast

import numpy as np
import numpy.typing as npt
import polars as pl

from tallystick.event_columns import EventColumns
from tallystick.native.library import NATIVE, NativeLibrary
from tallystick.packed_events import PROPERTIES as PROPERTIES_COLUMN
from tallystick.usage.event_frames import PROPERTY_PREFIX

from .arrow_column import ArrowColumns
from .distinct_texts import DistinctTexts
from .property_texts import PropertyTexts

Int64s = npt.NDArray[np.int64]
# So many take about 0.3 ms.
SHORT_ROWS_MAX: Final = 6_000


class EventParts:
    """Rows of packs, one behind the other, as the library is told them; keeps the packs where they are."""

    def __init__(self, library: NativeLibrary, events: Sequence[EventColumns]) -> None:
        packed = [columns.packed for columns in events if columns.packed is not None and len(columns)]
        parts = [(library.address_of(rows.pack.buffer), rows.start, rows.end) for rows in packed]
        self.library = library
        self.rows = sum(map(len, packed))
        self.count = len(parts)
        self._packs = [rows.pack for rows in packed]
        self._parts = np.array(parts, np.uint64).reshape(-1, 3)
        self.address = int(self._parts.ctypes.data)

    def texts(self, name: str, column: int) -> pl.Series:
        """Return a column of texts."""
        exported = ArrowColumns(1)
        _check(self.library.long.export_texts(self.address, self.count, column, exported.address))
        return _series(name, exported, 0)

    def values(self, name: str) -> pl.Series:
        """Return the values as decimals."""
        exported = ArrowColumns(1)
        _check(self.library.long.export_values(self.address, self.count, exported.address))
        return _series(name, exported, 0)

    def distinct(self, name: str, column: int) -> tuple[DistinctTexts, Int64s]:
        """Return the distinct texts of a column, and the row in which each comes first, ascending."""
        codes, first_rows = np.empty(self.rows, np.int64), np.empty(self.rows, np.int64)
        exported = ArrowColumns(1)
        # A question asks for a few thousand rows: having its turn taken away meanwhile would cost it more than the rows do.
        functions = self.library.long if self.rows > SHORT_ROWS_MAX else self.library.short
        count = functions.distinct_texts(
            self.address,
            self.count,
            column,
            self.library.seed,
            codes.ctypes.data,
            first_rows.ctypes.data,
            exported.address,
        )
        _check(count >= 0)
        return DistinctTexts(_series(name, exported, 0), codes), first_rows[:count]


def parts_of(events: Sequence[EventColumns]) -> EventParts | None:
    """Return the events for the library; None where it is not there, or where some of them are lists."""
    if NATIVE is None or any(columns.packed is None for columns in events):
        return None
    return EventParts(NATIVE, events)


class PackedProperties:
    """Does as `PropertyTexts` for the objects in some rows of packs; `open` answers None at any doubt."""

    def __init__(self, parts: EventParts, shelves: int, objects: pl.Series) -> None:
        self._parts, self._shelves, self._objects = parts, shelves, objects
        total = np.zeros(1, np.uint64)
        self._name_count = int(self._functions.shelf_names(shelves, total.ctypes.data))
        self._names_bytes = int(total[0])
        self._names: list[str] | None = None

    @classmethod
    def open(cls, parts: EventParts, rows: Int64s, objects: pl.Series) -> PackedProperties | None:
        """Take apart the objects in these rows, ascending; `objects` are the same, as a column."""
        library = parts.library
        shelves = library.long.open_shelves(parts.address, parts.count, rows.ctypes.data, len(rows), library.seed)
        return None if shelves is None else cls(parts, cast("int", shelves), objects)

    def __del__(self) -> None:
        self._functions.close_shelves(self._shelves)

    @property
    def _functions(self) -> ctypes.CDLL:
        return self._parts.library.long

    def name_counts(self, weights: Int64s) -> dict[str, int]:
        """See `PropertyTexts`."""
        names = np.empty(self._names_bytes, np.uint8)
        sizes, counts = np.empty(self._name_count, np.uint32), np.empty(self._name_count, np.int64)
        weights = np.ascontiguousarray(weights, np.int64)
        self._functions.describe_shelves(
            self._shelves, weights.ctypes.data, names.ctypes.data, sizes.ctypes.data, counts.ctypes.data
        )
        joined, ends = names.tobytes(), [0, *np.cumsum(sizes, dtype=np.int64).tolist()]
        self._names = [joined[start:end].decode() for start, end in pairwise(ends)]
        return dict(zip(self._names, counts.tolist(), strict=True))

    def columns(self, names: Sequence[str]) -> pl.DataFrame:
        """See `PropertyTexts`."""
        numbers = self._numbers()
        known = [name for name in names if name in numbers]
        wanted = np.array([numbers[name] for name in known], np.uint32)
        exported = ArrowColumns(len(known))
        done = self._functions.export_shelves(self._shelves, wanted.ctypes.data, len(known), exported.address)
        _check(done == len(known))
        found = {name: _series(PROPERTY_PREFIX + name, exported, place) for place, name in enumerate(known)}
        missing = pl.Series([None], dtype=pl.String).new_from_index(0, len(self._objects))
        return pl.DataFrame([found.get(name, missing.alias(PROPERTY_PREFIX + name)) for name in names])

    def rest(self, promoted: frozenset[str]) -> pl.Series:
        """See `PropertyTexts`, which makes it of those objects that have one."""
        is_wanted = np.zeros(self._name_count, np.bool_)
        is_wanted[[number for name, number in self._numbers().items() if name in promoted]] = True
        has_others = np.empty(len(self._objects), np.bool_)
        self._functions.unshelved(self._shelves, is_wanted.ctypes.data, has_others.ctypes.data)
        rows = np.flatnonzero(has_others)
        rest = pl.Series("rest", [None], dtype=pl.String).new_from_index(0, len(self._objects))
        if not len(rows):
            return rest
        return rest.scatter(rows, PropertyTexts(self._objects.gather(rows)).rest(promoted))

    def _numbers(self) -> dict[str, int]:
        if self._names is None:
            self.name_counts(np.zeros(len(self._objects), np.int64))
        return {name: number for number, name in enumerate(self._names or ())}


def taken_apart(parts: EventParts, name: str) -> tuple[DistinctTexts, PackedProperties | PropertyTexts]:
    """Return the distinct objects of properties, and their texts."""
    objects, first_rows = parts.distinct(name, PROPERTIES_COLUMN)
    return objects, PackedProperties.open(parts, first_rows, objects.texts) or PropertyTexts(objects.texts)


def _series(name: str, exported: ArrowColumns, place: int) -> pl.Series:
    # The name given to the constructor is not that of what comes this way.
    return pl.Series(exported[place]).alias(name)


def _check(is_done: object) -> None:
    if not is_done:
        raise MemoryError("the compiled library found no memory for a column of events")
