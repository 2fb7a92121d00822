"""Work beside the writer: checkpoints when the tail is large or old, and merges when files are many.

Two threads, so that a merge of minutes does not hold up the checkpoint that bounds memory. What fails (a full disk, mostly) is logged,
counted and tried again; the log is the truth meanwhile, and nothing waits but the memory of the tail.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Final

from tallystick.engine_settings import EngineSettings
from tallystick.errors import StoreFull, TallystickError
from tallystick.failpoints import CrashedHere
from tallystick.instant import NS_PER_S, Clock
from tallystick.partials.column_states import HandOver

from .checkpoint import commit_files, seal
from .ledger import Ledger
from .load import Load
from .merge import merge_once
from .projections import CheckpointFiles, SealedTail
from .writer import Writer

_log: Final = logging.getLogger("tallystick.background")
_TICK_S: Final = 1.0
# A re-send takes 8 bytes where an event takes hundreds.
_DUPLICATES_PER_EVENT: Final = 8


class Background:
    """The two threads of one engine."""

    def __init__(self, ledger: Ledger, writer: Writer, *, clock: Clock, settings: EngineSettings) -> None:
        self._ledger = ledger
        self._writer = writer
        self._clock = clock
        self._settings = settings
        self._is_closing = threading.Event()
        self._checkpoint_due = threading.Event()
        self._merge_due = threading.Event()
        self._last_checkpoint_at = clock.now()
        self._checkpointing = threading.Lock()
        self._load = Load()
        # Why the last checkpoint failed, until one succeeds.
        self.trouble: str | None = None
        self._threads = [
            threading.Thread(target=self._loop, args=(step, due), name=f"tallystick-{name}", daemon=True)
            for name, step, due in (
                ("checkpoint", self._checkpoint_if_due, self._checkpoint_due),
                ("merge", self._merge_all, self._merge_due),
            )
        ]

    def start(self) -> None:
        """Begin; checks what is due at once."""
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """Say that the tail has reached its size."""
        self._checkpoint_due.set()

    def close(self) -> None:
        """End after the step that is under way. Idempotent."""
        self._is_closing.set()
        self._checkpoint_due.set()
        self._merge_due.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()

    def checkpoint(self) -> bool:
        """Do a checkpoint now, on the caller's thread; False if there was nothing to write."""
        # One at a time: a second one, asked for meanwhile, would be given the same sealed events and write them as well.
        with self._checkpointing:
            sealed = self._writer.perform(lambda: seal(self._ledger))
            if sealed is None:
                return False
            projections = self._ledger.folds.projections
            files = projections.write_files(sealed)
            handed = self._ledger.partials.columns.handed_over(sealed.tail, self._ledger.folds.void_index.voids.targets)
            try:
                is_done = self._writer.perform(lambda: self._name(sealed, files, handed))
            except StoreFull:
                # Certainly not named. They are written again every second: left there, they would fill a disk that is full already.
                projections.remove_files(sealed, files)
                raise
            if not is_done:
                projections.remove_files(sealed, files)
            self._last_checkpoint_at = self._clock.now()
        self._merge_due.set()
        return is_done

    def _name(self, sealed: SealedTail, files: CheckpointFiles, handed: Sequence[HandOver]) -> bool:
        is_done = commit_files(self._ledger, sealed, files)
        if is_done:
            self._ledger.partials.columns.take_over(handed, files.segments)
        # The view of before is as right, but it holds the events in memory that are in files now.
        self._ledger.folds.publish()
        return is_done

    def merge(self) -> bool:
        """Do one merge now, on the caller's thread; False if none is worth it."""
        return merge_once(self._ledger, self._writer.perform)

    def _checkpoint_if_due(self) -> None:
        tail_weight = self._ledger.folds.projections.tail_weight
        age_ns = self._clock.now() - self._last_checkpoint_at
        # A clock that was set back makes the age negative: then the age is unknown, and a checkpoint does no harm.
        is_old = not 0 <= age_ns < self._settings.checkpoint_age_s * NS_PER_S
        # Re-sends wait in memory too, and the writer adds them up: a minute of nothing else must not stop it for seconds.
        waiting = max(tail_weight, self._ledger.folds.duplicates.active.count // _DUPLICATES_PER_EVENT)
        if waiting >= self._settings.checkpoint_events or is_old:
            try:
                self.checkpoint()
            except (TallystickError, OSError) as error:
                self.trouble = f"checkpoints fail, and memory is full of what they should write: {error}"
                raise
            self.trouble = None
            self._last_checkpoint_at = self._clock.now()

    def _merge_all(self) -> None:
        while not self._is_closing.is_set():
            if not merge_once(self._ledger, self._writer.perform, is_busy=self._load.is_heavy(self._ledger.counters)):
                return

    def _loop(self, step: Callable[[], None], due: threading.Event) -> None:
        while not self._is_closing.is_set():
            try:
                step()
            except CrashedHere:
                return
            except (TallystickError, OSError) as error:
                if not self._is_closing.is_set():
                    _log.warning("%s is tried again: %s", threading.current_thread().name, error)
                    self._ledger.counters.background_failures += 1
                due.clear()
                self._is_closing.wait(_TICK_S)
                continue
            except Exception:  # noqa: BLE001 - a mistake of ours must not end the thread that bounds memory
                _log.exception("%s failed", threading.current_thread().name)
                self._ledger.counters.background_failures += 1
                self._is_closing.wait(_TICK_S)
            due.wait(_TICK_S)
            due.clear()
