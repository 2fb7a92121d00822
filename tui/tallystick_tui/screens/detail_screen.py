"""One thing of a section, over the section's list: escape goes back. Everything else is as in a section."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType

from .section_screen import SectionScreen


class DetailScreen(SectionScreen):
    """A section's page about one thing. Subclasses are as those of `SectionScreen`.

    `is_sent_for`: another section opened it, and there escape leads back to; otherwise to the list that it was opened from.
    """

    is_sent_for = False

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "back", "Back")]

    def action_back(self) -> None:
        """Go back to where it was opened from."""
        self.dismiss()
        if self.is_sent_for:
            self.dashboard.go_back()
