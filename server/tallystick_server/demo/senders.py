"""Several senders at once, as gateways are: each takes batches from one queue, and sends until they are acknowledged.

Promises: a batch whose answer was lost is sent again, by the same rules as `tallystick import`; the sums are of all answers.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from types import TracebackType
from typing import Final, Self

from tallystick_server.cli.client import ApplianceClient
from tallystick_server.cli.intake.batch import Batch
from tallystick_server.cli.intake.delivery import Delivery, Outcome
from tallystick_server.cli.intake.record import Record
from tallystick_server.cli.patience import RealPauses

from .interruption import LOOK_EVERY_S, Interruption

SENDER_COUNT: Final = 4
_GIVE_UP_AFTER_S: Final = 30.0
_QUIET_S: Final = 5.0


class Senders:
    """A few threads that deliver batches; use it in a `with`."""

    def __init__(
        self,
        client: ApplianceClient,
        interruption: Interruption,
        *,
        on_answer: Callable[[Outcome], None] | None = None,
    ) -> None:
        self._interruption = interruption
        self._pauses = RealPauses()
        self._delivery = Delivery(client, self._pauses, give_up_after_s=_GIVE_UP_AFTER_S, on_wait=_wait_quietly)
        self._pool = ThreadPoolExecutor(SENDER_COUNT, thread_name_prefix="sender")
        self._futures: list[Future[Outcome]] = []
        self._answered = threading.Condition()
        self._on_answer = on_answer
        self.acknowledged = 0
        self.duplicates = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._pauses.call_off()
        self._pool.shutdown(wait=True, cancel_futures=kind is not None)

    def send(self, events: list[bytes]) -> None:
        """Queue events as one batch."""
        batch = Batch([Record("", event) for event in events], 0)
        self._futures.append(self._pool.submit(self._deliver, batch))

    def wait(self) -> None:
        """Return when every batch was answered. Raises `Failure` when one could not be delivered, `KeyboardInterrupt` when asked to end."""
        for future in self._futures:
            while not wait_for([future], timeout=LOOK_EVERY_S).done:
                self._interruption.check()
            future.result()
        self._futures.clear()

    def wait_for_acknowledged(self, count: int) -> None:
        """Return when so many events were acknowledged, or nothing was for a while."""
        end_s = time.monotonic() + _QUIET_S
        with self._answered:
            while self.acknowledged < count and time.monotonic() < end_s:
                self._answered.wait(LOOK_EVERY_S)
                self._interruption.check()

    def _deliver(self, batch: Batch) -> Outcome:
        outcome = self._delivery.deliver(batch)
        with self._answered:
            self.acknowledged += outcome.accepted + outcome.duplicates
            self.duplicates += outcome.duplicates
            self._answered.notify_all()
        if self._on_answer is not None:
            self._on_answer(outcome)
        return outcome


def _wait_quietly(_reason: str) -> None:
    """Say nothing: the demonstration tells itself why its senders wait."""
