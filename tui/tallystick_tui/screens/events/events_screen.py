"""Events: what lands now, or what was: filtered, page by page; one event with its receipt; voiding.

Live: the newest on top, twice a second, a sample of them at a flood. Space, or moving into the list, holds it still; space goes on.
A range of time, or the second page, shows what was. Beside the list (from 120 columns on), or over it, stands one event.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from enum import StrEnum
from typing import ClassVar, Final

from textual import events, on, work
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import DataTable, Input, Static
from textual.worker import Worker

from tallystick_tui.connection.appliance_client import ApplianceClient, Page
from tallystick_tui.connection.failure import ApplianceFailure, Refused, Unreachable
from tallystick_tui.navigation import Destination, Section, ToEvents
from tallystick_tui.screens.section_screen import SectionScreen
from tallystick_tui.texts.figures import exact, rate
from tallystick_tui.texts.harmless import cut
from tallystick_tui.texts.moments import rfc3339
from tallystick_tui.viewer import Viewer
from tallystick_tui.widgets.opening_table import OpeningTable
from tallystick_tui.widgets.record_table import RecordTable

from .event import NARROW, Event, event_record, layout_of
from .event_actions import EVENT_KEYS, EventActions
from .event_pane import EventPane
from .event_screen import EventScreen
from .filter_bar import FilterBar, Filters
from .find_event import FindEvent, Identity
from .tail import SAMPLE_PER_S, Missed, Tail, landing, merged
from .time_range import Unreadable, range_of

PAGE: Final = 100
_ROWS_MIN: Final = 20
_REDRAW_S: Final = 0.5
_DEBOUNCE_S: Final = 0.15
_AGAIN_S: Final = 0.5
_REFUSED_AGAIN_S: Final = 5.0


class Mode(StrEnum):
    """What the list shows."""

    LIVE = "live"
    PAUSED = "paused"
    PAST = "past"


class EventsScreen(EventActions, SectionScreen):
    """The list, its filters, and one event."""

    SECTION: ClassVar[Section] = Section.EVENTS
    REFRESH_S: ClassVar[float | None] = None
    # Not the filters, which come first: a section's key typed meanwhile would be taken for a customer.
    AUTO_FOCUS = "#events"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "pause", "Pause/go on", tooltip="Hold the list still, or follow what lands again"),
        Binding("slash", "filter", "Filter", key_display="/", tooltip="By customer, type and time; enter takes them"),
        *EVENT_KEYS,
        Binding("i", "find", "Find by id", tooltip="One event by its id and source"),
        Binding("o", "older", "Older", tooltip="The page before", show=False),
        Binding("n", "newer", "Newer", tooltip="The page after", show=False),
        Binding("escape", "return", "Back", tooltip="Go back, or take filters away and follow what lands", show=False),
    ]
    DEFAULT_CSS = """
    EventsScreen #events-mode { height: 1; padding: 0 1; background: $background; }
    EventsScreen #event-side { display: none; width: 1fr; border-title-color: $accent; }
    EventsScreen.-wide #event-side { display: block; max-width: 64; }
    EventsScreen #events-side { width: 2fr; height: 1fr; }
    EventsScreen #events-panes { height: 1fr; }
    EventsScreen #events { overflow-x: hidden; }
    EventsScreen #events-hint { display: none; height: 1fr; content-align: center middle; text-align: center; color: $secondary; }
    EventsScreen #events-side.-empty #events-hint { display: block; }
    EventsScreen #events-side.-empty DataTable { display: none; }
    """

    def __init__(self, client: ApplianceClient, viewer: Viewer) -> None:
        super().__init__(client, viewer)
        self._mode = Mode.LIVE
        self._filters = Filters()
        self._tail = Tail()
        self._page = Page[Event]([])
        # The cursors that led to the present page, newest first page: none.
        self._cursors: list[str] = []
        self._wanted: Identity | None = None
        # Coming back from it must not open it again.
        self._is_wanted_open = False
        # What was looked at before another section came for something.
        self._before: tuple[Filters, list[str]] | None = None
        self._shown: dict[str, Event] = {}
        self._landed_when_paused = 0
        self._following: Worker[None] | None = None
        self._is_refused = False
        self._redraw: Timer | None = None
        self._resting: Timer | None = None

    def compose_content(self) -> Iterable[Widget]:
        """Lay out filters, what is shown, the list and the event beside it."""
        yield FilterBar()
        yield Static("", id="events-mode", markup=False)
        with Horizontal(id="events-panes"):
            with Vertical(id="events-side"):
                yield Static("", id="events-hint", markup=False)
                yield OpeningTable(NARROW.columns, id="events")
            with Vertical(id="event-side", classes="pane") as side:
                side.border_title = "event"
                yield EventPane(self.client, self.viewer, id="event-pane")

    # Asking

    def arrive(self, destination: Destination) -> None:
        """Show events of a customer or a type, or find one."""
        if not isinstance(destination, ToEvents):
            return
        if self._wanted is None:
            self._before = self._filters, self._cursors
        if destination.id is not None:
            self._wanted = Identity(destination.source or "", destination.id)
            self._is_wanted_open = False
            self._mode = Mode.PAST
        elif destination.customer is not None or destination.type is not None:
            self._take(Filters(destination.customer or "", destination.type or ""))
            self.query_one(FilterBar).put(self._filters)

    async def load(self) -> None:
        """Ask for what the list shows; while it is live, listen first, so that nothing falls between the two."""
        start, end = range_of(self._filters.time, now=self.viewer.now(), zone=self.viewer.zone)
        if self._wanted is not None:
            await self._load_wanted(self._wanted)
            return
        if self._mode is Mode.PAUSED and self._shown:
            # What is held still stays; only what lands is counted on.
            self._show()
            await self._listen()
            return
        if self._mode is Mode.LIVE:
            self._tail = Tail()
            await self._listen()
        params = self._params()
        params += [("from", rfc3339(start))] if start is not None else []
        params += [("to", rfc3339(end))] if end is not None else []
        cursor = self._cursors[-1] if self._cursors else None
        self._page = await self.client.ask_page("/v1/events", params, item=Event, limit=PAGE, cursor=cursor)
        was_shown = self.has_content
        self.show_content()
        self._show()
        if not was_shown:
            self.query_one("#events").focus()
            self.call_after_refresh(self._show)  # how wide it is, is known only once it was laid out

    async def _load_wanted(self, wanted: Identity) -> None:
        params = [("source", wanted.source), ("id", wanted.id)]
        try:
            event = await self.client.ask("/v1/events/by-id", params, answer=Event)
        except Refused as refusal:
            self._page = Page[Event]([])
            self.notice = f"{refusal}" + (
                f" of source {cut(wanted.source, 30)}" if wanted.source else "; is its source right?"
            )
        else:
            self._page = Page([event])
            self.notice = ""
        self.show_content()
        self._show()
        self.query_one("#events").focus()
        if self._page.items and not self._is_wanted_open:
            self._is_wanted_open = True
            self._open(self._page.items[0], is_sent_for=self.dashboard.origin is not None)

    def _params(self) -> list[tuple[str, str]]:
        named = (("customer", self._filters.customer), ("type", self._filters.type))
        return [(name, value) for name, value in named if value]

    async def _listen(self) -> None:
        """Follow what lands, and return once the stream is open, or could not be."""
        opened = asyncio.Event()
        self._following = self.follow(opened)
        await opened.wait()

    @work(exclusive=True, group="tail")
    async def follow(self, opened: asyncio.Event) -> None:
        """Take in what lands, until the screen is left; a broken stream is opened again when the appliance is back."""
        tail, clock = self._tail, asyncio.get_running_loop().time
        params = [*self._params(), ("sample", str(SAMPLE_PER_S))]
        try:
            async for landed in landing(self.client.lines("/v1/events/stream", params)):
                if landed is None:
                    tail.begin(clock())
                    # Only what was said of following: why something was not voided stays until it is read.
                    if self._is_refused:
                        self._is_refused, self.notice = False, ""
                    opened.set()
                elif isinstance(landed, Missed):
                    tail.miss(landed.missed, clock())
                else:
                    tail.add(landed, clock())
        except Unreachable:
            return  # the banner says it, and `load` comes again once the appliance is back
        except ApplianceFailure as failure:
            self._is_refused, self.notice = True, f"cannot follow what lands: {failure} · trying again"
            self.say(self.notice)
            self.set_timer(_REFUSED_AGAIN_S, self._reload_if_live)
            return
        finally:
            opened.set()
        # Ended in order: the appliance stops. Asking again shows the banner, or goes on.
        self.set_timer(_AGAIN_S, self._reload_if_live)

    def _reload_if_live(self) -> None:
        if self._mode is not Mode.PAST and self.is_current:
            self.reload()

    def on_screen_resume(self) -> None:
        """Draw what landed while this is shown."""
        if self._redraw is None:
            self._redraw = self.set_interval(_REDRAW_S, self.draw_landed)

    def on_screen_suspend(self) -> None:
        """Follow nothing while another section, or an event, is shown."""
        if self._redraw is not None:
            self._redraw.stop()
            self._redraw = None
        self._stop_following()

    # Showing

    def on_resize(self) -> None:
        """Lay the list out anew for another width."""
        if self.has_content:
            self.call_after_refresh(self._show)

    def _stop_following(self) -> None:
        if self._following is not None:
            self._following.cancel()
            self._following = None

    @property
    def landed(self) -> int:
        """How many events landed since the list follows them."""
        return self._tail.landed

    def draw_landed(self) -> None:
        """Show what landed since the last time, or how fast it does."""
        if not self.has_content:
            return
        if self._mode is Mode.LIVE and self._tail.events and self._tail.events[0].key not in self._shown:
            self._show()
        else:
            self._say_mode()

    def _show(self) -> None:
        is_live, table = self._mode is Mode.LIVE, self.query_one("#events", RecordTable)
        # While it moves, only what can be seen is drawn: a hundred rows twice a second would take a sixth of a core.
        rows_max = max(min(table.size.height, PAGE), _ROWS_MIN)
        events = merged(list(self._tail.events), self._page.items, rows_max) if is_live else self._page.items
        self._shown = {event.key: event for event in events}
        layout = layout_of(self.query_one("#events-side").size.width)
        table.set_columns(layout.columns)
        table.show([event_record(event, self.viewer.zone, layout) for event in events], stays_at_top=is_live)
        side = self.query_one("#events-side")
        side.set_class(not events, "-empty")
        self.query_one("#events-hint", Static).update(self._hint())
        pane = self.query_one(EventPane)
        if not events or (is_live and pane.event is None):
            pane.say("↓ or space holds the list still and shows an event here" if events else "")
        elif not is_live:
            self._show_chosen()
        self._say_mode()

    def _hint(self) -> str:
        if self._wanted is not None:
            return "no such event\n\ni tries another id, escape leaves it"
        if not self._filters.is_empty or self._cursors:
            return "no events match\n\n/ changes the filters, escape takes them away"
        return "no events yet\n\nsend one: tallystick import FILE, or POST /v1/events; it shows here as it lands"

    def _say_mode(self) -> None:
        if self.query_one(FilterBar).has_focus_within:
            self.query_one("#events-mode", Static).update(
                "enter takes the filters · tab goes on · esc goes back to the list"
            )
            return
        now_s = asyncio.get_running_loop().time()
        match self._mode:
            case Mode.LIVE:
                per_s = rate(self._tail.per_s(now_s))
                sampled = f" · a sample of {SAMPLE_PER_S}/s is shown" if self._tail.is_sampled(now_s) else ""
                words = f"● live · {per_s}{sampled} · times in {self.viewer.zone_name} · i finds an id, v voids"
            case Mode.PAUSED:
                since = self._tail.landed - self._landed_when_paused
                words = f"‖ paused · {exact(since)} landed since · space goes on, o older"
            case Mode.PAST:
                page = len(self._cursors) + 1
                turn = " · ".join(
                    [
                        *(["o older"] if self._page.next_cursor else []),
                        *(["n newer"] if self._cursors else []),
                        "space follows what lands",
                    ]
                )
                found = (
                    "1 event by id" if self._wanted else f"page {page} · {len(self._page.items)} events, newest first"
                )
                words = f"▤ {found} · {turn}"
        self.query_one("#events-mode", Static).update(words)

    @property
    def chosen_event(self) -> Event | None:
        """The event under the cursor."""
        key = self.query_one("#events", RecordTable).chosen
        return None if key is None else self._shown.get(key)

    def hold(self) -> None:
        """Hold the list still."""
        if self._mode is Mode.LIVE:
            self._pause()

    def changed(self, event: Event) -> None:
        """Show a voided event as one."""
        self._page = Page(
            [event if each.key == event.key else each for each in self._page.items], self._page.next_cursor
        )
        for place, each in enumerate(self._tail.events):
            if each.key == event.key:
                self._tail.events[place] = event
        self._show()
        self.query_one(EventPane).show(event, refresh=True)

    def _show_chosen(self) -> None:
        event = self.chosen_event
        if event is not None and self.has_class("-wide"):
            self.query_one(EventPane).show(event)

    # Doing

    @on(DataTable.RowHighlighted, "#events")
    def hold_still(self, event: DataTable.RowHighlighted) -> None:
        """Hold the list still once somebody moves into it; show the event beside it once the cursor rests."""
        if self._mode is Mode.LIVE and event.cursor_row > 0:
            self._pause()
        if self._mode is not Mode.LIVE:
            if self._resting is not None:
                self._resting.stop()
            self._resting = self.set_timer(_DEBOUNCE_S, self._show_chosen)

    @on(DataTable.RowSelected, "#events")
    def open_row(self) -> None:
        """Open the event."""
        if self._mode is Mode.LIVE:
            self._pause()
        if (event := self.chosen_event) is not None:
            self._open(event)

    def _open(self, event: Event, *, is_sent_for: bool = False) -> None:
        if self.has_class("-wide"):
            self.query_one(EventPane).show(event)
        elif self.is_current:
            self.open_page(EventScreen(self.client, self.viewer, event), is_sent_for=is_sent_for)

    def _pause(self) -> None:
        """Keep what is shown as the page that it is."""
        self._mode = Mode.PAUSED
        self._landed_when_paused = self._tail.landed
        self._page = Page(merged(list(self._tail.events), self._page.items, PAGE), self._page.next_cursor)
        self._show()

    def action_pause(self) -> None:
        """Hold still, or follow again."""
        if self._mode is Mode.LIVE:
            self._pause()
        else:
            self._follow_again()

    def _follow_again(self) -> None:
        self._wanted, self._cursors, self.notice = None, [], ""
        if self._filters.time:
            self._take(Filters(self._filters.customer, self._filters.type))
            self.query_one(FilterBar).put(self._filters)
        self._mode = Mode.LIVE
        self.query_one(EventPane).say("")
        self.reload()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer escape always: where there is no way back, it takes filters away."""
        return action == "return" or super().check_action(action, parameters)

    def action_return(self) -> None:
        """Go back, if another section came for something here; else take filters away."""
        if self.dashboard.origin is not None:
            self.dashboard.go_back()
            return
        self.query_one(FilterBar).put(Filters())
        self._filters = Filters()
        self._follow_again()

    def left(self) -> None:
        """Look again at what was looked at before somebody was sent here."""
        filters, cursors = self._before or (Filters(), [])
        self._before = None
        self.query_one(FilterBar).put(filters)
        self._take(filters)
        self._cursors = cursors
        if cursors:
            self._mode = Mode.PAST
        self.query_one(EventPane).say("")

    def action_filter(self) -> None:
        """Type filters."""
        self.query_one("#filter-customer", Input).focus()

    @on(events.DescendantFocus)
    def say_what_keys_do(self) -> None:
        """Say how filters are taken as soon as somebody types them."""
        if self.has_content:
            self._say_mode()

    @on(FilterBar.Left)
    def back_to_list(self) -> None:
        """Go back to the list; what is typed stays."""
        self.query_one("#events").focus()

    @on(FilterBar.Taken)
    def take_filters(self, event: FilterBar.Taken) -> None:
        """Ask with these filters, or say which cannot be read."""
        try:
            range_of(event.filters.time, now=self.viewer.now(), zone=self.viewer.zone)
        except Unreadable as error:
            self.say(f"time: {error}")
            return
        self._take(event.filters)
        self.query_one("#events").focus()
        self.reload()

    def _take(self, filters: Filters) -> None:
        self._filters, self._cursors, self._wanted, self.notice = filters, [], None, ""
        self._mode = Mode.PAST if filters.time else Mode.LIVE
        if self._mode is Mode.PAST:
            self._stop_following()

    def action_older(self) -> None:
        """Show the page before."""
        if self._page.next_cursor is None:
            self.notify("there are no older events", timeout=2)
            return
        self._cursors.append(self._page.next_cursor)
        self._turn()

    def action_newer(self) -> None:
        """Show the page after."""
        if self._cursors:
            self._cursors.pop()
            self._turn()

    def _turn(self) -> None:
        self._mode = Mode.PAST
        self._stop_following()
        self.query_one("#events", RecordTable).move_cursor(row=0)
        self.reload()

    @work(exclusive=True, group="find")
    async def action_find(self) -> None:
        """Ask which event, and show it."""
        event = self.chosen_event
        known = self._wanted or Identity(event.source if event is not None else "", "")
        wanted = await self.answer_of(FindEvent(source=known.source, event_id=known.id))
        if wanted is not None:
            self._is_wanted_open = False
            self._wanted, self._mode, self._cursors = wanted, Mode.PAST, []
            self._stop_following()
            self.reload()
