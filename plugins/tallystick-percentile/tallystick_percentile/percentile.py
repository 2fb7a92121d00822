"""The aggregation `percentile`: the smallest value that at least p percent of the events do not exceed (the nearest rank).

Promises: exact up to `exact_up_to` distinct values in a window of a group; past that, within `accuracy` of the true value, relative to
it. 0 is the smallest value and 100 the largest, exactly, always. The figure depends on the set of events alone.
Does not: interpolate between two values; the figure of few events is one that occurred.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal
from typing import Annotated, Final

from msgspec import Meta

from tallystick.plugin import AggregatorPlugin, Batch, Options

from .buckets import buckets_of
from .distribution import Distribution, Distributions

_HUNDRED: Final = Decimal(100)
_FINEST, _COARSEST = Decimal("0.001"), Decimal("0.2")


class PercentileOptions(Options, frozen=True):
    """Which percentile, and how well it is known where there are many values."""

    p: Annotated[
        Decimal,
        Meta(
            description="Which percentile, 0 to 100: 50 is the median.",
            extra_json_schema={"minimum": 0, "maximum": 100},
        ),
    ]
    accuracy: Annotated[
        Decimal,
        Meta(
            description="How far from the true value a figure may be, relative to it, 0.001 to 0.2.",
            extra_json_schema={"minimum": 0.001, "maximum": 0.2},
        ),
    ] = Decimal("0.01")
    exact_up_to: Annotated[
        int, Meta(ge=0, le=10_000, description="Up to so many distinct values the figure is exact.")
    ] = 250

    def __post_init__(self) -> None:
        """Refuse what is out of range."""
        if not 0 <= self.p <= _HUNDRED:
            raise ValueError(f"p is {self.p}, and must be 0 to 100")
        if not _FINEST <= self.accuracy <= _COARSEST:
            raise ValueError(f"accuracy is {self.accuracy}, and must be {_FINEST} to {_COARSEST}")


class Percentile(AggregatorPlugin[Distribution, PercentileOptions]):
    """See the module."""

    summary = "the value that p percent of the events do not exceed"

    def __init__(self, options: PercentileOptions, field: str) -> None:
        super().__init__(options, field)
        self._distributions = Distributions(buckets_of(float(options.accuracy)), options.exact_up_to)

    def fold(self, batch: Batch) -> Distribution:
        """Count the values, as a column where there are many of them."""
        return self._distributions.of(batch.column("amount"))

    def merge(self, left: Distribution, right: Distribution) -> Distribution:
        """Add up the counts."""
        return self._distributions.merged(left, right)

    def read(self, state: Distribution) -> Decimal:
        """Return the value at the rank."""
        rank = (self.options.p * state.count / _HUNDRED).to_integral_value(ROUND_CEILING)
        return self._distributions.value_at(int(rank), state)
