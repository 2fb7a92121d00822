"""Figures that are in the order of an answer already, as columns of integers: an answer of a few rows is made of them in microseconds.

Promises: the answer is that of `arrange_answer`, which orders, ranks and cuts frames of any figures.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl

from tallystick.instant import Instant
from tallystick.meter import Meter

from .aggregators import EVENTS, Aggregator
from .answer import PLACE, UsageAnswer, UsageRow, UsageRows, UsageTotal, UsageTotals
from .arrange_answer import arrange_answer, check_size
from .counted_events import WINDOW
from .figure import figure_of, parts_of_units
from .figure_table import EVERYTHING, FigureTable
from .question import Fill, Order, UsageQuestion
from .windows import Windows

Int64s = npt.NDArray[np.int64]
# So many rows are made as objects right away.
FEW_ROWS_MAX: Final = 200


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
    which an answer lists groups. Units are of 10^-`scale`.
    """

    starts: Int64s
    windows: Int64s
    rows: Figures
    totals: Figures
    texts: Callable[[Int64s], list[pl.Series]]
    sorted: Callable[[Int64s], Int64s]
    scale: int


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

    def table_of_totals() -> pl.DataFrame:
        place = pl.Series(PLACE, np.arange(len(groups), dtype=np.uint32))
        named = [text.alias(name) for name, text in zip(names, texts, strict=True)]
        return pl.DataFrame([place, *named, *_columns(found.totals.taken(groups), found)])

    def table_of_rows(keys: Sequence[pl.Series] = ()) -> pl.DataFrame:
        number = pl.Series(WINDOW, found.windows[rows].astype(np.int32))
        place = pl.Series(PLACE, places.astype(np.uint32))
        return pl.DataFrame([*(keys or [place]), number, *_columns(found.rows.taken(rows), found)])

    if question.fill is Fill.ZERO:
        totals = table_of_totals().drop(PLACE)
        keys = [column.gather(places) for column in totals.select(names).iter_columns()]
        table = FigureTable(windows, names, table_of_rows(keys), totals, aggregator.nothing)
        return arrange_answer(meter, question, table)
    check_size(len(rows), "rows")
    if len(rows) <= FEW_ROWS_MAX:
        few_totals, few_rows = _few(found, groups, rows, places, texts, question, windows)
        answered = UsageTotals(table_of_totals, question.group_by, names, few_totals)
        answered_rows = UsageRows(table_of_rows, windows.edges, answered, few_rows)
    else:
        answered = UsageTotals(table_of_totals(), question.group_by, names)
        answered_rows = UsageRows(table_of_rows(), windows.edges, answered)
    return UsageAnswer(
        meter=meter.key,
        meter_version=meter.version,
        question=question,
        rows=answered_rows,
        totals=answered,
    )


def _few(
    found: OrderedFigures,
    groups: Int64s,
    rows: Int64s,
    places: Int64s,
    texts: Sequence[pl.Series],
    question: UsageQuestion,
    windows: Windows,
) -> tuple[list[UsageTotal], list[UsageRow]]:
    """Return the totals and the rows as objects: a microsecond or two each, where setting out columns takes a quarter of a millisecond."""
    names, scale, edges = question.group_by, found.scale, windows.edges
    listed: list[list[str | None]] = [text.to_list() for text in texts] if names else []
    named: list[dict[str, str | None]] = [{} for _ in range(len(groups))]
    for name, column in zip(names, listed, strict=True):
        for group, text in zip(named, column, strict=True):
            group[name] = text
    of_groups, of_rows = found.totals.taken(groups), found.rows.taken(rows)
    totals = [
        UsageTotal(group, figure_of(units, scale), events)
        for group, units, events in zip(named, _listed(of_groups.units), _listed(of_groups.events), strict=True)
    ]
    numbers = found.windows[rows]
    starts, ends = _listed(edges[numbers]), _listed(edges[numbers + 1])
    figures = zip(_listed(of_rows.units), _listed(of_rows.events), strict=True)
    made = [
        UsageRow(Instant(start), Instant(end), named[place], figure_of(units, scale), events)
        for start, end, place, (units, events) in zip(starts, ends, _listed(places), figures, strict=True)
    ]
    return totals, made


def _listed(numbers: Int64s) -> list[int]:
    return numbers.tolist()


def _columns(figures: Figures, found: OrderedFigures) -> list[pl.Series]:
    return [pl.Series(EVENTS, figures.events), *parts_of_units(figures.units, found.scale)]


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
