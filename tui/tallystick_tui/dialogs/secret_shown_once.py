"""A secret that was just made, shown once: it is kept nowhere, so closing asks for a plain sign that it was taken."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Button, Static

from tallystick_tui.app_of import app_of

from .dialog import Dialog


class SecretShownOnce(Dialog[None]):
    """The secret, whole, on lines of its own, so that it can be marked with the mouse too. `words` say what it is for."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "copy", "Copy"),
        Binding("escape", "dismiss(None)", "I have it"),
    ]
    DEFAULT_CSS = """
    SecretShownOnce > .dialog-box { width: 76; max-width: 98%; border: round $warning; padding: 1 2; }
    SecretShownOnce #secret { margin: 1 0; padding: 1 2; background: $panel; text-style: bold; height: auto; }
    SecretShownOnce Horizontal { height: auto; align-horizontal: right; }
    SecretShownOnce Button { margin-left: 2; }
    """

    def __init__(self, title: str, words: str, *, secret: str) -> None:
        super().__init__()
        self._title, self._words, self._secret = title, words, secret

    def compose(self) -> ComposeResult:
        """Lay out the secret."""
        with self.box(self._title):
            yield Static(self._words, markup=False)
            yield Static(self._secret, id="secret", markup=False)
            with Horizontal():
                yield Button("Copy (c)", id="copy")
                yield Button("I have it (esc)", id="close", variant="primary")

    def action_copy(self) -> None:
        """Hand it to the terminal's clipboard."""
        app_of(self).copy_to_clipboard(self._secret)
        self.notify("Copied, where this terminal allows it: check before you close.")

    @on(Button.Pressed)
    def choose(self, event: Button.Pressed) -> None:
        """Copy or close."""
        if event.button.id == "copy":
            self.action_copy()
        else:
            self.dismiss(None)
