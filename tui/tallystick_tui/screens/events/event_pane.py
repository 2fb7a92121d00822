"""One event with everything that is known of it; asks for its receipt by itself."""

from __future__ import annotations

from textual import work
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from tallystick_tui.connection.appliance_client import ApplianceClient
from tallystick_tui.connection.failure import ApplianceFailure
from tallystick_tui.viewer import Viewer

from .event import Event, event_facts


class EventPane(VerticalScroll):
    """The event that `show` was given, and its receipt a moment later."""

    DEFAULT_CSS = """
    EventPane { height: 1fr; padding: 0 1; }
    EventPane Static { width: 1fr; height: auto; }
    """

    def __init__(self, client: ApplianceClient, viewer: Viewer, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._client, self._viewer = client, viewer
        self.event: Event | None = None

    def compose(self) -> ComposeResult:
        """Lay out one text."""
        yield Static("", id="event-lines", markup=False)

    def say(self, words: str) -> None:
        """Show words in place of an event."""
        self.event = None
        self.query_one("#event-lines", Static).update(words)

    def show(self, event: Event, *, refresh: bool = False) -> None:
        """Show an event, and ask for its receipt unless that is there."""
        if self.event is not None and self.event.position == event.position and not refresh:
            return
        self._draw(event)
        self.scroll_home(animate=False)
        if event.block is None or refresh:
            self._ask()

    def _draw(self, event: Event, *, trouble: str = "") -> None:
        self.event = event
        facts = event_facts(event, self._viewer.zone, self._viewer.now(), trouble=trouble)
        self.query_one("#event-lines", Static).update(facts)

    @work(exclusive=True, group="receipt")
    async def _ask(self) -> None:
        asked = self.event
        if asked is None:
            return
        try:
            answer = await self._client.ask(
                "/v1/events/by-id", [("source", asked.source), ("id", asked.id)], answer=Event
            )
        except ApplianceFailure as failure:
            if self.event is asked:
                self._draw(asked, trouble=str(failure))
            return
        if self.event is asked:
            self._draw(answer)
