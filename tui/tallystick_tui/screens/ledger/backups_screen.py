"""How to keep a copy of everything, as it is today."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from .words import BACKUPS


class BackupsScreen(ModalScreen[None]):
    """Some lines to follow."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,b,q,enter", "dismiss", "Close")]
    DEFAULT_CSS = """
    BackupsScreen { align: center middle; }
    BackupsScreen > VerticalScroll {
        width: 84; max-width: 96%; height: auto; max-height: 90%; background: $surface; border: round $primary; padding: 0 2;
    }
    BackupsScreen Static { width: 1fr; height: auto; }
    """

    def compose(self) -> ComposeResult:
        """Lay out the lines."""
        with VerticalScroll() as box:
            box.border_title = "Backups"
            box.border_subtitle = "esc closes"
            yield Static(BACKUPS, markup=False)
