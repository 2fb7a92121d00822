"""Quarantine."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.widget import Widget
from textual.widgets import Static

from tallystick_tui.navigation import Section
from tallystick_tui.screens.section_screen import SectionScreen


class QuarantineScreen(SectionScreen):
    """Quarantine."""

    SECTION: ClassVar[Section] = Section.QUARANTINE

    def compose_content(self) -> Iterable[Widget]:
        """Lay out the section."""
        yield Static(id="quarantine")

    async def load(self) -> None:
        """Fill the section."""
        await self.client.call("GET", "/health/ready")
        self.show_empty("nothing here yet")
