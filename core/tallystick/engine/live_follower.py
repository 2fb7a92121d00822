"""A thread that keeps running figures close to the head of the log while somebody asks for them, and lets go of them when nobody does.

Without it the first question after a pause would take in all that came meanwhile, 0.3 µs an event. With it a question finds the events of
`_EVERY_S` at most, which is little enough to be answered where nothing may wait.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import Final

from tallystick.errors import TallystickError

from .live_figures import LiveFigures

# At a hundred thousand events a second: five hundred at a time, 0.15 ms, for which a question may have to wait.
_EVERY_S: Final = 0.005
_IDLE_EVERY_S: Final = 0.5
# Between two pieces of work of milliseconds each, so that whoever asks gets in between.
_PAUSE_S: Final = 0.001
# States cost memory and following costs processor time; building them again costs a usage question each.
FORGOTTEN_AFTER_S: Final = 600.0

_log: Final = logging.getLogger("tallystick.live")


class LiveFollower:
    """The thread."""

    def __init__(self, live: LiveFigures) -> None:
        self._live = live
        self._is_closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tallystick-live", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """End; returns once the thread has. Idempotent, and fine before the start."""
        self._is_closed.set()
        if self._thread.is_alive():
            self._thread.join()

    def _follow(self) -> None:
        self._live.follow()
        while self._live.tidy() and not self._is_closed.wait(_PAUSE_S):
            pass

    def _run(self) -> None:
        asked, asked_at = 0, time.monotonic()
        while not self._is_closed.wait(_EVERY_S if self._live.state_count else _IDLE_EVERY_S):
            now, questions = time.monotonic(), self._live.questions
            if questions != asked:
                asked, asked_at = questions, now
            try:
                if now - asked_at < FORGOTTEN_AFTER_S:
                    self._follow()
                else:
                    self._live.forget()
            except TallystickError as error:
                # A block that cannot be read is told to whoever asks a question of it.
                _log.warning("running figures are behind: %s", error)
            except Exception:  # noqa: BLE001 - a mistake of ours must not end the thread: whoever asks catches up by himself
                _log.exception("running figures are behind")
