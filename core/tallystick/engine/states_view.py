"""A view that answers questions from states: those of whole buckets were merged long before, the rest is folded now.

Promises: the states are those of the events that the view's frames hold. Aggregations that are not listed here (plugins, levels) are
left to be folded from the frames: nothing says that merging their states in another order gives the same state.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import polars as pl

from tallystick.cancellation import collected
from tallystick.event import Position
from tallystick.instant import Instant
from tallystick.meter import Meter
from tallystick.partials.buckets import whole_buckets
from tallystick.partials.counted_file import CountedFile, counted_files
from tallystick.partials.fold_segment import PLACE, fold_segment
from tallystick.partials.folding import Folding, folding_of
from tallystick.partials.merged_states import BUCKET, MergedStates, of_customers
from tallystick.partials.partial_states import PartialStates
from tallystick.segments.selection import Selection
from tallystick.usage.aggregators import Aggregator
from tallystick.usage.aggregators.avg import Avg
from tallystick.usage.aggregators.count import Count
from tallystick.usage.aggregators.latest import Latest
from tallystick.usage.aggregators.max import Max
from tallystick.usage.aggregators.min import Min
from tallystick.usage.aggregators.sum import Sum
from tallystick.usage.aggregators.unique import Unique
from tallystick.usage.counted_events import WINDOW, counted_events, group_columns
from tallystick.usage.event_frames import TIME
from tallystick.usage.ordered_figures import FigureSource, OrderedFigures
from tallystick.usage.question import UsageQuestion, WindowSize
from tallystick.usage.windows import Windows

from .figures_view import CUSTOMERS_LOOKED_UP_MAX, figures_from_columns
from .view import View

FOLDED: Final = (Avg, Count, Latest, Max, Min, Sum, Unique)


class StatesView(FigureSource):
    """An `EventFrames` and a `StateSource` over one view."""

    def __init__(self, view: View, partials: PartialStates) -> None:
        self.view, self.partials = view, partials

    def frames(
        self,
        *,
        event_type: str,
        start: Instant,
        end: Instant,
        properties: Sequence[str] = (),
        customers: Sequence[str] | None = None,
        as_of: Position | None = None,
    ) -> list[pl.LazyFrame]:
        """Answer as `EventFrames` says."""
        return self.view.frames(
            event_type=event_type, start=start, end=end, properties=properties, customers=customers, as_of=as_of
        )

    def states(
        self, meter: Meter, question: UsageQuestion, *, aggregator: Aggregator, windows: Windows
    ) -> pl.DataFrame | None:
        """Return the states of the question's events by its group columns and `WINDOW`; None where the frames are to be folded."""
        folding, selection = folding_of(meter, question)
        if not isinstance(aggregator, FOLDED) or not len(windows) or selection.is_empty:
            return None
        asked = _Asked(self.view, self.partials, folding, question, windows, selection.customers)
        groups = group_columns(question)
        keys = [*groups, WINDOW]
        events = counted_events(_Tails(self.view), meter, question, keys=groups, operands=aggregator.operands)
        tails = aggregator.fold(events.with_columns(windows.index_of(pl.col(TIME)).alias(WINDOW)), keys)
        parts = asked.parts()
        if self.view.tail_events:
            parts.append(collected(tails))
        parts = [part for part in parts if part.height] or [parts[0] if parts else collected(tails)]
        if len(parts) == 1 and asked.is_one_state_a_group:
            return parts[0]
        columns = parts[0].columns
        states = pl.concat([part.select(columns) for part in parts])
        return collected(aggregator.merge(states.lazy(), keys))

    def figures(
        self, meter: Meter, question: UsageQuestion, *, aggregator: Aggregator, windows: Windows
    ) -> OrderedFigures | None:
        """Return the question's figures where they are to be had from columns of states."""
        return figures_from_columns(self.view, self.partials, meter, question, aggregator=aggregator, windows=windows)


class _Tails:
    """The frames of what is in no segment yet."""

    def __init__(self, view: View) -> None:
        self._view = view

    def frames(
        self,
        *,
        event_type: str,
        start: Instant,
        end: Instant,
        properties: Sequence[str] = (),
        customers: Sequence[str] | None = None,
        as_of: Position | None = None,
    ) -> list[pl.LazyFrame]:
        return self._view.tail_frames(
            event_type=event_type, start=start, end=end, properties=properties, customers=customers, as_of=as_of
        )


