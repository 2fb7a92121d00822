"""The progress bar of long commands: how far, how fast, how long still. Drawn on stderr, so that stdout stays the answer."""

from __future__ import annotations

from typing import Self, TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from .printable import printable


class RichBar:
    """One bar; it takes itself away when the work is done, since the summary says it all then."""

    def __init__(self, err: TextIO, unit: str) -> None:
        console = Console(file=err, force_terminal=True)
        self._progress = Progress(
            BarColumn(bar_width=None),
            TaskProgressColumn(),
            TextColumn("{task.description}", markup=False),
            TimeRemainingColumn(compact=True),
            console=console,
            transient=True,
            expand=True,
        )
        self._task = self._progress.add_task(unit, total=None)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._progress.stop()

    def show(self, done: float, total: float | None, text: str) -> None:
        """Set how far it is and the words beside the bar."""
        self._progress.update(self._task, completed=done, total=total, description=printable(text))
