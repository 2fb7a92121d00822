"""A new webhook's secret, shown once: its receiver needs it to check signatures."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from tallystick_tui.app_of import app_of

from .records import Channel


class WebhookSecret(ModalScreen[None]):
    """The secret, whole, on a line of its own."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("c", "copy", "Copy"), Binding("escape", "dismiss", "I have it")]
    DEFAULT_CSS = """
    WebhookSecret { align: center middle; }
    WebhookSecret > Vertical { width: 76; max-width: 98%; height: auto; background: $surface; border: round $warning; padding: 1 2; }
    WebhookSecret #secret { margin: 1 0; padding: 1 2; background: $panel; text-style: bold; height: auto; }
    WebhookSecret Horizontal { height: auto; align-horizontal: right; }
    WebhookSecret Button { margin-left: 2; }
    """

    def __init__(self, channel: Channel) -> None:
        super().__init__()
        self._channel = channel

    def compose(self) -> ComposeResult:
        """Lay out the secret."""
        with Vertical() as box:
            box.border_title = f"Channel “{self._channel.key}”"
            yield Static("The receiver checks signatures with this secret. It is shown this once.", markup=False)
            yield Static(self._channel.secret or "", id="secret", markup=False)
            with Horizontal():
                yield Button("Copy (c)", id="copy")
                yield Button("I have it (esc)", id="close", variant="primary")

    def action_copy(self) -> None:
        """Hand it to the terminal's clipboard."""
        app_of(self).copy_to_clipboard(self._channel.secret or "")
        self.notify("Copied, where this terminal allows it: check before you close.")

    @on(Button.Pressed)
    def choose(self, event: Button.Pressed) -> None:
        """Copy or close."""
        if event.button.id == "copy":
            self.action_copy()
        else:
            self.dismiss(None)