class _Asked:
    """One question's way through the segments."""

    def __init__(
        self,
        view: View,
        partials: PartialStates,
        folding: Folding,
        question: UsageQuestion,
        windows: Windows,
        customers: Sequence[str] | None,
    ) -> None:
        self._partials, self._folding, self._question, self._windows = partials, folding, question, windows
        self._customers = customers
        self._is_loose = False
        self._position = view.reached(question.as_of)
        self._segments, self._voids = view.segments, view.voids
        self._touched = counted_files(
            view.segments.touched(self._selection(question.start, question.end)), view.voids.as_of(self._position)
        )

    @property
    def is_one_state_a_group(self) -> bool:
        """Whether states of whole buckets are those of the question's windows and groups as they are."""
        question = self._question
        is_by_bucket = question.window in {WindowSize.DAY, WindowSize.HOUR} and not self._is_loose
        return is_by_bucket and set(question.group_by) == set(self._folding.by)

    def parts(self) -> list[pl.DataFrame]:
        """Return the states of the segments' events; a group may be in several parts."""
        question = self._question
        whole = self._whole_buckets()
        merged = None if whole is None else self._merged(*whole)
        self._is_loose = merged is not None and not merged.is_tidy
        parts: list[pl.DataFrame] = []
        ranges = [(question.start, question.end)]
        if merged is not None and whole is not None:
            parts.append(self._taken(merged, *whole))
            ranges = [(question.start, Instant(whole[0])), (Instant(whole[1]), question.end)]
        folds: list[Callable[[], pl.DataFrame]] = []
        for counted in self._touched:
            is_covered = merged is not None and merged.covers(counted)
            for start, end in ranges if is_covered else [(question.start, question.end)]:
                if self._selection(start, end).may_touch(counted.file.entry) and start < end:
                    folds.append(self._fold_of(counted, start, end))
        return parts + [self._in_groups(states, PLACE) for states in self._partials.fold_all(folds)]

    def _whole_buckets(self) -> tuple[int, int] | None:
        """Return where whole buckets begin and end; None where states are of no use."""
        question = self._question
        if not self._partials.is_on or question.window is WindowSize.MINUTE or not self._is_as_now():
            return None
        return whole_buckets(question.start, question.end, self._folding.cut, question.timezone)

    def _is_as_now(self) -> bool:
        """Whether the segments' events are those that count now, and not fewer as of an earlier position."""
        has_all = all(file.entry.last_position <= self._position for file in self._segments.files)
        return has_all and len(self._voids.as_of(self._position)) == len(self._voids.targets)

    def _merged(self, start: int, end: int) -> MergedStates | None:
        selection = self._selection(Instant(start), Instant(end))
        return self._partials.merged(
            self._folding,
            [counted for counted in self._touched if selection.may_touch(counted.file.entry)],
            self._partials.known(self._segments, self._voids.targets),
            may_wait=self._customers is None or len(self._customers) > CUSTOMERS_LOOKED_UP_MAX,
        )

    def _taken(self, merged: MergedStates, start: int, end: int) -> pl.DataFrame:
        customers = self._customers
        frame = merged.frame if customers is None else of_customers(merged, self._folding, customers)
        frame = frame.filter(pl.col(BUCKET).is_between(start, end, closed="left"))
        return self._in_groups(frame.with_columns(self._windows.index_of(pl.col(BUCKET)).alias(WINDOW)), BUCKET)

    def _in_groups(self, states: pl.DataFrame, place: str) -> pl.DataFrame:
        """Return states with the question's columns in place of the folding's."""
        by_name = {name: column for column, name in self._folding.by_columns.items()}
        if place == PLACE:
            states = states.rename({PLACE: WINDOW})
        keys = group_columns(self._question)
        others = [name for name in states.columns if name not in {*self._folding.by_columns, BUCKET, WINDOW}]
        return states.select(
            *(pl.col(by_name[name]).alias(column) for column, name in keys.items()), pl.col(WINDOW, *others)
        )

    def _fold_of(self, counted: CountedFile, start: Instant, end: Instant) -> Callable[[], pl.DataFrame]:
        selection = self._selection(start, end, counted)
        return lambda: fold_segment(counted.file, self._folding, selection, self._windows.edges)

    def _selection(self, start: Instant, end: Instant, counted: CountedFile | None = None) -> Selection:
        return Selection(
            event_type=self._folding.meter.event_type,
            start=start,
            end=end,
            customers=self._customers,
            last_position=self._position,
            voided=None if counted is None else counted.voided,
        )
