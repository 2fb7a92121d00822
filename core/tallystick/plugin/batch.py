"""A batch: some events of one group, as columns, for a plugin to fold.

Offers each column as a plain Python list, and as a Polars or numpy column for who wants to be quick.
Promises: rows are in order of time, equal times in order of the log; no value is missing; decimals are exact.
Does not: say how many batches a group has, nor that the events of one batch are all older than those of the next.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final, Self

import numpy as np
import numpy.typing as npt
import polars as pl

from tallystick.amount import plain

TIME: Final = "time"
POSITION: Final = "position"
_EXACT_NUMBERS: Final = pl.Decimal(38, 12)


class Batch:
    """Events of one group. Names of columns are those that the plugin's `inputs` gave them."""

    def __init__(self, frame: pl.DataFrame, columns: Mapping[str, str]) -> None:
        """Use `Batch.of` in tests. `columns` says where in the frame each input is."""
        self._frame = frame
        self._columns = columns

    @classmethod
    def of(cls, *, times: Sequence[int] | None = None, **columns: Sequence[Decimal] | Sequence[str]) -> Self:
        """Return a batch made of lists, for an author's tests; without times, an event is a second after the one before."""
        count = len(next(iter(columns.values()))) if columns else len(times or ())
        taken = list(times) if times is not None else [second * 1_000_000_000 for second in range(count)]
        series = {name: _series(values) for name, values in columns.items()}
        frame = pl.DataFrame(series | {TIME: pl.Series(taken, dtype=pl.Int64)})
        frame = frame.with_columns(pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias(POSITION)).sort(TIME, POSITION)
        return cls(frame, {name: name for name in columns})

    def __len__(self) -> int:
        """Return how many events there are: one at least."""
        return self._frame.height

    @property
    def times(self) -> list[int]:
        """Return the events' times, nanoseconds since 1970."""
        return self._frame[TIME].to_list()

    @property
    def positions(self) -> list[int]:
        """Return the events' positions in the log, which are never given twice."""
        return self._frame[POSITION].to_list()

    def decimals(self, name: str) -> list[Decimal]:
        """Return a number of each event. Arithmetic with them is exact in the three functions of a plugin: 152 digits."""
        return self._numbers(name).to_list()

    def texts(self, name: str) -> list[str]:
        """Return a text of each event."""
        column = self.column(name)
        return [plain(value) for value in column.to_list()] if column.dtype == _EXACT_NUMBERS else column.to_list()

    def floats(self, name: str) -> npt.NDArray[np.float64]:
        """Return a number of each event as numpy has it: rounded, so a sum of them depends on their order."""
        return self._numbers(name).cast(pl.Float64).to_numpy()

    def column(self, name: str) -> pl.Series:
        """Return a column as Polars has it: `Decimal(38, 12)` for numbers, String for texts, Int64 for `time` and `position`."""
        place = name if name in {TIME, POSITION} else self._columns.get(name)
        if place is None:
            raise KeyError(f"no input is called {name!r}; there are {', '.join(self._columns) or 'none'}")
        return self._frame[place]

    def _numbers(self, name: str) -> pl.Series:
        column = self.column(name)
        if column.dtype != _EXACT_NUMBERS:
            raise TypeError(f"the input {name!r} is a text: declare it with number(…) to read numbers")
        return column


def _series(values: Sequence[Decimal] | Sequence[str]) -> pl.Series:
    is_numbers = all(isinstance(value, Decimal) for value in values)
    return pl.Series(values, dtype=_EXACT_NUMBERS if is_numbers else pl.String())
