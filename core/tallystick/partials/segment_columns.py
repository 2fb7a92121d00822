"""Columns of segment files in memory, as they lie there: what folding a segment reads, decoded once as long as there is room.

Promises: what is answered is the content of a verified file; a bounded number of bytes is kept, those used longest ago go first.
Nothing is folded or filtered: these are events, so they serve every meter, filter and grouping alike.
Does not: hold texts of events. Customers are runs of rows, since a file is sorted by type and customer; properties are codes of one byte,
where the file has them so (`segment_layout`). Decoding a million times and values takes some 4 ms, finding the customers 15.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from tallystick.cancellation import collected
from tallystick.segments.event_table import TYPE
from tallystick.segments.segment_file import SegmentFile
from tallystick.usage.event_frames import CUSTOMER, POSITION

from .group_codes import GroupCodes
from .states_cache import StatesCache

Int64s = npt.NDArray[np.int64]
Numbers = npt.NDArray[Any]

# What stands in a column of codes where an event has no such property; texts have codes below it.
NO_TEXT: Final = 255
# A run takes its place and its number, or its text.
_BYTES_A_RUN: Final = 24
_BYTES_A_NAMED_RUN: Final = 80


class Runs:
    """The rows of one type in one file, each run of one customer: run `i` is `[starts[i], ends[i])`, customers ascending.

    Customers are numbers of `groups`, or texts where those are too many.
    """

    def __init__(self, starts: Int64s, ends: Int64s, customers: pl.Series, groups: GroupCodes) -> None:
        self.starts, self.ends, self._groups = starts, ends, groups
        self.codes = groups.of([customers], height=len(customers))
        self._customers = customers if self.codes is None else None

    @property
    def size_bytes(self) -> int:
        """Return how much memory it takes."""
        return len(self.starts) * (_BYTES_A_RUN if self._customers is None else _BYTES_A_NAMED_RUN)

    def customers(self, runs: Int64s) -> pl.Series:
        """Return the customers of some runs."""
        if self.codes is None:
            return _texts(self._customers).gather(runs)
        return self._groups.columns(self.codes[runs])[0]

    def of_customers(self, customers: Sequence[str]) -> Int64s:
        """Return which runs are of these customers, ascending."""
        if self.codes is None:
            wanted = pl.Series(customers, dtype=pl.String)
            return _texts(self._customers).is_in(wanted.implode()).arg_true().to_numpy().astype(np.int64)
        found = [self._groups.find(customer) for customer in customers]
        if len(found) == 1:
            return np.flatnonzero(self.codes == (-1 if found[0] is None else found[0]))
        return np.flatnonzero(np.isin(self.codes, [code for code in found if code is not None]))


def _texts(customers: pl.Series | None) -> pl.Series:
    return pl.Series([], dtype=pl.String) if customers is None else customers


class SegmentColumns:
    """The columns of one engine's files. Safe from any thread."""

    def __init__(self, *, bytes_max: int) -> None:
        # No states, and asked for by nearly every question: kept for as long as the engine is open.
        self.customers = GroupCodes((CUSTOMER,))
        self._numbers: StatesCache[Numbers] = StatesCache(bytes_max=bytes_max)
        self._runs: StatesCache[Runs] = StatesCache(bytes_max=bytes_max // 4)

    @property
    def size_bytes(self) -> int:
        """Return how much is kept."""
        return self._numbers.size_bytes + self._runs.size_bytes

    def numbers(self, file: SegmentFile, names: Sequence[str]) -> list[Numbers]:
        """Return columns of whole numbers: times, values or positions as the file keeps them, codes with `NO_TEXT` for null."""
        found = {name: self._numbers.get(_key(file, name)) for name in names}
        missing = [name for name, numbers in found.items() if numbers is None]
        if missing:
            frame = collected(file.scan().select(missing)).rechunk()
            for name in missing:
                numbers = _as_numbers(frame[name])
                found[name] = numbers
                if name != POSITION:
                    self._numbers.put(_key(file, name), numbers, size_bytes=numbers.nbytes)
        return [numbers for name in names if (numbers := found[name]) is not None]

    def runs(self, file: SegmentFile, event_type: str) -> Runs:
        """Return the customers of the type's events, and where their rows are."""
        key = _key(file, event_type)
        found = self._runs.get(key)
        if found is None:
            found = _runs_in(file, event_type, self.customers)
            self._runs.put(key, found, size_bytes=found.size_bytes)
        return found

    def has(self, file: SegmentFile, event_type: str, names: Sequence[str]) -> bool:
        """Return whether all of it is here, so that nothing of the file has to be read."""
        return self._runs.get(_key(file, event_type)) is not None and all(
            self._numbers.get(_key(file, name)) is not None for name in names
        )

    def clear(self) -> None:
        """Forget everything."""
        self._numbers.clear()
        self._runs.clear()


def _key(file: SegmentFile, name: str) -> bytes:
    return file.entry.checksum + name.encode()


def _as_numbers(column: pl.Series) -> Numbers:
    if column.dtype == pl.UInt8:
        column = column.fill_null(NO_TEXT)
    return np.ascontiguousarray(column.to_numpy())


def _runs_in(file: SegmentFile, event_type: str, groups: GroupCodes) -> Runs:
    first = 0
    rows = file.scan()
    if file.entry.types != (event_type,):
        # Rows are sorted by type first, so those of one type are neighbours.
        types = collected(rows.select(TYPE).with_row_index("row").filter(pl.col(TYPE) == event_type).select("row"))
        first = int(types["row"][0]) if types.height else 0
        rows = rows.slice(first, types.height)
    customers = collected(rows.select(CUSTOMER))[CUSTOMER].rechunk()
    changes = (customers != customers.shift(1)).arg_true().to_numpy().astype(np.int64)
    starts = np.concatenate([np.zeros(min(len(customers), 1), np.int64), changes])
    ends = np.append(starts[1:], len(customers))[: len(starts)]
    # A copy, so that it does not keep the whole column.
    texts = pl.Series(customers.gather(starts).to_list(), dtype=pl.String)
    return Runs(starts + first, ends + first, texts, groups)
