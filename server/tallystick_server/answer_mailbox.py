"""The way of answers from the writer's thread to the event loop: many in one call.

The writer finishes a commit and answers each of its requests, hundreds at once: waking the loop for each would cost more than the answer.
Only the first of them wakes it; the loop then takes all that is there.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from functools import partial

from tallystick.errors import TallystickError
from tallystick.event_batch import EventBatch
from tallystick.store import IngestAnswer, Store

from . import logs

Answer = IngestAnswer | TallystickError
Receiver = Callable[[Answer], None]
_LOG = logs.logger("ingest")


class AnswerMailbox:
    """One for the process; it serves the event loop in which it is first used."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._arrived: deque[tuple[Receiver, Answer]] = deque()
        self._is_woken = False

    def submit(self, store: Store, batch: EventBatch, receive: Receiver) -> None:
        """Queue the batch; `receive` is called on the event loop with its answer, also when it cannot be queued."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        try:
            store.submit(batch, partial(self._deliver, receive))
        except TallystickError as error:
            self._deliver(receive, error)

    async def ask(self, store: Store, batch: EventBatch) -> IngestAnswer:
        """Queue the batch and wait for its answer. Raises `Unavailable`."""
        future: asyncio.Future[IngestAnswer] = asyncio.get_running_loop().create_future()
        self.submit(store, batch, partial(_settle, future))
        return await future

    def _deliver(self, receive: Receiver, answer: Answer) -> None:
        self._arrived.append((receive, answer))
        # Set before the call, cleared by the loop before it looks: an answer is seen by this wake-up or makes the next one.
        if not self._is_woken and self._loop is not None:
            self._is_woken = True
            try:
                self._loop.call_soon_threadsafe(self._open)
            except RuntimeError:
                _LOG.debug("answers after the event loop ended", count=len(self._arrived))

    def _open(self) -> None:
        self._is_woken = False
        arrived = self._arrived
        while arrived:
            receive, answer = arrived.popleft()
            try:
                receive(answer)
            except Exception as error:  # noqa: BLE001 - one that fails must not keep the others from their answers
                _LOG.error("an answer could not be given", exc_info=error)


def _settle(future: asyncio.Future[IngestAnswer], answer: Answer) -> None:
    if future.done():
        return
    if isinstance(answer, TallystickError):
        future.set_exception(answer)
    else:
        future.set_result(answer)
