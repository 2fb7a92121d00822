"""Running states: what an aggregation has folded so far for one group, as plain numbers, so that one more event costs a microsecond.

Promises: a state that took the frames of an aggregator's states and then further events one by one reads the same figure as that aggregator
would from all of them. Exact: units are whole numbers of any size.
Does not: hold what cannot be added to in order of arrival. Levels and durations depend on what was before and after in time, and a plugin's
state is the plugin's own; `running_state_of` has nothing for those.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, Protocol

from tallystick.amount import EXACT, SCALE
from tallystick.usage.aggregators import EVENTS, Aggregator
from tallystick.usage.aggregators.avg import Avg
from tallystick.usage.aggregators.count import Count
from tallystick.usage.aggregators.latest import RECENCY, Latest, parts_of_recency
from tallystick.usage.aggregators.max import Max
from tallystick.usage.aggregators.min import Min
from tallystick.usage.aggregators.sum import Sum
from tallystick.usage.aggregators.unique import Unique
from tallystick.usage.figure import HIGH, LIMB, LOW, figure

OperandValue = int | str
"""What an operand is in one event: units of a number, or a text."""

StateRow = Mapping[str, Any]  # Any: integers, decimals and texts, by the column
"""One row of a frame of states."""


class RunningState(Protocol):
    """The state of one group. `columns` are those of the aggregator's operands."""

    events: int

    def add(self, operands: Sequence[OperandValue], time: int, position: int) -> None:
        """Fold one event."""
        ...

    def take(self, row: StateRow, columns: Sequence[str]) -> None:
        """Merge a state of the aggregator's."""
        ...

    def value(self) -> Decimal | None:
        """Return the figure."""
        ...

    @property
    def size(self) -> int:
        """Return how many things are kept: one, or as many as there are distinct values."""
        ...


class CountState:
    """How many events."""

    __slots__ = ("events",)

    def __init__(self) -> None:
        self.events: int = 0

    @property
    def size(self) -> int:
        """Return one."""
        return 1

    def add(self, operands: Sequence[OperandValue], time: int, position: int) -> None:  # noqa: ARG002 - a count reads nothing
        """Fold one event."""
        self.events += 1

    def take(self, row: StateRow, columns: Sequence[str]) -> None:  # noqa: ARG002 - as above
        """Merge a state."""
        self.events += row[EVENTS]

    def value(self) -> Decimal | None:
        """Return the count."""
        return Decimal(self.events)


class SumState(CountState):
    """The exact total."""

    __slots__ = ("units",)

    def __init__(self) -> None:
        super().__init__()
        self.units = 0

    def add(self, operands: Sequence[OperandValue], time: int, position: int) -> None:  # noqa: ARG002 - order does not matter
        """Fold one event."""
        self.events += 1
        self.units += int(operands[0])

    def take(self, row: StateRow, columns: Sequence[str]) -> None:  # noqa: ARG002 - the parts of a sum have names of their own
        """Merge a state."""
        self.events += row[EVENTS]
        self.units += row[HIGH] * LIMB + row[LOW]

    def value(self) -> Decimal | None:
        """Return the total."""
        return figure_of(self.units)


class AvgState(SumState):
    """The exact total, divided at the end."""

    __slots__ = ()

    def value(self) -> Decimal | None:
        """Return the mean, rounded half-even to a whole unit."""
        if not self.events:
            return None
        quotient, rest = divmod(self.units, self.events)
        is_up = 2 * rest > self.events or (2 * rest == self.events and quotient % 2)
        return figure_of(quotient + 1 if is_up else quotient)


class MinState(CountState):
    """The smallest number so far."""

    __slots__ = ("units",)

    def __init__(self) -> None:
        super().__init__()
        self.units: int | None = None

    def add(self, operands: Sequence[OperandValue], time: int, position: int) -> None:  # noqa: ARG002 - order does not matter
        """Fold one event."""
        self.events += 1
        self.units = self.chosen(int(operands[0]))

    def take(self, row: StateRow, columns: Sequence[str]) -> None:
        """Merge a state."""
        self.events += row[EVENTS]
        self.units = self.chosen(units_in(row[columns[0]]))

    def chosen(self, units: int) -> int:
        """Return which of the number so far and another stays."""
        return units if self.units is None else min(units, self.units)

    def value(self) -> Decimal | None:
        """Return the number, none without an event."""
        return None if self.units is None else figure_of(self.units)


class MaxState(MinState):
    """The largest number so far."""

    __slots__ = ()

    def chosen(self, units: int) -> int:
        """Return the larger one."""
        return units if self.units is None else max(units, self.units)


class LatestState(CountState):
    """The number of the event with the greatest time, at equal times of the greatest position."""

    __slots__ = ("place", "units")

    def __init__(self) -> None:
        super().__init__()
        self.units: int | None = None
        self.place = (-1, -1)

    def add(self, operands: Sequence[OperandValue], time: int, position: int) -> None:
        """Fold one event."""
        self.events += 1
        self._take(int(operands[0]), (time, position))

    def take(self, row: StateRow, columns: Sequence[str]) -> None:
        """Merge a state."""
        self.events += row[EVENTS]
        self._take(units_in(row[columns[0]]), parts_of_recency(row[RECENCY]))

    def _take(self, units: int, place: tuple[int, int]) -> None:
        if place > self.place:
            self.units, self.place = units, place

    def value(self) -> Decimal | None:
        """Return the newest number, none without an event."""
        return None if self.units is None else figure_of(self.units)


class UniqueState(CountState):
    """The distinct values so far."""

    __slots__ = ("seen",)

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[tuple[OperandValue, ...]] = set()

    @property
    def size(self) -> int:
        """Return how many values there are."""
        return 1 + len(self.seen)

    def add(self, operands: Sequence[OperandValue], time: int, position: int) -> None:  # noqa: ARG002 - order does not matter
        """Fold one event."""
        self.events += 1
        self.seen.add(tuple(operands))

    def take(self, row: StateRow, columns: Sequence[str]) -> None:
        """Merge one value of a state."""
        self.events += row[EVENTS]
        seen = (row[column] for column in columns)
        self.seen.add(tuple(units_in(each) if isinstance(each, Decimal) else each for each in seen))

    def value(self) -> Decimal | None:
        """Return how many there are."""
        return Decimal(len(self.seen))


_STATES: Final[Mapping[type[Aggregator], type[RunningState]]] = {
    Count: CountState,
    Sum: SumState,
    Avg: AvgState,
    Min: MinState,
    Max: MaxState,
    Latest: LatestState,
    Unique: UniqueState,
}


def running_state_of(aggregator: Aggregator) -> Callable[[], RunningState] | None:
    """Return what makes an empty state of the aggregation, None where it has none that runs."""
    return _STATES.get(type(aggregator))


def units_in(number: Decimal) -> int:
    """Return the units of a number that has at most 12 decimals."""
    return int(number.scaleb(SCALE, EXACT))


def units_in_text(canonical: str) -> int:
    """Return the units of a canonical amount; through the digits, which takes a third of the time that a `Decimal` does."""
    whole, _, fraction = canonical.partition(".")
    return int(whole + fraction.ljust(SCALE, "0"))


def figure_of(units: int) -> Decimal | None:
    """Return the exact decimal of so many units."""
    return figure(*divmod(units, LIMB))
