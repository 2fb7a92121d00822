"""Figures straight from columns of states: those of whole buckets, of the ends that a range cuts off, and of the tail, added up.

Promises: the figures are those of the events of the view, as frames of them would give. Whatever does not fit into columns of 64 bits is
answered None, and the question goes the longer way (`states_view`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import polars as pl

from tallystick.meter import Meter
from tallystick.partials.buckets import end_of_bucket, whole_buckets
from tallystick.partials.column_plan import ColumnPlan, Kind
from tallystick.partials.column_states import ColumnStates, Covering, Snapshot
from tallystick.partials.counted_file import CountedFile
from tallystick.partials.group_codes import GroupCodes
from tallystick.partials.partial_states import PartialStates
from tallystick.partials.state_columns import StateColumns, put_together
from tallystick.partials.tail_columns import TailStates, fold_tail
from tallystick.segments.live_tail import LiveTail
from tallystick.usage.aggregators import Aggregator
from tallystick.usage.event_frames import CUSTOMER
from tallystick.usage.ordered_figures import Figures, OrderedFigures
from tallystick.usage.question import UsageQuestion, WindowSize
from tallystick.usage.windows import Windows

from .view import View

# So many are looked up in the rows by their keys; a question about more reads as much as one about all.
CUSTOMERS_LOOKED_UP_MAX = 16


def figures_from_columns(
    view: View,
    partials: PartialStates,
    meter: Meter,
    question: UsageQuestion,
    *,
    aggregator: Aggregator,
    windows: Windows,
) -> OrderedFigures | None:
    """Return the question's figures; None where columns are not for it."""
    if not partials.is_on or question.as_of is not None or question.window is WindowSize.MINUTE:
        return None
    planned = partials.columns.plan(meter, question, aggregator)
    if planned is None:
        return None
    plan, customers = planned
    states = _Asked(view, partials, plan, question, windows, customers).states()
    return None if states is None else _figures(states, plan, question, partials.columns)


class _Asked:
    """One question of one view."""

    def __init__(
        self,
        view: View,
        partials: PartialStates,
        plan: ColumnPlan,
        question: UsageQuestion,
        windows: Windows,
        customers: Sequence[str] | None,
    ) -> None:
        self._view, self._partials, self._plan = view, partials, plan
        self._question, self._windows, self._customers = question, windows, customers
        self._columns: ColumnStates = partials.columns

    def states(self) -> StateColumns | None:
        """Return the states by group and window."""
        question, folding = self._question, self._plan.folding
        snapshot = self._columns.snapshot(self._view.segments, self._view.voids.targets)
        tails = [self._tail(tail) for tail in self._view.tails]
        known = [states for states in tails if states is not None]
        if len(known) < len(tails):
            return None
        end = question.end
        if max([snapshot.last_time, *(states.last_time for states in known)]) < end:
            # Nothing has come that `to` would cut off: the bucket that it lies in counts as a whole.
            end = end_of_bucket(end, folding.cut, folding.timezone)
        whole = whole_buckets(question.start, end, folding.cut, folding.timezone)
        if whole is None:
            return None
        start, end = whole
        may_wait = self._customers is None or len(self._customers) > CUSTOMERS_LOOKED_UP_MAX
        covering = self._columns.covering(self._plan, snapshot, start=start, end=end, may_wait=may_wait)
        if covering is None:
            return None
        loose = [(left, right) for left, right in ((question.start, start), (end, question.end)) if left < right]
        found = [covering.states] if covering.states is not None else []
        found += [piece for states in known for piece in states.pieces]
        parts: list[StateColumns | None] = [self._wanted(states, start, end) for states in found]
        parts += self._partials.fold_all(self._folds(snapshot, covering, loose))
        parts += [
            self._loose_tail(tail, left, right)
            for tail, states in zip(self._view.tails, known, strict=True)
            for left, right in loose
            if states.first_time < right and left <= states.last_time
        ]
        fitting = [part for part in parts if part is not None]
        return put_together(fitting) if fitting and len(fitting) == len(parts) else None

    def _wanted(self, states: StateColumns, start: int, end: int) -> StateColumns:
        """Return the states of these buckets and of the question's customers, by window."""
        return self._of_customers(states).within(start, end).in_windows(self._windows.edges)

    def _of_customers(self, states: StateColumns) -> StateColumns:
        customers = self._customers
        groups = self._plan.groups
        if customers is None:
            return states
        if groups.names == (CUSTOMER,):
            known = (groups.find(customer) for customer in customers)
            return states.of_groups([group for group in known if group is not None])
        found = states.groups[states.run_starts()]
        texts = groups.columns(found)[groups.names.index(CUSTOMER)]
        is_wanted = texts.is_in(pl.Series(customers, dtype=pl.String).implode()).to_numpy()
        return states.of_groups(found[is_wanted].tolist())

    def _tail(self, tail: LiveTail) -> TailStates | None:
        view = self._view
        return self._columns.tails.states(self._plan, tail, head=view.head.position, voided=view.voids.targets)

    def _loose_tail(self, tail: LiveTail, start: int, end: int) -> StateColumns | None:
        view, edges = self._view, self._windows.edges
        voided = view.voids.targets
        found = fold_tail(self._plan, tail, head=view.head.position, voided=voided, start=start, end=end, edges=edges)
        return None if found is None else self._of_customers(found)

    def _folds(
        self, snapshot: Snapshot, covering: Covering, loose: Sequence[tuple[int, int]]
    ) -> list[Callable[[], StateColumns | None]]:
        """Return what is still to be folded of the files: the ends of those that states cover, and all that is wanted of the others."""
        question = self._question
        missing = {counted.name for counted in covering.missing}
        ends = [
            (counted, left, right)
            for left, right in loose
            for counted in snapshot.holding(self._plan.folding.meter.event_type, left, right)
            if counted.name not in missing
        ]
        whole = [(counted, int(question.start), int(question.end)) for counted in covering.missing]
        return [self._fold_of(*each) for each in (*ends, *whole)]

    def _fold_of(self, counted: CountedFile, start: int, end: int) -> Callable[[], StateColumns | None]:
        columns, plan = self._columns, self._plan
        edges = self._windows.edges
        first, last = np.searchsorted(edges, (start, end), side="right").tolist()
        # The windows from the one that `start` lies in, cut to the range.
        inner = edges[first : last if edges[last - 1] < end else last - 1]
        cut = np.concatenate([[start], inner, [end]])

        def fold() -> StateColumns | None:
            found = columns.fold(plan, counted, cut, self._customers)
            return None if found is None else found.moved(first - 1, len(edges) - 1)

        return fold


