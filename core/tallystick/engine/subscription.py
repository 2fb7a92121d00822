"""Accepted events as they land, for whoever watches.

The writer hands each watcher the columns of a commit and never waits: a watcher that falls behind by more than the limit loses the
oldest and is told how many. Events are made into objects on the watcher's own thread.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Final

from tallystick.event import EventState, StoredEvent
from tallystick.event_columns import EventColumns

_EVENTS_MAX: Final = 20_000
_TAKE_MAX: Final = 1_000


class EventSubscription:
    """One watcher's queue. `offer` is the writer's, the rest the watcher's."""

    def __init__(
        self, *, customer: str | None, event_type: str | None, forget: Callable[[EventSubscription], None]
    ) -> None:
        self._customer = customer
        self._event_type = event_type
        self._forget = forget
        self._landed = threading.Condition()
        self._pieces: deque[EventColumns] = deque()
        self._ready: deque[StoredEvent] = deque()
        self._waiting_events = 0
        self._missed = 0
        self._is_closed = False

    def offer(self, columns: EventColumns) -> None:
        """Queue events that are on disk; never waits."""
        with self._landed:
            self._pieces.append(columns)
            self._waiting_events += len(columns)
            while self._waiting_events > _EVENTS_MAX and len(self._pieces) > 1:
                gone = self._pieces.popleft()
                self._waiting_events -= len(gone)
                self._missed += self._wanted_count(gone)
            self._landed.notify()

    def take(self, timeout_s: float) -> tuple[list[StoredEvent], int]:
        """Return the next events, at most 1,000, and how many were missed before them; both empty when the time is over."""
        with self._landed:
            if not (self._ready or self._pieces or self._missed or self._is_closed):
                self._landed.wait(timeout_s)
            missed, self._missed = self._missed, 0
            pieces: list[EventColumns] = []
            while self._pieces and len(self._ready) + sum(map(len, pieces)) < _TAKE_MAX:
                pieces.append(self._pieces.popleft())
                self._waiting_events -= len(pieces[-1])
        for piece in pieces:
            self._ready.extend(
                piece.stored_event(row, state=EventState.COUNTED)
                for row in range(len(piece))
                if self._is_wanted(piece, row)
            )
        return [self._ready.popleft() for _ in range(min(_TAKE_MAX, len(self._ready)))], missed

    def take_newest(self, count_max: int, timeout_s: float) -> tuple[list[StoredEvent], int]:
        """Return the newest of what waits, at most `count_max`, and how many others there were; both empty when the time is over.

        Makes objects of what is returned only: a sample of a flood costs what a sample costs.
        """
        with self._landed:
            if not (self._ready or self._pieces or self._missed or self._is_closed):
                self._landed.wait(timeout_s)
            missed, self._missed = self._missed, 0
            pieces = list(self._pieces)
            self._pieces.clear()
            self._waiting_events = 0
        newest: deque[StoredEvent] = deque()
        for piece in reversed(pieces):
            rows = (
                range(len(piece)) if self._is_for_all else [r for r in range(len(piece)) if self._is_wanted(piece, r)]
            )
            room = count_max - len(newest)
            missed += max(len(rows) - room, 0)
            for row in reversed(rows[len(rows) - min(room, len(rows)) :]):
                newest.appendleft(piece.stored_event(row, state=EventState.COUNTED))
        # What `take` made and did not hand out yet is older than all pieces.
        missed += len(self._ready)
        self._ready.clear()
        return list(newest), missed

    @property
    def _is_for_all(self) -> bool:
        return self._customer is None and self._event_type is None

    def close(self) -> None:
        """End the subscription; a `take` that waits returns at once. Idempotent."""
        with self._landed:
            self._is_closed = True
            self._landed.notify_all()
        self._forget(self)

    def _wanted_count(self, columns: EventColumns) -> int:
        # On the writer's thread: whole columns where one of them decides, or nothing does.
        if self._customer is None and self._event_type is None:
            return len(columns)
        if self._event_type is None:
            return columns.customers.count(self._customer)
        if self._customer is None:
            return columns.types.count(self._event_type)
        return sum(self._is_wanted(columns, row) for row in range(len(columns)))

    def _is_wanted(self, columns: EventColumns, row: int) -> bool:
        return (self._customer is None or columns.customers[row] == self._customer) and (
            self._event_type is None or columns.types[row] == self._event_type
        )


class Watchers:
    """Who watches. A copy is swapped on every change, so that the writer reads without a lock."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._watchers: tuple[EventSubscription, ...] = ()

    def watch(self, *, customer: str | None, event_type: str | None) -> EventSubscription:
        """Return a new subscription, which sees what lands from now on."""
        subscription = EventSubscription(customer=customer, event_type=event_type, forget=self._forget)
        with self._guard:
            self._watchers = (*self._watchers, subscription)
        return subscription

    def offer(self, pieces: list[EventColumns]) -> None:
        """Hand events that are on disk to everybody."""
        for watcher in self._watchers:
            for piece in pieces:
                watcher.offer(piece)

    def close(self) -> None:
        """End every subscription."""
        for watcher in self._watchers:
            watcher.close()

    def _forget(self, subscription: EventSubscription) -> None:
        with self._guard:
            self._watchers = tuple(watcher for watcher in self._watchers if watcher is not subscription)
