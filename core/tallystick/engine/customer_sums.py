"""Sums of many customers as columns, by the numbers that customers have in one watcher: added to, instead of counted again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from tallystick.signals.readings import CUSTOMER_KEY
from tallystick.usage.figure import HIGH, LIMB, LOW

_HIGH_MAX: Final = 1 << 61
Int64s = npt.NDArray[np.int64]


class TooLarge(Exception):
    """A figure is past what is kept: it is to be read by questions."""


class CustomerNumbers:
    """Customers by number, in the order in which they were first asked about; shared by all watches of one watcher."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._numbers)

    def of(self, customers: Sequence[str]) -> Int64s:
        """Return the numbers of customers."""
        numbers = self._numbers
        return np.array([numbers.setdefault(customer, len(numbers)) for customer in customers], np.int64)

    def all(self) -> list[str]:
        """Return every customer, in the order of the numbers."""
        return list(self._numbers)


class Addends:
    """Figures of customers, each of whom is there once: as they were read, or what new events add."""

    def __init__(self, frame: pl.DataFrame, numbers: CustomerNumbers, *, high: str = HIGH, low: str = LOW) -> None:
        """Take a frame of `CUSTOMER_KEY` and the two parts of a figure. Raises `TooLarge`."""
        self.customers = frame[CUSTOMER_KEY]
        self.numbers = numbers.of(self.customers.to_list())
        self.high, self.low = _part(frame[high]), _part(frame[low])


class CustomerSums:
    """One sum a customer; nought for whom nothing was added."""

    def __init__(self) -> None:
        self._high = np.zeros(0, np.int64)
        self._low = np.zeros(0, np.int64)

    def set(self, figures: Addends) -> None:
        """Take figures as they were read."""
        self.make_room(figures.numbers)
        self._high[figures.numbers], self._low[figures.numbers] = figures.high, figures.low

    def clear(self, numbers: Int64s) -> None:
        """Forget what customers had."""
        self.make_room(numbers)
        self._high[numbers], self._low[numbers] = 0, 0

    def add(self, addends: Addends) -> None:
        """Add what new events add. Raises `TooLarge`; nothing was added then."""
        places = addends.numbers
        self.make_room(places)
        low = self._low[places] + addends.low
        carry = (low >= LIMB).astype(np.int64)
        high = self._high[places] + addends.high + carry
        if len(high) and max(int(high.max()), -int(high.min())) > _HIGH_MAX:
            raise TooLarge
        self._high[places], self._low[places] = high, low - carry * LIMB

    def parts(self, numbers: Int64s) -> tuple[Int64s, Int64s]:
        """Return both parts of the sums of customers."""
        self.make_room(numbers)
        return self._high[numbers], self._low[numbers]

    def make_room(self, numbers: Int64s) -> None:
        """Have a place for every one of the numbers."""
        needed = int(numbers.max()) + 1 if len(numbers) else 0
        if needed > len(self._high):
            more = max(needed, 2 * len(self._high)) - len(self._high)
            self._high, self._low = (
                np.concatenate([column, np.zeros(more, np.int64)]) for column in (self._high, self._low)
            )


class SeenHeights:
    """The heights at which customers were last seen, by gauge: who stands where he stood moves no signal."""

    def __init__(self, gauges: int) -> None:
        self._heights = np.zeros((gauges, 0), np.int32)

    def moved(self, numbers: Int64s, heights: Sequence[npt.NDArray[np.int32]]) -> npt.NDArray[np.bool_]:
        """Take the heights of customers, and return for each whether one of them is another than before."""
        needed = int(numbers.max()) + 1 if len(numbers) else 0
        room = self._heights.shape[1]
        if needed > room:
            self._heights = np.pad(self._heights, ((0, 0), (0, max(needed, 2 * room) - room)))
        has_moved = np.zeros(len(numbers), np.bool_)
        for place, each in enumerate(heights):
            has_moved |= each != self._heights[place, numbers]
            self._heights[place, numbers] = each
        return has_moved


def _part(column: pl.Series) -> Int64s:
    whole = column.cast(pl.Int64, strict=False)
    if whole.null_count() or (len(whole) and bool((whole.abs() > _HIGH_MAX).any())):
        raise TooLarge
    return whole.to_numpy()
