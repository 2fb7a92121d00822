"""One event over the list, where there is no room beside it. The same keys as in the list."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import BindingType
from textual.widget import Widget

from tallystick_tui.connection.appliance_client import ApplianceClient
from tallystick_tui.navigation import Section
from tallystick_tui.screens.detail_screen import DetailScreen
from tallystick_tui.viewer import Viewer

from .event import Event
from .event_actions import EVENT_KEYS, EventActions
from .event_pane import EventPane


class EventScreen(EventActions, DetailScreen):
    """The event."""

    SECTION: ClassVar[Section] = Section.EVENTS
    BINDINGS: ClassVar[list[BindingType]] = [*EVENT_KEYS]
    REFRESH_S: ClassVar[float | None] = None

    def __init__(self, client: ApplianceClient, viewer: Viewer, event: Event) -> None:
        super().__init__(client, viewer)
        self._event = event

    def compose_content(self) -> Iterable[Widget]:
        """Lay the event out over the whole screen."""
        yield EventPane(self.client, self.viewer, id="event-pane")

    async def load(self) -> None:
        """Show the event, and ask for it again."""
        self.show_content()
        pane = self.query_one(EventPane)
        pane.show(pane.event or self._event, refresh=True)
        pane.focus()

    @property
    def chosen_event(self) -> Event | None:
        """The event that is shown."""
        return self.query_one(EventPane).event or self._event

    def changed(self, event: Event) -> None:
        """Show what became of it."""
        self.query_one(EventPane).show(event, refresh=True)
