"""How to keep a copy of everything, as it is today."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from tallystick_tui.dialogs.dialog import Dialog

from .words import BACKUPS


class BackupsScreen(Dialog[None]):
    """Some lines to follow."""

    SCROLLS: ClassVar[bool] = True
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,b,q,enter", "dismiss", "Close")]
    DEFAULT_CSS = """
    BackupsScreen > .dialog-box { width: 84; padding: 0 2; }
    BackupsScreen Static { width: 1fr; height: auto; }
    """

    def compose(self) -> ComposeResult:
        """Lay out the lines."""
        with self.box("Backups", "esc closes"):
            yield Static(BACKUPS, markup=False)
