"""Figures that are in the order of an answer already, as columns of integers: an answer of a few rows is made of them in microseconds.

Promises: the answer is that of `arrange_answer`, which orders, ranks and cuts frames of any figures.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl

from tallystick.meter import Meter

from .aggregators import EVENTS, Aggregator
from .answer import PLACE, UsageAnswer, UsageRows, UsageTotals
from .arrange_answer import arrange_answer, check_size
from .counted_events import WINDOW
from .figure_table import EVERYTHING, FigureTable
from .question import Fill, Order, UsageQuestion
from .windows import Windows

Int64s = npt.NDArray[np.int64]


class Figures(msgspec.Struct, frozen=True, eq=False):
    """Figures, each a whole number of units, and how many events went in."""

    events: Int64s
    units: Int64s

    def taken(self, rows: Int64s) -> Figures:
        """Return some of them."""
        return Figures(self.events[rows], self.units[rows])


class OrderedFigures(msgspec.Struct, frozen=True, eq=False):
    """The figures of one question. `totals` has one for each group, in any order; group `i` has the rows `[starts[i], starts[i + 1])`.

    `rows` of a group are in the order of their `windows`. `texts` gives the texts of groups, a column for each name; `sorted` the order in
    which an answer lists groups; `parts` turns units into `figure.HIGH` and `figure.LOW`, and keeps their order.
    """

    starts: Int64s
    windows: Int64s
    rows: Figures
    totals: Figures
    texts: Callable[[Int64s], list[pl.Series]]
    sorted: Callable[[Int64s], Int64s]
    parts: Callable[[Int64s], list[pl.Series]]


class FigureSource(ABC):
    """Frames of events that may know the figures of a question right away.

    A class to inherit from: asking whether something follows a protocol takes 50 µs.
    """

    @abstractmethod
    def figures(
        self, meter: Meter, question: UsageQuestion, *, aggregator: Aggregator, windows: Windows
    ) -> OrderedFigures | None:
        """Return the question's figures; None: they are to be made of states or of events."""


def arrange_figures(
    meter: Meter, question: UsageQuestion, found: OrderedFigures, *, windows: Windows, aggregator: Aggregator
) -> UsageAnswer:
    """Return the answer that the figures make. Raises `InvalidQuestion` where it would be too large."""
    groups = _top_groups(found, question)
    groups = groups[found.sorted(groups)] if question.group_by else groups
    check_size(len(groups), "groups")
    rows, places = _rows_of(found, groups)
    texts = found.texts(groups) if question.group_by else [pl.Series([""] * len(groups), dtype=pl.String)]
    names = [f"group {place}" for place in range(len(texts))] if question.group_by else [EVERYTHING]
    totals = pl.DataFrame(
        [text.alias(name) for name, text in zip(names, texts, strict=True)]
        + _columns(found.totals.taken(groups), found)
    )
    number = pl.Series(WINDOW, found.windows[rows].astype(np.int32))
    columns = _columns(found.rows.taken(rows), found)
    if question.fill is Fill.ZERO:
        keys = [column.gather(places) for column in totals.select(names).iter_columns()]
        table = FigureTable(windows, names, pl.DataFrame([*keys, number, *columns]), totals, aggregator.nothing)
        return arrange_answer(meter, question, table)
    check_size(len(rows), "rows")
    place = pl.Series(PLACE, places.astype(np.uint32))
    answered = UsageTotals(
        totals.insert_column(0, pl.Series(PLACE, np.arange(len(groups), dtype=np.uint32))), question.group_by, names
    )
    return UsageAnswer(
        meter=meter.key,
        meter_version=meter.version,
        question=question,
        rows=UsageRows(pl.DataFrame([place, number, *columns]), windows.edges, answered),
        totals=answered,
    )


def _columns(figures: Figures, found: OrderedFigures) -> list[pl.Series]:
    return [pl.Series(EVENTS, figures.events), *found.parts(figures.units)]


def _top_groups(found: OrderedFigures, question: UsageQuestion) -> Int64s:
    """Return the groups that the question's limit keeps, ranked by their totals; equal totals in the order of the groups."""
    totals = found.totals.units
    limit = question.limit
    if limit is None or limit >= len(totals):
        return np.arange(len(totals))
    ranked = ~totals if question.order is Order.DESC else totals  # ~x is -x - 1, which cannot overflow
    last = np.partition(ranked, limit - 1)[limit - 1]
    better, equal = np.flatnonzero(ranked < last), np.flatnonzero(ranked == last)
    if len(better) + len(equal) > limit:
        equal = equal[found.sorted(equal)][: limit - len(better)]
    return np.concatenate([better, equal])


def _rows_of(found: OrderedFigures, groups: Int64s) -> tuple[Int64s, Int64s]:
    """Return the rows of the groups, one group after the other, and the place of its group for each."""
    starts = found.starts[groups]
    counts = found.starts[groups + 1] - starts
    before = np.cumsum(counts) - counts
    rows = np.arange(int(counts.sum())) + np.repeat(starts - before, counts)
    return rows, np.repeat(np.arange(len(groups)), counts)
