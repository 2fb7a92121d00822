"""Making room for new events: the oldest of the recent ones go, once the running states of their customers hold them.

A state that is asked for now and then would otherwise be built anew each time, at the cost of a usage question.
Promises: whoever asks meanwhile waits for a fraction of a millisecond, and is answered as if nothing happened: columns are folded without
the guard, and states change under it, a few customers at a time. A state that cannot take its events in (too many questions are asked, a
plugin fails) is forgotten, and built anew for who asks for it.
How: a state takes a stretch of the log in if nobody changed it since its position was read. The stretch counts as gone before the states
that do not hold it are forgotten, so that none that is built elsewhere is kept without it; only then its rows go.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from itertools import islice
from typing import Final, TypeVar

import polars as pl

from tallystick.segments.event_table import event_table
from tallystick.usage.event_frames import CUSTOMER, POSITION

from .kept_states import GroupStates, KeptStates
from .live_question import QuestionReader, StateKey
from .live_states import StateRow, folded_table, rows_by_customer, take_rows
from .recent_events import RecentEvents, with_columns_of, without

# 50 ms of folding, most of it without the interpreter.
EVENTS_AT_ONCE: Final = 16_384
# Customers whose states or rows change while others wait.
_CUSTOMERS_AT_ONCE: Final = 50
# Of so many questions at most the states take in events that go.
_QUESTIONS_MAX: Final = 16

_log: Final = logging.getLogger("tallystick.live")
_PAST: Final = "states hold all up to"
T = TypeVar("T")

# States as they were listed: by customer, each with the position of then.
Behind = dict[str | None, tuple[GroupStates, int]]


class Tidying:
    """The oldest stretch on its way out; made under the guard. `voided`: the positions that were voided since `recent` began."""

    def __init__(
        self,
        recent: RecentEvents,
        kept: KeptStates,
        readers: Mapping[bytes, QuestionReader],
        voided: set[int],
        *,
        guard: threading.RLock,
    ) -> None:
        self._recent, self._kept, self._readers, self._voided, self._guard = recent, kept, readers, voided, guard
        self._oldest = recent.oldest(EVENTS_AT_ONCE)

    def run(self) -> None:
        """Do it; on one thread at a time."""
        for question, behind in islice(self._behind().items(), _QUESTIONS_MAX):
            reader = self._readers.get(question.question)
            if reader is not None:
                try:
                    self._take_in(reader, question, behind)
                except Exception as error:  # noqa: BLE001 - a plugin's, or of a block that cannot be read: told to whoever asks
                    _log.warning("running states are built anew, for they could not go on: %s", error)
        self._let_go()

    @cached_property
    def _customers(self) -> list[str]:
        return self._oldest.customers()

    @cached_property
    def _table(self) -> pl.DataFrame:
        return event_table(self._oldest.blocks)

    def _behind(self) -> dict[StateKey, Behind]:
        """Return the states that do not hold the stretch, by question (a key without its customer), that of the most customers first."""
        found: dict[StateKey, Behind] = {}
        for few in _pieces([*self._customers, None]):
            with self._guard:
                for key, state in self._kept.behind(few, self._oldest.position):
                    question = StateKey(key.question, key.start, key.end, None)
                    found.setdefault(question, {})[key.customer] = (state, state.position)
        return dict(sorted(found.items(), key=lambda each: -len(each[1])))

    def _take_in(self, reader: QuestionReader, question: StateKey, behind: Behind) -> None:
        together = behind.pop(None, None)
        parts: list[Behind] = [behind, {} if together is None else {None: together}]
        for part in filter(None, parts):
            found = self._folded(reader, question, part)
            for few in _pieces(list(part.items())):
                with self._guard:
                    for customer, (state, position) in few:
                        key = StateKey(question.question, question.start, question.end, customer)
                        # It holds more by now if somebody asked for it, and is not right any more if somebody forgot it.
                        if state.position == position and self._kept.peek(key) is state:
                            take_rows(reader, state, found.get(customer, ()))
                            state.position = self._oldest.position
                            self._kept.check_size(key, state)

    def _folded(self, reader: QuestionReader, question: StateKey, part: Behind) -> dict[str | None, list[StateRow]]:
        """Return what the stretch holds past each state's position."""
        table, is_apart = self._table, None not in part
        if is_apart:
            past = {CUSTOMER: list(part), _PAST: [position for _, position in part.values()]}
            schema = {CUSTOMER: table.schema[CUSTOMER], _PAST: pl.Int64}
            table = table.join(pl.DataFrame(past, schema), on=CUSTOMER, maintain_order="left")
            table = table.filter(pl.col(POSITION) > pl.col(_PAST)).drop(_PAST)
        else:
            table = table.filter(pl.col(POSITION) > part[None][1])
        with self._guard:
            voided = frozenset(self._voided)
        read = without(with_columns_of(table, reader.property_names), voided)
        folded = folded_table(reader, read, start=question.start, end=question.end, is_apart=is_apart)
        return rows_by_customer(reader, folded, is_apart=is_apart)

    def _let_go(self) -> None:
        with self._guard:
            self._recent.leave(self._oldest)
        for few in _pieces([*self._customers, None]):
            with self._guard:
                for key, state in list(self._kept.behind(few, self._oldest.position)):
                    self._kept.forget(key, state)
        for few in _pieces(self._customers):
            with self._guard:
                self._recent.let_go_of(self._oldest, few)
        with self._guard:
            self._recent.let_go(self._oldest)


def _pieces(items: Iterable[T]) -> Iterator[list[T]]:
    left = iter(items)
    while few := list(islice(left, _CUSTOMERS_AT_ONCE)):
        yield few
