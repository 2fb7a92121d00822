"""Every key that does something on the screen below, with what it does."""

from __future__ import annotations

from typing import Any, ClassVar

from rich.table import Table
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen, Screen
from textual.widgets import Static

from tallystick_tui.app_of import app_of

# Keys of Textual's own that need no line: moving the focus is known, copying has its own hint.
_LEFT_OUT = frozenset({"ctrl+q", "ctrl+c", "super+c", "1-9"})


class KeysScreen(ModalScreen[None]):
    """A table of keys, most particular first: the focused widget's, the screen's, the app's."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q,enter", "dismiss", "Close"),
    ]
    DEFAULT_CSS = """
    KeysScreen { align: center middle; }
    KeysScreen > VerticalScroll {
        width: 72; max-width: 96%; height: auto; max-height: 90%; background: $surface; border: round $primary; padding: 0 1;
    }
    KeysScreen > VerticalScroll > Static { width: 1fr; }
    """

    def __init__(self, below: Screen[Any]) -> None:
        super().__init__()
        self._below = below

    def compose(self) -> ComposeResult:
        """Lay out the table."""
        table = Table(box=None, pad_edge=False, show_header=False, expand=True)
        table.add_column(style="bold", no_wrap=True)
        table.add_column(ratio=1)
        seen: set[str] = set()
        for active in self._below.active_bindings.values():
            binding = active.binding
            if binding.key in _LEFT_OUT or binding.action in seen or not binding.description:
                continue
            seen.add(binding.action)
            words = binding.description + (f": {binding.tooltip}" if binding.tooltip else "")
            table.add_row(app_of(self).get_key_display(binding), words)
        with VerticalScroll() as box:
            box.border_title = "Keys"
            box.border_subtitle = "esc closes"
            yield Static(table)
