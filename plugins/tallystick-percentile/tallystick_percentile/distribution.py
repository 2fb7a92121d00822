"""How values are distributed: each value with its count while they are few, counts in buckets once they are many.

Promises: the distribution of a set of values is the same whatever order they came in and however they were cut and merged. Which form it
has is decided by the number of distinct values alone: a part that is counted in buckets has more of them than may be kept, so the whole
has, too. A value and the middle of its bucket differ by the relative accuracy at most.
Source of the idea: DDSketch (Masson, Rim, Lee: "DDSketch: a fast and fully-mergeable quantile sketch with relative-error guarantees",
VLDB 2019). Its buckets are fixed by the accuracy beforehand. Those of a t-digest depend on the order of arrival, and what KLL keeps on
chance. The counts are ours, whole numbers in a struct that can be stored.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import ClassVar, TypeVar

import polars as pl

from tallystick.plugin import State

from .buckets import Buckets, Counts

K = TypeVar("K", Decimal, int)


class Distribution(State, frozen=True):
    """Counts of values: `exact` by value, or, where that is None, in buckets of negative and of positive values by their index."""

    version: ClassVar[int] = 1

    smallest: Decimal
    largest: Decimal
    exact: dict[Decimal, int] | None
    negative: Counts
    zeros: int
    positive: Counts

    @property
    def count(self) -> int:
        """Return how many values there are."""
        if self.exact is not None:
            return sum(self.exact.values())
        return sum(self.negative.values()) + self.zeros + sum(self.positive.values())


class Distributions:
    """Makes, merges and reads distributions; values are kept one by one up to `exact_up_to` distinct ones."""

    def __init__(self, buckets: Buckets, exact_up_to: int) -> None:
        self._buckets, self._exact_up_to = buckets, exact_up_to

    def of(self, values: pl.Series) -> Distribution:
        """Return the distribution of a column of decimals, one at least."""
        if len(values) > self._exact_up_to and values.n_unique() > self._exact_up_to:
            smallest, largest = values.min(), values.max()
            assert isinstance(smallest, Decimal)  # noqa: S101 - what Polars cannot say of its types
            assert isinstance(largest, Decimal)  # noqa: S101 - as above
            return Distribution(smallest.normalize(), largest.normalize(), None, *self._buckets.counted(values))
        return self._exact(Counter(value.normalize() for value in values.to_list()))

    def merged(self, left: Distribution, right: Distribution) -> Distribution:
        """Return the distribution of the values of both."""
        if left.exact is not None and right.exact is not None:
            counts = _added(left.exact, right.exact)
            exact = self._exact(counts)
            return exact if len(counts) <= self._exact_up_to else self._coarse(exact)
        left, right = self._coarse(left), self._coarse(right)
        return Distribution(
            min(left.smallest, right.smallest),
            max(left.largest, right.largest),
            None,
            _added(left.negative, right.negative),
            left.zeros + right.zeros,
            _added(left.positive, right.positive),
        )

    def value_at(self, rank: int, found: Distribution) -> Decimal:
        """Return the value that has the rank, 1 for the smallest: exactly for the first and the last, else as well as it is known."""
        if rank <= 1:
            return found.smallest
        if rank >= found.count:
            return found.largest
        passed = 0
        for value, count in self._ascending(found):
            passed += count
            if passed >= rank:
                return min(max(value(), found.smallest), found.largest)
        return found.largest

    def _exact(self, counts: Mapping[Decimal, int]) -> Distribution:
        ordered = dict(sorted(counts.items()))
        return Distribution(min(ordered), max(ordered), ordered, {}, 0, {})

    def _coarse(self, found: Distribution) -> Distribution:
        if found.exact is None:
            return found
        return Distribution(found.smallest, found.largest, None, *self._buckets.weighted(found.exact))

    def _ascending(self, found: Distribution) -> Iterator[tuple[Callable[[], Decimal], int]]:
        if found.exact is not None:
            for value, count in found.exact.items():
                yield lambda value=value: value, count
            return
        for index in reversed(found.negative):
            yield lambda index=index: -self._buckets.middle(index), found.negative[index]
        yield lambda: Decimal(0), found.zeros
        for index, count in found.positive.items():
            yield lambda index=index: self._buckets.middle(index), count


def _added(left: Mapping[K, int], right: Mapping[K, int]) -> dict[K, int]:
    names = sorted(left.keys() | right.keys())
    return {name: left.get(name, 0) + right.get(name, 0) for name in names}