def _figures(
    states: StateColumns, plan: ColumnPlan, question: UsageQuestion, columns: ColumnStates
) -> OrderedFigures | None:
    """Return the figures that states by group and window have."""
    groups = plan.groups
    if plan.kind is Kind.CUSTOMERS:
        return _customers_counted(states)
    if groups.names != question.group_by:
        groups = columns.groups_of(question.group_by)
        regrouped = _regrouped(states, plan.groups, groups)
        if regrouped is None:
            return None
        states = regrouped
    starts = states.run_starts()
    totals = states.added_up(starts)
    return OrderedFigures(
        starts=np.append(starts, len(states)),
        windows=states.places,
        rows=_read(states),
        totals=_read(totals),
        texts=lambda places: groups.columns(totals.groups[places]),
        sorted=lambda places: groups.sorted(totals.groups[places]),
        scale=states.scale,
    )


def _read(states: StateColumns) -> Figures:
    return Figures(states.events, states.events if states.units is None else states.units)


def _regrouped(states: StateColumns, names: GroupCodes, wanted: GroupCodes) -> StateColumns | None:
    """Return the states by the wanted names, all of which are among those that the states go by."""
    if not wanted.names:
        return states.regrouped(np.zeros(len(states), np.int64))
    starts = states.run_starts()
    texts = dict(zip(names.names, names.columns(states.groups[starts]), strict=True))
    groups = wanted.of([texts[name] for name in wanted.names], height=len(starts))
    if groups is None:
        return None
    return states.regrouped(np.repeat(groups, np.diff(np.append(starts, len(states)))))


def _customers_counted(states: StateColumns) -> OrderedFigures:
    """Return how many customers each window has: a state is one customer's in one window."""
    windows = len(states.buckets)
    customers = np.bincount(states.places, minlength=windows)
    events = np.zeros(windows, np.int64)
    np.add.at(events, states.places, states.events)
    found = np.flatnonzero(customers)
    total = 1 if len(found) else 0
    everything = Figures(np.full(total, int(states.events.sum())), np.full(total, len(states.run_starts()), np.int64))
    return OrderedFigures(
        starts=np.array([0, len(found)][: total + 1]),
        windows=found,
        rows=Figures(events[found], customers[found].astype(np.int64)),
        totals=everything,
        texts=lambda _places: [],
        sorted=lambda places: np.arange(len(places)),
        scale=0,
    )
