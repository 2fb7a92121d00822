"""What a watch keeps from look to look, so that new events are added instead of everything being counted again.

Only for sums and counts of each customer, which make up nearly all that is watched on everybody: what is added twice or left out is
nothing, since each look adds exactly the events between two positions. A void makes whoever had the event be read anew.
Heights are kept as they were last seen: whose figure passed no rung, and so moves no signal, costs nothing more.
Costs some hundred nanoseconds a customer touched, and 20 bytes a customer and watch, 40 where changes are watched; past `CELLS_MAX` in
all, watches are read by questions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from tallystick.event import Position
from tallystick.signals.calendar_period import Span
from tallystick.signals.column_heights import change_heights, figure_heights
from tallystick.signals.readings import BASE_HIGH, BASE_LOW, CUSTOMER_KEY
from tallystick.signals.watch import Watch
from tallystick.usage.figure import HIGH, LOW

from .customer_sums import Addends, CustomerNumbers, CustomerSums, Int64s, SeenHeights

CELLS_MAX: Final = 4_000_000
# What the events of a span add, to be read from all events or from new ones; None: nothing.
ReadSpan = Callable[[Span], Addends | None]


class KeptFigures:
    """The figures of one watch in one period. Belongs to one thread."""

    def __init__(self, watch: Watch, numbers: CustomerNumbers, readings: pl.DataFrame) -> None:
        """Begin with what was read of everybody. Raises `TooLarge`."""
        self._watch, self._numbers = watch, numbers
        self._sums, self._seen = CustomerSums(), SeenHeights(len(watch.gauges))
        self._take(readings)

    def add(self, addends: Addends) -> pl.DataFrame:
        """Add what new events add, and return the readings that are at another height than before. Raises `TooLarge`."""
        self._sums.add(addends)
        has_moved = self._moved(addends.numbers)
        high, low = self._sums.parts(addends.numbers[has_moved])
        customers = addends.customers.filter(pl.Series(has_moved, dtype=pl.Boolean))
        readings = pl.DataFrame({CUSTOMER_KEY: customers, HIGH: high, LOW: low})
        return readings.with_columns(pl.col(HIGH, LOW).cast(pl.Int128))

    def replace(self, customers: Sequence[str], readings: pl.DataFrame) -> None:
        """Take what was read anew of customers; who has no row has no figure. Raises `TooLarge`."""
        numbers = self._numbers.of(customers)
        self._sums.clear(numbers)
        self._seen.moved(numbers, [np.zeros(len(numbers), np.int32)] * len(self._watch.gauges))
        self._take(readings)

    def _take(self, readings: pl.DataFrame) -> None:
        figures = Addends(readings, self._numbers)
        self._sums.set(figures)
        self._moved(figures.numbers)

    def _moved(self, numbers: Int64s) -> npt.NDArray[np.bool_]:
        figures = self._sums.parts(numbers)
        heights = [figure_heights(self._watch.ladder(gauge, None), gauge, figures) for gauge in self._watch.gauges]
        return self._seen.moved(numbers, heights)


class KeptChanges:
    """The figures of one watch in a period so far, and in the same part of the one before, as the log had them at `position`."""

    def __init__(
        self,
        watch: Watch,
        numbers: CustomerNumbers,
        readings: pl.DataFrame,
        *,
        so_far: Span,
        before: Span,
        position: Position,
    ) -> None:
        """Begin with what was read of everybody. Raises `TooLarge`."""
        self._watch, self._numbers = watch, numbers
        self._so_far, self._before, self.position = so_far, before, position
        self._now, self._was, self._seen = CustomerSums(), CustomerSums(), SeenHeights(len(watch.gauges))
        self._set(readings)
        self._moved(numbers.of(readings[CUSTOMER_KEY].to_list()))

    def advance(self, so_far: Span, before: Span, position: Position, *, source: ReadSpan, fresh: ReadSpan) -> None:
        """Go on to longer spans and a later position; `fresh` reads the events past `position` alone. Raises `TooLarge`."""
        for sums, known, longer in ((self._now, self._so_far, so_far), (self._was, self._before, before)):
            # New events that lie in what is known already, and all that lie in what is new of the span.
            late = fresh(known)
            further = source(Span(known.end, longer.end)) if longer.end > known.end else None
            for addends in (late, further):
                if addends is not None:
                    sums.add(addends)
        self._so_far, self._before, self.position = so_far, before, position

    def replace(self, customers: Sequence[str], readings: pl.DataFrame) -> None:
        """Take what was read anew of customers over both spans. Raises `TooLarge`."""
        numbers = self._numbers.of(customers)
        self._now.clear(numbers)
        self._was.clear(numbers)
        self._set(readings)

    def moved(self, customers: Sequence[str] | None) -> pl.DataFrame:
        """Return the readings of those customers (None: of all) who are at another height than before."""
        names = self._numbers.all() if customers is None else customers
        numbers = np.arange(len(names)) if customers is None else self._numbers.of(names)
        has_moved = self._moved(numbers)
        chosen = numbers[has_moved]
        high, low = self._now.parts(chosen)
        base_high, base_low = self._was.parts(chosen)
        readings = pl.DataFrame(
            {
                CUSTOMER_KEY: [names[row] for row in np.flatnonzero(has_moved).tolist()],
                HIGH: high,
                LOW: low,
                BASE_HIGH: base_high,
                BASE_LOW: base_low,
            },
            schema_overrides={CUSTOMER_KEY: pl.String()},
        )
        return readings.with_columns(pl.exclude(CUSTOMER_KEY).cast(pl.Int128))

    def _set(self, readings: pl.DataFrame) -> None:
        self._now.set(Addends(readings, self._numbers))
        self._was.set(Addends(readings, self._numbers, high=BASE_HIGH, low=BASE_LOW))

    def _moved(self, numbers: Int64s) -> npt.NDArray[np.bool_]:
        now, was = self._now.parts(numbers), self._was.parts(numbers)
        heights = [change_heights(self._watch.ladder(gauge, None), gauge, now, was) for gauge in self._watch.gauges]
        return self._seen.moved(numbers, heights)
