"""The question as text to take elsewhere: as `curl`, or as a `tallystick usage` command.

Copied by a key, and shown, since not every terminal copies.
"""

from __future__ import annotations

from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Button, Static

from tallystick_tui.app_of import app_of
from tallystick_tui.dialogs.dialog import Dialog

from .question import KEY_VARIABLE, Asked

_NO_COMMAND: Final = "# the command line cannot name a filter with a = in its name: take curl"


class QuestionTexts(Dialog[None]):
    """Both texts, and keys that copy them."""

    SCROLLS: ClassVar[bool] = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t,enter", "copy('command')", "Copy the command", key_display="t"),
        Binding("c", "copy('curl')", "Copy curl"),
        Binding("escape,q", "dismiss", "Close", key_display="esc"),
    ]
    DEFAULT_CSS = """
    QuestionTexts > .dialog-box { width: 100; }
    QuestionTexts .text { background: $panel; padding: 0 1; margin-bottom: 1; height: auto; }
    QuestionTexts Button { margin-bottom: 1; }
    """

    def __init__(self, asked: Asked, url: str) -> None:
        super().__init__()
        self.texts = {"command": asked.command(url) or _NO_COMMAND, "curl": asked.curl(url)}

    def compose(self) -> ComposeResult:
        """Lay out both."""
        with self.box("This question elsewhere", "t or c copies, esc closes"):
            yield Static(f"the key is read from ${KEY_VARIABLE}", markup=False, classes="dim")
            yield Button("Copy the command (t)", id="copy-command", compact=True)
            yield Static(self.texts["command"], markup=False, classes="text")
            yield Button("Copy curl (c)", id="copy-curl", compact=True)
            yield Static(self.texts["curl"], markup=False, classes="text")
            yield Static(markup=False, id="copied")

    def action_copy(self, name: str) -> None:
        """Hand a text to the terminal's clipboard."""
        app_of(self).copy_to_clipboard(self.texts[name])
        self.query_one("#copied", Static).update("handed to the terminal's clipboard; if it takes none, mark it above")

    @on(Button.Pressed)
    def copy_by_button(self, event: Button.Pressed) -> None:
        """Copy what the button is about."""
        self.action_copy((event.button.id or "").removeprefix("copy-"))
