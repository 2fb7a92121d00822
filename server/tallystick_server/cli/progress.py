"""The progress bar of long commands: how far, how fast, how long still. Drawn on stderr, so that stdout stays the answer."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Self, TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from .printable import printable


class RichBar:
    """One bar; it takes itself away when the work is done, since the summary says it all then."""

    def __init__(self, err: TextIO) -> None:
        self._progress = Progress(
            BarColumn(bar_width=24),
            TaskProgressColumn(),
            TextColumn("{task.description}", markup=False),
            TimeRemainingColumn(compact=True),
            console=Console(file=err, force_terminal=True),
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._task = self._progress.add_task("", total=None)
        self._lock = threading.RLock()
        self._is_on = False

    def __enter__(self) -> Self:
        self._is_on = True
        self._progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._is_on = False
        self._progress.stop()

    def show(self, done: float, total: float | None, text: str) -> None:
        """Set how far it is and the words beside the bar."""
        self._progress.update(self._task, completed=done, total=total, description=printable(text))

    @contextmanager
    def hidden(self) -> Generator[None]:
        """Take the bar away while a line is written, from whichever thread."""
        with self._lock:
            if not self._is_on:
                yield
                return
            self._progress.stop()
            try:
                yield
            finally:
                self._progress.start()
