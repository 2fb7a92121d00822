"""Plugins of a few lines, for tests: good ones, and each kind of bad one."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, ClassVar

import msgspec

from tallystick.meter import Meter
from tallystick.plugin import AggregatorPlugin, Batch, Input, NoOptions, Options, State, number, text
from tallystick.usage.aggregators.plugin_aggregator import AnyPlugin, Origin, PluginAggregator, adapted


class Total(State, frozen=True):
    total: Decimal


class PlainSum(AggregatorPlugin[Total, NoOptions]):
    summary = "the total, in plain Python"
    nothing = Decimal(0)

    def fold(self, batch: Batch) -> Total:
        return Total(sum(batch.decimals("amount"), Decimal(0)))

    def merge(self, left: Total, right: Total) -> Total:
        return Total(left.total + right.total)

    def read(self, state: Total) -> Decimal | None:
        return state.total


class Seen(State, frozen=True):
    texts: dict[str, int]


class Rarity(Options, frozen=True):
    property: Annotated[str, msgspec.Meta(min_length=1, description="the property that is looked at")]
    share: Decimal = Decimal(1)
    kinds: dict[str, Decimal] = msgspec.field(default_factory=dict[str, Decimal])

    def __post_init__(self) -> None:
        if self.share < 0:
            raise ValueError("share is not negative")


class Rarest(AggregatorPlugin[Seen, Rarity]):
    summary = "how often the rarest value of a property came"

    @property
    def inputs(self) -> Mapping[str, Input]:
        return {"seen": text(f"properties.{self.options.property}", if_missing="none"), "amount": number(self.field)}

    def fold(self, batch: Batch) -> Seen:
        counts: dict[str, int] = {}
        for value in batch.texts("seen"):
            counts[value] = counts.get(value, 0) + 1
        return Seen(counts)

    def merge(self, left: Seen, right: Seen) -> Seen:
        names = left.texts | right.texts
        return Seen({name: left.texts.get(name, 0) + right.texts.get(name, 0) for name in names})

    def read(self, state: Seen) -> Decimal | None:
        return min(state.texts.values()) * self.options.share


class LastOfABatch(PlainSum):
    def fold(self, batch: Batch) -> Total:
        return Total(batch.decimals("amount")[-1])


class FloatSum(PlainSum):
    def fold(self, batch: Batch) -> Total:
        return Total(Decimal(float(batch.floats("amount").sum())))


class KeepsLeft(PlainSum):
    def merge(self, left: Total, right: Total) -> Total:
        return left


class Pair(State, frozen=True):
    pair: list[int]


class Unequal(AggregatorPlugin[Pair, NoOptions]):
    summary = "a state that comes back as another"

    def fold(self, batch: Batch) -> Pair:
        return Pair((0, 0))  # type: ignore[arg-type]

    def merge(self, left: Pair, right: Pair) -> Pair:
        return left

    def read(self, state: Pair) -> Decimal | None:
        return None


class NewerTotal(Total, frozen=True):
    version: ClassVar[int] = 2


def bind(plugin: type[AnyPlugin], meter: Meter, *, version: str = "1.0") -> PluginAggregator:
    return adapted(plugin, Origin("sample", "sample-package", version))(meter)
