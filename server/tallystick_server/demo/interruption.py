"""The wish that the demonstration should end: Ctrl-C, `kill`, or the terminal closed.

Promises: a signal is never lost, whatever code it meets, and nothing is interrupted that holds a lock or tidies up: the handler only takes
note, and `check` raises where the demonstration may end, which everything that waits calls at least ten times a second.
Why not an exception from the handler: Python runs it inside whatever the main thread is doing, also inside a finalizer or the callback
of a weak reference (a thread pool that goes out of use has one), and what is raised there is printed and forgotten.
"""

from __future__ import annotations

import signal
import time
from types import FrameType, TracebackType
from typing import Any, Final, Self

# The longest that anything waits without looking.
LOOK_EVERY_S: Final = 0.1
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interruption:
    """Takes note of the signals that ask for the end; use it in a `with`, in the main thread."""

    def __init__(self) -> None:
        self.is_asked = False
        # Any: what `signal.signal` returns is its own affair; it is only handed back.
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        for number in _SIGNALS:
            self._before[number] = signal.signal(number, self._take_note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def check(self) -> None:
        """Raise `KeyboardInterrupt` once a signal came, and every time from then on."""
        if self.is_asked:
            raise KeyboardInterrupt

    def sleep(self, seconds: float) -> None:
        """Wait; raises `KeyboardInterrupt` soon after a signal."""
        end_s = time.monotonic() + seconds
        self.check()
        while (left_s := end_s - time.monotonic()) > 0:
            time.sleep(min(left_s, LOOK_EVERY_S))
            self.check()

    def _take_note(self, _number: int, _frame: FrameType | None) -> None:
        self.is_asked = True
