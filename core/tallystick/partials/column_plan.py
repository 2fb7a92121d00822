"""Whether a folding can be kept as columns of integers, and how: which names its groups have, and what is added up.

Counting and adding up can; what is distinct can where it is customers. The rest (smallest and largest, newest, distinct properties,
plugins) is kept in frames.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec
import polars as pl

from tallystick.usage.aggregators import EVENTS, Aggregator
from tallystick.usage.aggregators.count import Count
from tallystick.usage.aggregators.sum import Sum
from tallystick.usage.aggregators.unique import Unique
from tallystick.usage.event_frames import CUSTOMER, VALUE
from tallystick.usage.figure import HIGH, LOW, parts_of_units

from .folding import Folding
from .group_codes import GroupCodes
from .merged_states import BUCKET
from .state_columns import Int64s, StateColumns, frame_events, state_columns, units_of_parts

_SCALE_OF_COUNTS: Final = 0


class Kind(StrEnum):
    """What becomes of the events of a group."""

    COUNT = "count"
    SUM = "sum"
    CUSTOMERS = "customers"


class ColumnPlan(msgspec.Struct, frozen=True, eq=False):
    """How a folding is kept in columns. `key_columns` are those of its frames, each with the name of what it holds."""

    folding: Folding
    digest: bytes
    aggregator: Aggregator
    kind: Kind
    key_columns: dict[str, str]
    groups: GroupCodes

    @property
    def adds_values(self) -> bool:
        """Whether values are read at all."""
        return self.kind is Kind.SUM

    def from_frame(self, frame: pl.DataFrame, place: str, buckets: Int64s | None) -> StateColumns | None:
        """Return the states of a frame in columns; None where 64 bits or the number of groups are too small for them.

        `place` is the column that says which of the `buckets` each state is of; without them it holds the instants themselves.
        """
        groups = self.groups.of([frame[column] for column in self.key_columns], height=frame.height)
        read = units_of_parts(frame) if self.adds_values else (None, _SCALE_OF_COUNTS)
        if groups is None or read is None:
            return None
        places = frame[place].cast(pl.Int64).to_numpy()
        if buckets is None:
            instants = places
            buckets = frame[place].unique().sort().cast(pl.Int64).to_numpy()
            places = buckets.searchsorted(instants)
        return state_columns(groups, places, buckets, events=frame_events(frame), units=read[0], scale=read[1])

    def to_frame(self, states: StateColumns) -> pl.DataFrame:
        """Return the states as a frame, `BUCKET` being the instants."""
        texts = self.groups.columns(states.groups)
        columns = [text.alias(name) for name, text in zip(self.key_columns, texts, strict=True)]
        columns += [
            pl.Series(BUCKET, states.buckets[states.places], dtype=pl.Int64),
            pl.Series(EVENTS, states.events, dtype=pl.Int64),
        ]
        if states.units is not None:
            columns += parts_of_units(states.units, states.scale)
        elif self.adds_values:
            columns += [pl.Series(name, [0] * len(states), dtype=pl.Int128) for name in (HIGH, LOW)]
        return pl.DataFrame(columns)


def kind_of(aggregator: Aggregator, folding: Folding) -> Kind | None:
    """Return how the folding's events can be kept in columns, None where they cannot."""
    fields = {operand.field for operand in aggregator.operands}
    if isinstance(aggregator, Count) and fields <= {VALUE, CUSTOMER}:
        return Kind.COUNT
    if isinstance(aggregator, Unique) and fields == {CUSTOMER} and not folding.by:
        return Kind.CUSTOMERS
    return Kind.SUM if isinstance(aggregator, Sum) and fields == {VALUE} else None


def key_columns_of(folding: Folding, aggregator: Aggregator, kind: Kind) -> dict[str, str]:
    """Return the columns that tell the folding's states apart, each with the name of what it holds."""
    if kind is Kind.CUSTOMERS:
        return {operand.column: CUSTOMER for operand in aggregator.operands}
    return folding.by_columns
