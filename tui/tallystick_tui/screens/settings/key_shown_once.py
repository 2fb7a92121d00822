"""A new key's secret, shown once: it is kept nowhere, so closing asks for a plain sign that it was taken."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from tallystick_tui.app_of import app_of

from .api_key import NewApiKey


class KeyShownOnce(ModalScreen[None]):
    """The secret, whole, on lines of its own, so that it can be marked with the mouse too."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "copy", "Copy"),
        Binding("escape", "close", "I have it"),
    ]
    DEFAULT_CSS = """
    KeyShownOnce { align: center middle; }
    KeyShownOnce > Vertical { width: 76; max-width: 98%; height: auto; background: $surface; border: round $warning; padding: 1 2; }
    KeyShownOnce #secret { margin: 1 0; padding: 1 2; background: $panel; text-style: bold; height: auto; }
    KeyShownOnce Horizontal { height: auto; align-horizontal: right; }
    KeyShownOnce Button { margin-left: 2; }
    """

    def __init__(self, made: NewApiKey) -> None:
        super().__init__()
        self._made = made

    def compose(self) -> ComposeResult:
        """Lay out the secret."""
        with Vertical() as box:
            box.border_title = f"Key “{self._made.name}” ({', '.join(self._made.scopes)})"
            yield Static("This is the key. It is shown this once; the appliance keeps only a hash of it.", markup=False)
            yield Static(self._made.key, id="secret", markup=False)
            with Horizontal():
                yield Button("Copy (c)", id="copy")
                yield Button("I have it (esc)", id="close", variant="primary")

    def action_copy(self) -> None:
        """Hand it to the terminal's clipboard."""
        app_of(self).copy_to_clipboard(self._made.key)
        self.notify("Copied, where this terminal allows it: check before you close.")

    def action_close(self) -> None:
        """Forget the secret."""
        self.dismiss(None)

    @on(Button.Pressed)
    def choose(self, event: Button.Pressed) -> None:
        """Copy or close."""
        if event.button.id == "copy":
            self.action_copy()
        else:
            self.action_close()
