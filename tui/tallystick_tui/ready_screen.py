"""What sections, forms and dialogs share: their first picture comes soon after the key that asks for it."""

from __future__ import annotations

from typing import TypeVar

from textual import events, on
from textual.screen import Screen

from .app_of import app_of

T = TypeVar("T")


class ReadyScreen(Screen[T]):
    """A screen whose parts do not look for their styles once more before they are seen, or shown again.

    A modal screen names `ModalScreen` first and this second: styles are inherited along the first bases only.
    """

    # From 120 columns on panes stand side by side.
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (120, "-wide")]  # noqa: RUF012 - as Textual declares it

    @on(events.Compose)
    def fit(self) -> None:
        """Take the class of the terminal's width before there are parts, rather than when the first layout tells it."""
        width = app_of(self).size.width
        reached = [(least, name) for least, name in self.HORIZONTAL_BREAKPOINTS or () if width >= least]
        if reached:
            self.add_class(max(reached)[1])

    @on(events.ScreenResume)
    def keep_styles(self, event: events.ScreenResume) -> None:
        """Show it at once: its styles are as they were, or the app applies all of them first, where the theme was changed meanwhile."""
        event.refresh_styles = False
