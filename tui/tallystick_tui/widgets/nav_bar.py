"""The line at the top: the nine sections, the present one marked, and which appliance this is.

The marked one is bold and in brackets, so that colour is not the only sign. Below 120 columns the keys' digits are left out (the footer
names them), so that all nine fit into 80.
"""

from __future__ import annotations

from typing import Final

from rich.text import Text
from textual import events
from textual.app import RenderResult
from textual.widget import Widget

from tallystick_tui.app_of import app_of
from tallystick_tui.navigation import Destination, Section

from .go_to import GoTo

_WITH_DIGITS_FROM: Final = 120


class NavBar(Widget):
    """Sections as tabs; a click goes there."""

    DEFAULT_CSS = """
    NavBar { height: 1; background: $panel; color: $foreground; }
    """

    def __init__(self, section: Section) -> None:
        super().__init__(id="nav")
        self._section = section
        self._ends: list[tuple[int, Section]] = []

    def render(self) -> RenderResult:
        """Draw the tabs, and remember where each ends for the mouse."""
        line, is_wide = Text(no_wrap=True), self.size.width >= _WITH_DIGITS_FROM
        self._ends = []
        for section in Section:
            label = f"{section.key} {section.value}" if is_wide else section.value
            if section is self._section:
                line.append(f"[{label}]", style="bold")
            else:
                line.append(f" {label} " if is_wide or not line else f"{label} ")
            self._ends.append((line.cell_len, section))
        note = app_of(self).sub_title
        if note and line.cell_len + len(note) + 2 <= self.size.width:
            line.append(note.rjust(self.size.width - line.cell_len - 1), style="dim")
        return line

    def on_click(self, event: events.Click) -> None:
        """Go to the section under the mouse."""
        for end, section in self._ends:
            if event.x < end:
                self.post_message(GoTo(Destination(section)))
                return
