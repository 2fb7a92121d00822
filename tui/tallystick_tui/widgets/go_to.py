"""The message that takes one to another section."""

from __future__ import annotations

from textual.message import Message

from tallystick_tui.navigation import Destination


class GoTo(Message):
    """Show a destination. Handled by the app."""

    def __init__(self, destination: Destination) -> None:
        super().__init__()
        self.destination = destination
