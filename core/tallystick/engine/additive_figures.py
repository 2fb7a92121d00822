"""The figures of a watch's customers within its period, kept so that new events are added instead of everything being counted again.

Only for sums and counts of each customer, which make up nearly all that is watched on everybody: what is added twice or left out is
nothing, since each look adds exactly the events between two positions. A void makes whoever had the event be read anew.
Kept with each figure are its heights as they were last seen: whose figure passed no rung, and so moves no signal, costs nothing more.
Costs some hundred nanoseconds a customer touched, and 28 bytes a customer and watch; past `CELLS_MAX` in all, watches are read by
questions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from tallystick.signals.readings import CUSTOMER_KEY
from tallystick.usage.aggregators import EVENTS
from tallystick.usage.figure import HIGH, LIMB, LOW

CELLS_MAX: Final = 4_000_000
_HIGH_MAX: Final = 1 << 61
Int64s = npt.NDArray[np.int64]
Heights = Callable[[pl.DataFrame], Sequence[pl.Series]]


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

    @property
    def known(self) -> Mapping[str, int]:
        """The numbers by customer."""
        return self._numbers


class TooLarge(Exception):
    """A figure is past what is kept: it is to be read by questions."""


class Addends:
    """What new events add to the figures of customers, each of whom is there once."""

    def __init__(self, frame: pl.DataFrame, numbers: CustomerNumbers) -> None:
        """Take a frame of `CUSTOMER_KEY`, `EVENTS`, `HIGH` and `LOW`. Raises `TooLarge`."""
        self.customers = frame[CUSTOMER_KEY]
        self.numbers = numbers.of(self.customers.to_list())
        self.events = frame[EVENTS].to_numpy()
        self.high, self.low = _halves(frame)


class AdditiveFigures:
    """The figures of one watch in one period. Belongs to one thread."""

    def __init__(self, *, gauges: int) -> None:
        self._events = np.zeros(0, np.int64)
        self._high = np.zeros(0, np.int64)
        self._low = np.zeros(0, np.int64)
        self._heights = np.zeros((gauges, 0), np.int32)

    @property
    def cells(self) -> int:
        """How many figures there is room for."""
        return len(self._events)

    def set(self, figures: Addends, heights: Sequence[pl.Series], *, gone: Int64s | None = None) -> None:
        """Take figures as they were read, with their heights; `gone` are customers who have none unless they are among them."""
        self._make_room(figures.numbers)
        if gone is not None:
            self._make_room(gone)
            for column in (self._events, self._high, self._low):
                column[gone] = 0
            self._heights[:, gone] = 0
        places = figures.numbers
        self._events[places], self._high[places], self._low[places] = figures.events, figures.high, figures.low
        for place, each in enumerate(heights):
            self._heights[place, places] = each.to_numpy()

    def add(self, addends: Addends, heights_of: Heights) -> pl.DataFrame:
        """Add what new events add, and return the figures that are at another height than before. Raises `TooLarge`."""
        self._make_room(addends.numbers)
        places = addends.numbers
        low = self._low[places] + addends.low
        carry = (low >= LIMB).astype(np.int64)
        high = self._high[places] + addends.high + carry
        if len(high) and max(int(high.max()), -int(high.min())) > _HIGH_MAX:
            raise TooLarge
        self._events[places] += addends.events
        self._high[places], self._low[places] = high, low - carry * LIMB
        figures = pl.DataFrame({CUSTOMER_KEY: addends.customers, HIGH: self._high[places], LOW: self._low[places]})
        figures = figures.with_columns(pl.col(HIGH, LOW).cast(pl.Int128))
        has_moved = np.zeros(len(places), np.bool_)
        for place, each in enumerate(heights_of(figures)):
            heights = each.to_numpy()
            has_moved |= heights != self._heights[place, places]
            self._heights[place, places] = heights
        return figures.filter(pl.Series(has_moved))

    def _make_room(self, numbers: Int64s) -> None:
        needed = int(numbers.max()) + 1 if len(numbers) else 0
        if needed <= len(self._events):
            return
        more = max(needed, 2 * len(self._events)) - len(self._events)
        self._events, self._high, self._low = (
            np.concatenate([column, np.zeros(more, np.int64)]) for column in (self._events, self._high, self._low)
        )
        self._heights = np.pad(self._heights, ((0, 0), (0, more)))


def _halves(frame: pl.DataFrame) -> tuple[Int64s, Int64s]:
    high = frame[HIGH].cast(pl.Int64, strict=False)
    if high.null_count() or (len(high) and bool((high.abs() > _HIGH_MAX).any())):
        raise TooLarge
    return high.to_numpy(), frame[LOW].cast(pl.Int64).to_numpy()
