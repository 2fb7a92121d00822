"""The aggregation `weighted`: the field of each event times the weight that a table has for one of its properties, added up.

Promises: exact, whatever the sizes; rounded half-even to 12 decimals once, when it is read. An event whose property is not in the table,
or that has no such property, has the weight `otherwise`.
Does not: keep what each weight contributed; group by the property for that.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, ClassVar, Final

from msgspec import Meta

from tallystick.plugin import AggregatorPlugin, Batch, Input, Options, State, number, text

WEIGHTS_MAX: Final = 1_000
# A property is never this text: it would have to hold a NUL alone.
_NONE: Final = "\0"


class Total(State, frozen=True):
    """What was added up so far, not rounded."""

    version: ClassVar[int] = 1

    total: Decimal


class WeightedOptions(Options, frozen=True):
    """A price table by the values of one property."""

    property: Annotated[
        str, Meta(min_length=1, max_length=256, description="The property whose value chooses the weight.")
    ]
    weights: Annotated[
        dict[str, Decimal],
        Meta(min_length=1, max_length=WEIGHTS_MAX, description="The weight of an event, by the text of its property."),
    ]
    otherwise: Annotated[
        Decimal, Meta(description="The weight of an event whose property is missing or not in the table.")
    ] = Decimal(0)


class Weighted(AggregatorPlugin[Total, WeightedOptions]):
    """See the module."""

    summary = "the field times the weight of a property's value, added up"
    nothing = Decimal(0)

    @property
    def inputs(self) -> Mapping[str, Input]:
        """Read the meter's field as a number, and the property as a text."""
        return {"amount": number(self.field), "chosen": text(f"properties.{self.options.property}", if_missing=_NONE)}

    def fold(self, batch: Batch) -> Total:
        """Multiply and add up."""
        weights, otherwise = self.options.weights, self.options.otherwise
        pairs = zip(batch.decimals("amount"), batch.texts("chosen"), strict=True)
        return Total(sum((amount * weights.get(chosen, otherwise) for amount, chosen in pairs), Decimal(0)))

    def merge(self, left: Total, right: Total) -> Total:
        """Add up the totals."""
        return Total(left.total + right.total)

    def read(self, state: Total) -> Decimal:
        """Return the total."""
        return state.total
