"""A checkbox whose mark is there or not: Textual's own shows the same letter in another colour."""

from __future__ import annotations

from textual.widgets import Checkbox


class CheckBox(Checkbox):
    """One line: a tick or a dot, and words."""

    BUTTON_INNER = "·"
    DEFAULT_CSS = """
    CheckBox { border: none; padding: 0; height: 1; width: 1fr; background: transparent; }
    CheckBox:focus { border: none; }
    CheckBox > .toggle--button, CheckBox.-on > .toggle--button { color: $foreground; background: $panel; text-style: bold; }
    """

    def watch_value(self) -> None:
        """Draw the mark anew."""
        self.BUTTON_INNER = "✓" if self.value else "·"  # pyright: ignore[reportConstantRedefinition] - Textual reads it off the widget
        super().watch_value()
        self.refresh()
