"""What an aggregation is: three functions over a state.

*Fold* turns events into states, *merge* turns the states of adjacent stretches of time into one, *read* turns a state into a figure.
All three work on whole columns: a state is a row of a frame (for distinct counts several rows) that carries the keys it belongs to, such
as a group and a window, and columns of its own. Frames of states can be stored and merged later: what they hold is plain integers,
decimals, texts and bytes.

The rules, which `tallystick.testing.aggregator_check` checks for any aggregator:
1. Folding depends on the set of events alone, not on the order of rows or on how they were cut into frames.
2. Merging is associative, and folding a range at once gives what folding its stretches and merging gives.
3. Rows come in any order; a state in which order matters keeps the times it needs.
4. The column `events` is in every state and every figure: how many events went in. An event is in it exactly if it counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import ClassVar, Final, Protocol

import polars as pl

from tallystick.meter import Meter
from tallystick.usage.operand import Operand

EVENTS: Final = "events"


class Aggregator(Protocol):
    """One aggregation, bound to one meter.

    `name` is what meters call it, `summary` a line for people, `options` the fields of a `Meter` that it understands beyond those that
    every meter has. The constructor raises `InvalidDefinition` for a meter that makes no sense to it.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    options: ClassVar[tuple[str, ...]]

    def __init__(self, meter: Meter) -> None: ...

    @property
    def operands(self) -> tuple[Operand, ...]:
        """Return what it reads of an event; an event that lacks one is not folded."""
        ...

    @property
    def nothing(self) -> Decimal | None:
        """Return the figure of no events at all."""
        ...

    def fold(self, events: pl.LazyFrame, keys: Sequence[str]) -> pl.LazyFrame:
        """Return the states of the events, for each combination of the keys.

        `events` has the keys, the operands' columns, `time` and `position` (Int64). There is at least one key; a null is a key of its own.
        """
        ...

    def merge(self, states: pl.LazyFrame, keys: Sequence[str]) -> pl.LazyFrame:
        """Return one state for each combination of the keys, from any number of states; further keys they had are dropped."""
        ...

    def read(self, states: pl.LazyFrame, keys: Sequence[str]) -> pl.LazyFrame:
        """Return a row for each combination of the keys: the keys, `events`, and the figure as `figure.HIGH` and `figure.LOW`.

        Both parts are null where there is no figure. The states are merged: one for each combination of the keys.
        """
        ...
