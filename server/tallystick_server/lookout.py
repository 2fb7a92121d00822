"""The lookout: one thread that has the store look at signals, soon after events come and when time is due.

Promises: a commit is looked at within `LOOK_EVERY_S`, or once the look that runs is over and has rested twice as long as it took, so that
looking takes a third of one core at most; nothing of it runs on the event loop. A look that fails is logged, counted, and made again.
Does not: know what to look at; after a crash or a failure the store begins where it had come to.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from tallystick.cancellation import Cancellation, Cancelled
from tallystick.errors import TallystickError
from tallystick.signal_store import LookReport
from tallystick.store import Store

from . import logs

_LOG = logs.logger("signals")
LOOK_EVERY_S: Final = 0.25
_AGAIN_AFTER_FAILURE_S: Final = 1.0
_RESTS_PER_LOOK: Final = 2
_REST_MAX_S: Final = 1.5
_STOP_S: Final = 10.0


class Lookout:
    """The thread. `wake` may be called from any other, and does not wait."""

    def __init__(self, *, count_failure: Callable[[], None]) -> None:
        self._count_failure = count_failure
        self._changed = threading.Condition()
        self._is_awake = False
        self._is_time_due = False
        self._is_stopped = False
        self._work = Cancellation()
        self._thread: threading.Thread | None = None
        self._told: set[str] = set()

    def start(self, store: Store) -> None:
        """Begin to look; what came before is looked at first."""
        store.signals.watch(self.wake)
        self._is_awake = self._is_time_due = True
        self._thread = threading.Thread(target=self._run, args=(store,), name="tallystick-lookout", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Say that something came."""
        if not self._is_awake:
            with self._changed:
                self._is_awake = True
                self._changed.notify()

    def wake_for_time(self) -> None:
        """Say that what time alone moves is to be looked at."""
        with self._changed:
            self._is_awake = self._is_time_due = True
            self._changed.notify()

    def stop(self) -> None:
        """End the look that runs, and the thread; waits for it."""
        with self._changed:
            self._is_stopped = True
            self._changed.notify()
        self._work.cancel()
        if self._thread is not None:
            self._thread.join(_STOP_S)

    def _run(self, store: Store) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._is_awake or self._is_stopped)
                if self._is_stopped:
                    return
                self._is_awake, is_time_due, self._is_time_due = False, self._is_time_due, False
            started = time.monotonic()
            is_done = self._look(store, is_time_due=is_time_due)
            took_s = time.monotonic() - started
            rest_s = (
                max(LOOK_EVERY_S - took_s, min(_RESTS_PER_LOOK * took_s, _REST_MAX_S))
                if is_done
                else _AGAIN_AFTER_FAILURE_S
            )
            with self._changed:
                if not is_done:
                    self._is_awake, self._is_time_due = True, self._is_time_due or is_time_due
                self._changed.wait_for(lambda: self._is_stopped, rest_s)

    def _look(self, store: Store, *, is_time_due: bool) -> bool:
        """Look once; whether it came to its end."""
        try:
            report = self._work.run(lambda: store.signals.look(is_time_due=is_time_due))
        except Cancelled:
            return False
        except TallystickError as error:
            self._count_failure()
            _LOG.warning("signals were not looked at, and are again in a moment", error=str(error))
            return False
        except Exception:  # noqa: BLE001 - the edge of a thread: logged and counted, and the next look begins from the mark
            self._count_failure()
            _LOG.exception("a mistake while looking at signals")
            return False
        self._tell(report)
        if report.has_waiting:
            self.wake()
        return True

    def _tell(self, report: LookReport) -> None:
        """Log signals that cannot be looked at, each reason once until it changes."""
        for failed in report.failed:
            self._count_failure()
            told = f"{failed.signals[:1]} {failed.reason}"
            if told not in self._told and len(self._told) < 1_000:  # noqa: PLR2004 - of as many watches
                self._told.add(told)
                _LOG.warning("signals cannot be looked at", signals=failed.signals[:10], error=failed.reason)
