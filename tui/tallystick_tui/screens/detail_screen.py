"""One thing of a section, over the section's list: escape goes back. Everything else is as in a section."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType

from .section_screen import SectionScreen


class DetailScreen(SectionScreen):
    """A section's page about one thing. Subclasses are as those of `SectionScreen`."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "back", "Back")]

    def action_back(self) -> None:
        """Go back to the list; from what another section opened, to that section."""
        self.dismiss()
        self.dashboard.go_back()
