"""How values are distributed: each value with its count while they are few, counts in buckets once they are many.

Promises: the distribution of a set of values is the same whatever order they came in and however they were cut and merged. Which form it
has is decided by the number of distinct values alone: a part that is counted in buckets has more of them than may be kept, so the whole
has, too. A value and the middle of its bucket differ by the relative accuracy at most.
Source of the idea: DDSketch (Masson, Rim, Lee: "DDSketch: a fast and fully-mergeable quantile sketch with relative-error guarantees",
VLDB 2019). Its buckets are fixed by the accuracy beforehand. Those of a t-digest depend on the order of arrival, and what KLL keeps on
chance. The buckets are those of Datadog's `ddsketch`; the counts are ours, whole numbers in a struct that can be stored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import ClassVar, TypeVar

from ddsketch.mapping import LogarithmicMapping

from tallystick.plugin import State

K = TypeVar("K", Decimal, int)


class Distribution(State, frozen=True):
    """Counts of values: `exact` by value, or, where that is None, in buckets of negative and of positive values by their index."""

    version: ClassVar[int] = 1

    smallest: Decimal
    largest: Decimal
    exact: dict[Decimal, int] | None
    negative: dict[int, int]
    zeros: int
    positive: dict[int, int]

    @property
    def count(self) -> int:
        """Return how many values there are."""
        if self.exact is not None:
            return sum(self.exact.values())
        return sum(self.negative.values()) + self.zeros + sum(self.positive.values())


class Buckets:
    """The buckets of one accuracy, and the number of distinct values up to which there are none."""

    def __init__(self, accuracy: float, exact_up_to: int) -> None:
        self._mapping = LogarithmicMapping(accuracy)
        self._exact_up_to = exact_up_to

    def distribution(self, counts: Mapping[Decimal, int]) -> Distribution:
        """Return the distribution of some values, one at least."""
        smallest, largest = min(counts), max(counts)
        if len(counts) <= self._exact_up_to:
            return Distribution(smallest, largest, dict(sorted(counts.items())), {}, 0, {})
        return self._bucketed(smallest, largest, counts)

    def merged(self, left: Distribution, right: Distribution) -> Distribution:
        """Return the distribution of the values of both."""
        if left.exact is not None and right.exact is not None:
            return self.distribution(_added(left.exact, right.exact))
        smallest, largest = min(left.smallest, right.smallest), max(left.largest, right.largest)
        left, right = self._coarse(left), self._coarse(right)
        return Distribution(
            smallest,
            largest,
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

    def _coarse(self, found: Distribution) -> Distribution:
        return found if found.exact is None else self._bucketed(found.smallest, found.largest, found.exact)

    def _bucketed(self, smallest: Decimal, largest: Decimal, counts: Mapping[Decimal, int]) -> Distribution:
        negative: dict[int, int] = {}
        positive: dict[int, int] = {}
        zeros = 0
        # One logarithm after the other: numpy's takes another way for the last few of a column, so its last bit may depend on the place.
        for value, count in counts.items():
            if not value:
                zeros += count
                continue
            side, index = (positive if value > 0 else negative), self._mapping.key(abs(float(value)))
            side[index] = side.get(index, 0) + count
        return Distribution(
            smallest, largest, None, dict(sorted(negative.items())), zeros, dict(sorted(positive.items()))
        )

    def _ascending(self, found: Distribution) -> Iterator[tuple[Callable[[], Decimal], int]]:
        if found.exact is not None:
            for value, count in found.exact.items():
                yield lambda value=value: value, count
            return
        for index in reversed(found.negative):
            yield lambda index=index: -self._middle(index), found.negative[index]
        yield lambda: Decimal(0), found.zeros
        for index, count in found.positive.items():
            yield lambda index=index: self._middle(index), count

    def _middle(self, index: int) -> Decimal:
        return Decimal(repr(self._mapping.value(index)))


def _added(left: Mapping[K, int], right: Mapping[K, int]) -> dict[K, int]:
    names = sorted(left.keys() | right.keys())
    return {name: left.get(name, 0) + right.get(name, 0) for name in names}
