"""The writer: one thread that takes what is queued, commits it as a group, and answers each request once it is on disk.

Promises: requests are committed in the order they were queued; a group is at most `group_events_max` events, and whatever waits
while one is being synced makes up the next, so that the rate grows with the load while the wait does not.
The queue is bounded by events and by bytes; past either, a request is refused at once, before anything of it was stored.
After a failed write the writer takes nothing until the store was reopened and replayed from what the disk really holds.
Does not: decide or write (see `ledger`).
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Final, TypeVar

import msgspec

from tallystick.engine_settings import EngineSettings
from tallystick.errors import Closing, DamagedStore, Overloaded, StoreFailed, TallystickError, Unavailable
from tallystick.event_batch import EventBatch
from tallystick.failpoints import CrashedHere
from tallystick.store import IngestAnswer

from .ledger import Ledger

_log: Final = logging.getLogger("tallystick.writer")
_Result = TypeVar("_Result")
_RECOVERY_PAUSE_S: Final = 0.5
_RELIEF_PAUSE_S: Final = 0.02
# Measured at 1,600 single events a second: half of them were acknowledged within 8 ms without the pause, within 6 ms with it.
_GATHER_S: Final = 0.002
_GATHER_EVENTS: Final = 64
_NOBODY_WAITS: Final = 1 << 62

Done = Callable[[IngestAnswer | TallystickError], None]


_NOT_ACKNOWLEDGED: Final = "the write failed within the store; nothing of the request is acknowledged"


class _Request(msgspec.Struct, frozen=True):
    batch: EventBatch
    done: Done
    event_count: int


class _Command(msgspec.Struct, frozen=True):
    work: Callable[[], Any]  # Any: what a command answers is between it and its caller
    answer: Future[Any]


class Writer:
    """The thread and its queue."""

    def __init__(
        self,
        ledger: Ledger,
        settings: EngineSettings,
        *,
        recover: Callable[[], None],
        after_group: Callable[[], None],
        tail_events_max: int | None,
    ) -> None:
        """`recover` reopens the store and replays it; it raises what it cannot overcome, and is called again.

        `after_group` is told that events were written, so that a checkpoint can be due; it must not wait.
        While more than `tail_events_max` events are in memory only, nothing is written; None where nobody makes checkpoints by himself.
        """
        self._tail_events_max = tail_events_max
        self._after_group = after_group
        self._ledger = ledger
        self._recover_store = recover
        self._settings = settings
        self._wakeup = threading.Condition()
        self._queue: deque[_Request | _Command] = deque()
        self._queued_bytes = 0
        self.queued_events = 0
        self._is_closing = False
        # How many queued events wake the thread: it is not woken for each while it gathers, nor while it is at work.
        self._awaited_events = _NOBODY_WAITS
        self._company_events = 0
        self._next_commit_at_s = 0.0
        self.trouble: str | None = None
        self._thread = threading.Thread(target=self._run, name="tallystick-writer", daemon=True)

    def start(self) -> None:
        """Begin to take what is queued."""
        self._thread.start()

    def submit(self, batch: EventBatch, done: Done) -> None:
        """Queue a request and return. Raises `Overloaded`, `StoreFailed` or `Closing`; `done` is not called then."""
        event_count = len(batch) + len(batch.rejected)
        with self._wakeup:
            self._check_open()
            events, size = self.queued_events + event_count, self._queued_bytes + batch.decoded_bytes
            if self._queue and (events > self._settings.queue_events_max or size > self._settings.queue_bytes_max):
                raise Overloaded(f"{self.queued_events} events wait to be written; send them again in a moment")
            self.queued_events, self._queued_bytes = events, size
            self._queue.append(_Request(batch, done, event_count))
            if events >= self._awaited_events:
                self._wakeup.notify()

    def perform(self, work: Callable[[], _Result]) -> _Result:
        """Run work on the writer's thread, between two groups, and return what it returns or raise what it raises."""
        answer: Future[_Result] = Future()
        with self._wakeup:
            self._check_open()
            self._queue.append(_Command(work, answer))
            self._wakeup.notify()
        return answer.result()

    def close(self) -> None:
        """Write what is queued, then end. Idempotent."""
        with self._wakeup:
            self._is_closing = True
            self._wakeup.notify()
        if self._thread.is_alive():
            self._thread.join()

    def _check_open(self) -> None:
        if self._is_closing:
            raise Closing("the store is shutting down")
        if self.trouble is not None:
            raise StoreFailed(self.trouble)

    def _run(self) -> None:
        while (taken := self._take()) is not None:
            try:
                if isinstance(taken, _Command):
                    self._run_command(taken)
                elif taken:
                    self._commit(taken)
                    self._expect_company(taken)
                    self._after_group()
            except Unavailable as error:
                self._recover(str(error))
            except CrashedHere:
                self._die()
                return
            except Exception as error:  # noqa: BLE001 - the only writer must outlive a mistake of ours
                # A mistake of ours: what is in memory can no longer be trusted to agree with the log, so begin again from it.
                _log.exception("the writer failed")
                self._recover(f"internal error: {type(error).__name__}")

    def _take(self) -> _Command | list[_Request] | None:
        with self._wakeup:
            while not self._queue:
                if self._is_closing:
                    return None
                self._await(0, None)
            if isinstance(self._queue[0], _Command):
                return self._take_command()
            if self.is_held:
                return self._take_relief()
            self._gather()
            return self._take_group()

    def _expect_company(self, group: list[_Request]) -> None:
        """Remember what the next group may wait for: as many events as this one had, if they came from several requests."""
        if len(group) > 1:
            self._company_events = min(_GATHER_EVENTS, sum(request.event_count for request in group))
            self._next_commit_at_s = time.monotonic() + _GATHER_S

    def _gather(self) -> None:
        """Let a small group grow for a moment, until it is as large as the last: a commit costs about the same for one event and for fifty.

        Senders that wait for their answers come again together; a group of those who were quickest would leave the others to the next.
        """
        pause_s = self._next_commit_at_s - time.monotonic()
        if pause_s > 0 and self.queued_events < self._company_events and not self._is_closing:
            self._await(self._company_events, pause_s)

    def _await(self, event_count: int, timeout_s: float | None) -> None:
        """Sleep until a request makes it so many queued events (0: any request), a command comes, or the time is over."""
        self._awaited_events = event_count
        self._wakeup.wait(timeout_s)
        self._awaited_events = _NOBODY_WAITS

    def _take_group(self) -> list[_Request]:
        group: list[_Request] = []
        event_count = 0
        while self._queue and isinstance(following := self._queue[0], _Request):
            if group and event_count + following.event_count > self._settings.group_events_max:
                break
            group.append(following)
            event_count += following.event_count
            self._queue.popleft()
        self.queued_events -= event_count
        self._queued_bytes -= sum(request.batch.decoded_bytes for request in group)
        return group

    def _take_command(self) -> _Command | None:
        """Take the first command of the queue, past requests that wait."""
        for place, entry in enumerate(self._queue):
            if isinstance(entry, _Command):
                del self._queue[place]
                return entry
        return None

    def _take_relief(self) -> _Command | list[_Request]:
        """While checkpoints lag behind, take only commands, of which one ends a checkpoint; the queue fills and refuses meanwhile."""
        command = self._take_command()
        if command is not None:
            return command
        if self._is_closing:
            return self._take_group()
        self._wakeup.wait(_RELIEF_PAUSE_S)
        return []

    @property
    def is_held(self) -> bool:
        """Whether nothing is written before a checkpoint makes room in memory."""
        most = self._tail_events_max
        return most is not None and self._ledger.folds.projections.tail_weight >= most

    def _run_command(self, command: _Command) -> None:
        try:
            command.answer.set_result(command.work())
        except BaseException as error:
            if _needs_recovery(error):
                self.trouble = "a write failed"
            command.answer.set_exception(error if isinstance(error, Exception) else StoreFailed(_NOT_ACKNOWLEDGED))
            if _needs_recovery(error):
                raise

    def _commit(self, group: list[_Request]) -> None:
        try:
            answers = self._ledger.commit_events([request.batch for request in group])
        except DamagedStore as error:
            self._refuse_damaged(group, error)
            return
        except BaseException as error:
            if _needs_recovery(error):
                # Before anybody is answered: who hears of a failure and asks must not be told that all is well.
                self.trouble = "a write failed"
            _refuse(group, error if isinstance(error, Unavailable) else StoreFailed(_NOT_ACKNOWLEDGED))
            if _needs_recovery(error):
                raise
            return
        for request, answer in zip(group, answers, strict=True):
            request.done(answer)

    def _refuse_damaged(self, group: list[_Request], error: DamagedStore) -> None:
        """Refuse the request that asks about the damaged place, but not those that came beside it."""
        if len(group) > 1:
            for place, request in enumerate(group, start=1):
                try:
                    self._commit([request])
                except BaseException:
                    # It has refused its own request; those after it are in no queue any more.
                    _refuse(group[place:], StoreFailed(_NOT_ACKNOWLEDGED))
                    raise
            return
        _log.error("damaged store: %s", error)
        group[0].done(error)

    def _recover(self, cause: str) -> None:
        """Refuse everything until the store was reopened and replayed."""
        _log.error("writes stop: %s; reopening the store", cause)
        self.trouble = f"recovering after a failed write ({cause})"
        while True:
            self._refuse_queued(StoreFailed(self.trouble))
            try:
                self._recover_store()
            except Exception as error:  # noqa: BLE001 - without this thread nothing is ever written again
                self.trouble = f"the store cannot be reopened yet: {error}"
                _log.error("%s", self.trouble, exc_info=not isinstance(error, TallystickError | OSError))
                with self._wakeup:
                    if self._is_closing:
                        return
                    self._wakeup.wait(_RECOVERY_PAUSE_S)
            else:
                _log.warning("the store takes writes again")
                with self._wakeup:
                    self.trouble = None
                return

    def _refuse_queued(self, refusal: StoreFailed) -> None:
        with self._wakeup:
            waiting = list(self._queue)
            self._queue.clear()
            self.queued_events = self._queued_bytes = 0
        for entry in waiting:
            if isinstance(entry, _Command):
                entry.answer.set_exception(refusal)
            else:
                entry.done(refusal)

    def _die(self) -> None:
        self.trouble = "crashed at a failpoint"
        self._refuse_queued(StoreFailed(self.trouble))


def _needs_recovery(error: BaseException) -> bool:
    """Whether memory may no longer agree with the disk; errors that we raise on purpose, but for a failed write, left both alone."""
    return error.must_reopen if isinstance(error, Unavailable) else not isinstance(error, TallystickError)


def _refuse(group: list[_Request], refusal: TallystickError) -> None:
    for request in group:
        request.done(refusal)
