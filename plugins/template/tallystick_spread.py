"""The aggregation `spread`: the largest value minus the smallest, times a factor."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, ClassVar

from msgspec import Meta

from tallystick.plugin import AggregatorPlugin, Batch, Options, State


class Extent(State, frozen=True):
    """What is known of the events so far."""

    version: ClassVar[int] = 1  # one more whenever the fields below change

    smallest: Decimal
    largest: Decimal


class SpreadOptions(Options, frozen=True):
    """What a meter may say in its `options`."""

    factor: Annotated[Decimal, Meta(description="What the spread is multiplied by.")] = Decimal(1)


class Spread(AggregatorPlugin[Extent, SpreadOptions]):
    """The largest value minus the smallest."""

    summary = "the largest value minus the smallest"

    def fold(self, batch: Batch) -> Extent:
        """Return the state of some events of one group."""
        amounts = batch.decimals("amount")
        return Extent(min(amounts), max(amounts))

    def merge(self, left: Extent, right: Extent) -> Extent:
        """Return the state of the events of both."""
        return Extent(min(left.smallest, right.smallest), max(left.largest, right.largest))

    def read(self, state: Extent) -> Decimal:
        """Return the figure."""
        return (state.largest - state.smallest) * self.options.factor
