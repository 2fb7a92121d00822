"""The app of a widget, with its type said: Textual's own property leaves it open."""

from __future__ import annotations

from typing import cast

from textual.app import App
from textual.message_pump import MessagePump


def app_of(node: MessagePump) -> App[None]:
    """Return the app that a widget or screen belongs to."""
    return cast("App[None]", node.app)  # pyright: ignore[reportUnknownMemberType] - generic without an argument there
