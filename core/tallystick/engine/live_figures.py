"""Running figures: what a meter shows of a customer now, in microseconds, including every acknowledged event.

Promises: an answer is that of the normal question at the position it names, where the log ended at some instant after it was asked,
whatever came before: late events, events sent again, voids, new versions of the meter, checkpoints and merges of segments, a restart.
How: for each customer that was asked about, the aggregation's state as of a position P is kept. What came past P is found by customer
(`RecentEvents`) and folded on top when somebody asks. States are of the log, not of files, so a checkpoint or a merge changes none. A void
drops the customer's states; a state whose customer had events that are not held any more is dropped too: what is not kept is built anew
from partials, as any question is. A meter's version is part of the key. Nothing of this is on disk: a start begins empty.
Before the oldest of the recent events go, the states of their customers take them in: a little at a time, once more than half is held of
what may be (`tidy`), so that nobody waits for it; all that has to be, by whoever asks, where events come faster than that.
Bounded: twice the events that `RecentEvents` may hold, where they come faster than room is made; `STATES_MAX` states, those asked for the
longest ago go first; a state with more than `STATE_SIZE_MAX` groups or distinct values is not kept, and its figure answered by the normal
question each time.
Aggregations whose states do not run (see `running_state`) are answered by the normal question as well; `is_running` says which it was.
Costs, for a customer that was asked about before: 15 µs, and 3 to 8 µs for each of its events that came since, up to
`ROWS_ONE_BY_ONE_MAX`; a millisecond or two for more of them at once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from tallystick.event_columns import EventColumns
from tallystick.instant import Clock
from tallystick.segments.segment_set import SegmentSet
from tallystick.signals.calendar_period import Span

from .kept_states import GroupStates, KeptStates
from .live_figure import LiveAnswer, LiveAnswers, LiveFigure
from .live_question import LiveQuestion, QuestionReader, StateKey
from .live_states import built_states, figures_asked, fold_table
from .recent_events import RECENT_EVENTS_MAX, RecentEvents, without
from .states_view import StatesView
from .tidying import Tidying
from .view import View
from .void_index import NO_VOIDS, Voids

# Past this, folding columns takes less time than folding events.
ROWS_ONE_BY_ONE_MAX: Final = 128
# Corrections come one by one or in thousands; past this it is quicker to forget all states than to look up whose they are.
VOIDS_LOOKED_UP_MAX: Final = 1_000
# What may be done where nothing may wait: a millisecond of work at most. Whoever is at it is through in less, as a rule; to wait a little
# longer, without the interpreter, costs less than to ask again on a thread, tens of milliseconds beside ingest.
_AT_ONCE_EVENTS_MAX: Final = 2_048
_AT_ONCE_SIZE_MAX: Final = 100
_AT_ONCE_WAIT_S: Final = 0.004
_WATCHES_MAX: Final = 4_096


class LiveFigures:
    """The running figures of one engine. Safe from any thread."""

    def __init__(
        self,
        *,
        newest_view: Callable[[], View],
        states_view: Callable[[View], StatesView],
        columns_at: Callable[[int], EventColumns],
        clock: Clock,
    ) -> None:
        self._newest_view, self._states_view = newest_view, states_view
        self._columns_at, self._clock = columns_at, clock
        # Whoever makes room does it under a guard that he may hold already; one at a time, and never waited for under the guard.
        self._guard = threading.RLock()
        self._tidying = threading.Lock()
        self._recent = RecentEvents(0)
        self._segments: SegmentSet | None = None
        self._voids: Voids = NO_VOIDS
        # Positions that were voided since `self._recent` began; no other one is among the events that are folded.
        self._voided: set[int] = set()
        # Raised whenever a state that is being built elsewhere may be wrong once it is done.
        self._generation = 0
        self._kept = KeptStates()
        self._readers: dict[bytes, QuestionReader] = {}
        self.hits = 0
        self.misses = 0

    def figure(self, asked: LiveQuestion, customer: str | None, span: Span) -> LiveAnswer:
        """Return the figure of one customer, or (None) of all together. Raises as a usage question does."""
        question_key = asked.key
        reader = self._reader_of(asked, question_key)
        if not reader.is_running:
            view = self._newest_view()
            customers = None if customer is None else [customer]
            figures = figures_asked(self._states_view(view), reader, customers, span, clock=self._clock)
            return LiveAnswer(view.head.position, figures[customer], is_running=False)
        key = StateKey(question_key, span.start, span.end, customer)
        with self._guard:
            view = self._follow()
            state = self._current(reader, key)
            if state is not None:
                return LiveAnswer(view.head.position, _figures(reader, state), is_running=True)
            generation = self._generation
        built = built_states(self._states_view(view), reader, [customer], span)[customer]
        answer = LiveAnswer(view.head.position, _figures(reader, built), is_running=True)
        with self._guard:
            self._keep(key, built, generation)
        return answer

    def figure_at_once(self, asked: LiveQuestion, customer: str | None, span: Span) -> LiveAnswer | None:
        """Do as `figure` where that takes a millisecond or less; None, soon: ask `figure`, on a thread."""
        question_key = asked.key
        reader = self._readers.get(question_key)
        if reader is None or not reader.is_running or not self._guard.acquire(timeout=_AT_ONCE_WAIT_S):
            return None
        try:
            key = StateKey(question_key, span.start, span.end, customer)
            if self._kept.peek(key) is None or not self._can_follow_at_once():
                return None
            view = self._follow(at_once=True)
            state = self._kept.peek(key)
            if state is None or state.size > _AT_ONCE_SIZE_MAX:
                return None
            if len(self._recent.rows_after(customer, state.position)) > ROWS_ONE_BY_ONE_MAX:
                return None
            self._current(reader, key)
            return LiveAnswer(view.head.position, _figures(reader, state), is_running=True)
        finally:
            self._guard.release()

    def figures_of(self, asked: LiveQuestion, customers: Sequence[str], span: Span) -> LiveAnswers:
        """Return the figures of many customers, each on its own, all as of one position. Raises as a usage question does."""
        question_key = asked.key
        reader = self._reader_of(asked, question_key)
        keys = {customer: StateKey(question_key, span.start, span.end, customer) for customer in customers}
        if not reader.is_running:
            view = self._newest_view()
            figures = figures_asked(self._states_view(view), reader, list(keys), span, clock=self._clock)
            return LiveAnswers(view.head.position, {each: figures[each] for each in keys}, is_running=False)
        with self._guard:
            view = self._follow()
            states = self._current_of_many(reader, keys)
            generation = self._generation
            figures = {customer: _figures(reader, state) for customer, state in states.items()}
        missing = [customer for customer in keys if customer not in figures]
        if missing:
            built = built_states(self._states_view(view), reader, missing, span)
            figures |= {customer: _figures(reader, built[customer]) for customer in missing}
            with self._guard:
                for customer in missing:
                    self._keep(keys[customer], built[customer], generation)
        return LiveAnswers(view.head.position, figures, is_running=True)

    def follow(self) -> None:
        """Take what came since the last question, so that the next one finds little to do; nothing while there are no states."""
        with self._guard:
            if len(self._kept):
                self._follow()

    def tidy(self) -> bool:
        """Make some room for new events; False where there is enough. Takes a while, but nobody waits for it."""
        with self._tidying:
            with self._guard:
                if not self._recent.is_more_than_half():
                    return False
                oldest = self._oldest()
            oldest.run()
            return True

    def forget(self) -> None:
        """Let every state and every event go; nothing where there are none."""
        with self._guard:
            if len(self._kept) or len(self._recent):
                self._begin_anew(self._newest_view())

    @property
    def state_count(self) -> int:
        """How many states are kept."""
        return len(self._kept)

    @property
    def questions(self) -> int:
        """How often a state was asked for."""
        return self.hits + self.misses

    def counters(self) -> dict[str, int]:
        """Return what was done since the start."""
        return {"live_figures_hits": self.hits, "live_figures_misses": self.misses}

    # Following the log; all of it under the guard.

    def _follow(self, *, at_once: bool = False) -> View:
        """Take what the log holds up to its head, and return the view of that moment; `at_once`, nothing that takes long is done."""
        view = self._newest_view()
        recent, head = self._recent, int(view.head.position)
        if head == recent.position and view.voids is self._voids and view.segments is self._segments:
            return view
        blocks = self._blocks_to(view)
        if blocks is None or sum(map(len, blocks)) > RECENT_EVENTS_MAX:
            self._begin_anew(view)
            return view
        if view.voids is not self._voids:
            self._take_voids(view.voids)
        recent.append(blocks, position=head)
        if recent.is_too_large() and not at_once:
            self._make_room(view)
        return view

    def _make_room(self, view: View) -> None:
        """Do what `tidy` did not get to, while all others wait: events come faster than somebody makes room for them."""
        while self._recent.is_too_large():
            if not self._tidying.acquire(blocking=False):  # it is at it, and waits for the guard
                if self._recent.is_twice_too_large():
                    self._begin_anew(view)
                return
            try:
                self._oldest().run()
            finally:
                self._tidying.release()

    def _oldest(self) -> Tidying:
        return Tidying(self._recent, self._kept, self._readers, self._voided, guard=self._guard)

    def _blocks_to(self, view: View) -> list[EventColumns] | None:
        """Return what the view has past what was taken already; None where some of it lies in segments alone by now."""
        position, head = self._recent.position, view.head.position
        if view.segments is not self._segments:
            if any(file.entry.last_position > position for file in view.segments.files) or head < position:
                return None
            self._segments = view.segments
        return [block for tail in view.tails for block in tail.blocks_between(position, head)]

    def _can_follow_at_once(self) -> bool:
        view = self._newest_view()
        if view.voids is not self._voids or view.segments is not self._segments:
            return False
        after, head = self._recent.position, view.head.position
        return (
            sum(len(block) for tail in view.tails for block in tail.blocks_between(after, head)) <= _AT_ONCE_EVENTS_MAX
        )

    def _begin_anew(self, view: View) -> None:
        self._generation += 1
        self._kept.clear()
        self._recent = RecentEvents(int(view.head.position))
        self._segments, self._voids, self._voided = view.segments, view.voids, set()

    def _take_voids(self, voids: Voids) -> None:
        position = self._recent.position
        fresh: list[int] = voids.targets[voids.since > position].tolist()
        self._voids = voids
        self._voided.update(fresh)
        folded = [target for target in fresh if target <= position]
        if not folded:
            return
        self._generation += 1
        if len(folded) > VOIDS_LOOKED_UP_MAX:
            self._kept.clear()
            return
        for target in folded:
            self._kept.forget_customer(self._recent.customer_at(target) or self._customer_at(target))
        self._kept.forget_customer(None)

    def _customer_at(self, position: int) -> str:
        columns = self._columns_at(position)
        return columns.customers[position - columns.first_position]

    # States; under the guard.

    def _current(self, reader: QuestionReader, key: StateKey) -> GroupStates | None:
        """Return the state of one customer with everything folded that was taken; None where there is none."""
        state = self._kept.use(key)
        if state is None:
            self.misses += 1
            return None
        self.hits += 1
        rows = self._recent.rows_after(key.customer, state.position)
        if len(rows) > ROWS_ONE_BY_ONE_MAX:
            self._fold_columns(reader, {key.customer: state}, rows, key)
        else:
            self._fold_rows(reader, state, rows, key)
        state.position = self._recent.position
        self._kept.check_size(key, state)
        return state

    def _current_of_many(self, reader: QuestionReader, keys: Mapping[str, StateKey]) -> dict[str, GroupStates]:
        """Return the states of those that have one, with everything folded that was taken."""
        used = ((customer, self._kept.use(key)) for customer, key in keys.items())
        found = {customer: state for customer, state in used if state is not None}
        self.hits += len(found)
        self.misses += len(keys) - len(found)
        behind = {customer: self._recent.rows_after(customer, state.position) for customer, state in found.items()}
        behind = {customer: rows for customer, rows in behind.items() if rows}
        if sum(map(len, behind.values())) > ROWS_ONE_BY_ONE_MAX:
            chosen = sorted(row for rows in behind.values() for row in rows)
            self._fold_columns(reader, {**found}, chosen, next(iter(keys.values())))
        else:
            for customer, rows in behind.items():
                self._fold_rows(reader, found[customer], rows, keys[customer])
        for customer, state in found.items():
            state.position = self._recent.position
            if customer in behind:
                self._kept.check_size(keys[customer], state)
        return found

    def _fold_rows(self, reader: QuestionReader, state: GroupStates, rows: Sequence[int], key: StateKey) -> None:
        groups, voided = state.groups, self._voided
        for columns, place in self._recent.each(rows):
            position = columns.first_position + place
            if position in voided:
                continue
            read = reader.read(columns, place, key)
            if read is not None:
                group, operands, time = read
                found = groups.get(group)
                if found is None:
                    found = groups[group] = reader.new_state()
                found.add(operands, time, position)

    def _fold_columns(
        self, reader: QuestionReader, states: Mapping[str | None, GroupStates], rows: Sequence[int], key: StateKey
    ) -> None:
        table = self._recent.table(rows, reader.property_names)
        fold_table(reader, states, without(table, self._voided), start=key.start, end=key.end)

    def _keep(self, key: StateKey, state: GroupStates, generation: int) -> None:
        """Keep a state that was built meanwhile, unless something happened that it does not know of."""
        if generation == self._generation and state.position >= self._recent.position_start:
            self._kept.keep(key, state)

    def _reader_of(self, asked: LiveQuestion, key: bytes) -> QuestionReader:
        reader = self._readers.get(key)
        if reader is None:
            reader = QuestionReader(asked)
            if len(self._readers) >= _WATCHES_MAX:
                self._readers = {}
            self._readers[key] = reader
        return reader


def _figures(reader: QuestionReader, state: GroupStates) -> list[LiveFigure]:
    if not state.groups and not reader.asked.group_by:
        return [LiveFigure((), reader.aggregator.nothing, 0)]
    return [LiveFigure(group, each.value(), each.events) for group, each in state.groups.items()]
