"""Numbers in place of groups: what a state belongs to, as one integer instead of a text or several.

Promises: a number once given stands for the same group for ever, so states made at different times can be put together without looking
at a text; groups sort as an answer lists them, by their texts in the order of the names, null last.
Does not: hold more than `GROUPS_MAX` groups: states of more are kept and merged by their texts (`merged_states`). Numbers are not sorted,
and are never written to disk.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any, Final, cast

import numpy as np
import numpy.typing as npt
import polars as pl

Int64s = npt.NDArray[np.int64]
Group = tuple[str | None, ...]

# 262,144 groups of a customer's key take 40 MB.
GROUPS_MAX: Final = 262_144
# Sorting what an answer has beats sorting everything that is known where the answer has a small part of it.
_SORTED_SHARE: Final = 4


class GroupCodes:
    """The groups of one tuple of names. Safe from any thread."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self._lock = threading.Lock()
        # One name is by far the most common: its texts are the keys then, and not tuples of them.
        self._is_single = len(self.names) == 1
        self._codes: dict[str | Group | None, int] = {} if self.names else {(): 0}
        self._columns: list[pl.Series] = []
        self._ranks: Int64s | None = None

    def __len__(self) -> int:
        return len(self._codes)

    def find(self, text: str) -> int | None:
        """Return the number of a group of one name; None where it is not known, so that no state is of it."""
        return self._codes.get(text)

    def of(self, columns: Sequence[pl.Series], *, height: int) -> Int64s | None:
        """Return the number of the group in each row, new ones for new groups; None where there are too many."""
        if not self.names:
            return np.zeros(height, np.int64)
        if self._is_single:
            keys: list[str | Group | None] = columns[0].to_list()
        else:
            keys = list(zip(*(column.to_list() for column in columns), strict=True))
        codes = self._codes
        with self._lock:
            new = [key for key in dict.fromkeys(keys) if key not in codes]
            if len(codes) + len(new) > GROUPS_MAX:
                return None
            for code, key in enumerate(new, len(codes)):
                codes[key] = code
        return np.fromiter(map(codes.__getitem__, keys), np.int64, len(keys))

    def columns(self, codes: Int64s) -> list[pl.Series]:
        """Return the texts of these groups, a column for each name."""
        if not self.names:
            return []
        return [column.gather(codes) for column in self._all_columns()]

    def sorted(self, codes: Int64s) -> Int64s:
        """Return the order of these groups, all different, as an answer lists them."""
        if len(codes) <= 1:
            return np.arange(len(codes))
        if len(codes) * _SORTED_SHARE < len(self):
            return _order_of(self.columns(codes))
        ranks = self._ranks
        if ranks is None or len(ranks) < len(self):
            order = _order_of(self._all_columns())
            ranks = np.empty(len(order), np.int64)
            ranks[order] = np.arange(len(order))
            self._ranks = ranks
        return np.argsort(ranks[codes])

    def _all_columns(self) -> list[pl.Series]:
        columns = self._columns
        if not columns or len(columns[0]) < len(self):
            with self._lock:
                groups = cast("list[Any]", list(self._codes))
            parts = [groups] if self._is_single else [[group[at] for group in groups] for at in range(len(self.names))]
            columns = [pl.Series(part, dtype=pl.String) for part in parts]
            self._columns = columns
        return columns


def _order_of(columns: Sequence[pl.Series]) -> Int64s:
    names = [f"{place}" for place in range(len(columns))]
    frame = pl.DataFrame([column.alias(name) for column, name in zip(columns, names, strict=True)])
    return frame.select(pl.arg_sort_by(names, nulls_last=True)).to_series().to_numpy().astype(np.int64)
