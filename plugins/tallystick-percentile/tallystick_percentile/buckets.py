"""Buckets that are fixed beforehand: their borders are the powers of one number, so that each is as wide as its values allow.

Promises: a value falls into the same bucket wherever and among whatever it stands. Values are compared with borders that were worked out
once, one by one; numpy's logarithm of a column takes another way for its last few values, and its last bit may depend on the place.
The buckets are those of DDSketch, as Datadog's `ddsketch` has them, for values from 10^-12 to 10^26, which is what an event can hold.
"""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl
from ddsketch.mapping import LogarithmicMapping

_SMALLEST, _LARGEST = 1e-12, 1e26
_EXACT: Final = pl.Decimal(38, 12)

Counts = dict[int, int]


class Buckets:
    """The buckets of one accuracy, by index: bucket k holds values up to the k-th power. Negative values have a set of their own."""

    def __init__(self, accuracy: float) -> None:
        """Use `buckets_of`: the borders of the finest accuracy take 20 ms."""
        self._mapping = LogarithmicMapping(accuracy)
        self._first = self._mapping.key(_SMALLEST) - 1
        indexes = range(self._first, self._mapping.key(_LARGEST) + 2)
        # The library has the middle of a bucket: its upper border is (1 + gamma) / 2 times as much.
        self._borders = np.array([self._mapping.value(index) for index in indexes]) * ((1 + self._mapping.gamma) / 2)

    def counted(self, values: pl.Series) -> tuple[Counts, int, Counts]:
        """Return how many values are in each bucket of the negative ones, are zero, and are in each bucket of the positive ones."""
        floats = values.cast(pl.Float64).to_numpy()
        negative, positive = floats[floats < 0], floats[floats > 0]
        return self._in_buckets(-negative), len(floats) - len(negative) - len(positive), self._in_buckets(positive)

    def weighted(self, counts: dict[Decimal, int]) -> tuple[Counts, int, Counts]:
        """Return the same of values that come with how often each occurred."""
        values = pl.Series(list(counts), dtype=_EXACT).cast(pl.Float64).to_numpy()
        times = np.array(list(counts.values()), np.int64)
        below, above = values < 0, values > 0
        zeros = int(times[~(below | above)].sum())
        return self._in_buckets(-values[below], times[below]), zeros, self._in_buckets(values[above], times[above])

    def middle(self, index: int) -> Decimal:
        """Return the value that stands for a bucket: no value in it is further away than the accuracy."""
        return Decimal(repr(self._mapping.value(index)))

    def _in_buckets(self, values: npt.NDArray[np.float64], times: npt.NDArray[np.int64] | None = None) -> Counts:
        if not len(values):
            return {}
        places, which = np.unique(np.searchsorted(self._borders, values), return_inverse=True)
        counts = np.zeros(len(places), np.int64)
        np.add.at(counts, which, 1 if times is None else times)
        return dict(zip((places + self._first).tolist(), counts.tolist(), strict=True))


@lru_cache(maxsize=32)
def buckets_of(accuracy: float) -> Buckets:
    """Return the buckets of an accuracy."""
    return Buckets(accuracy)
