"""The raw events behind one figure, oldest first, page by page, and how they make it. Enter opens one of them in Events.

All pages are of the log as it was when the first was asked: what they list adds up, whatever comes meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import ClassVar, Final

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.widgets import DataTable, Static

from tallystick_tui.app_of import app_of
from tallystick_tui.connection.appliance_client import ApplianceClient, segment
from tallystick_tui.connection.failure import ApplianceFailure
from tallystick_tui.dialogs.keys_screen import KeysScreen
from tallystick_tui.navigation import ToEvents
from tallystick_tui.ready_screen import ReadyScreen
from tallystick_tui.texts import figures, moments
from tallystick_tui.texts.harmless import cut
from tallystick_tui.viewer import Viewer
from tallystick_tui.widgets.go_to import GoTo
from tallystick_tui.widgets.key_hints import KeyHints
from tallystick_tui.widgets.opening_table import OpeningTable
from tallystick_tui.widgets.record_table import Column, Record, RecordTable

from .answer import Figure, Meter
from .date_range import zone_named
from .explanation import Event, Explanation, Interval, amount_of, proof
from .labels import NAME_MAX
from .question import Asked

PAGE: Final = 200
_EVENTS: Final = (
    Column("time", "time"),
    Column("customer", "customer"),
    Column("amount", "amount", "right"),
    Column("id", "id"),
    Column("source", "source"),
    Column("position", "position", "right"),
)
_INTERVALS: Final = (
    Column("start", "from"),
    Column("end", "to"),
    Column("level", "level", "right"),
    Column("seconds", "seconds", "right"),
    Column("customer", "customer"),
    Column("series", "series"),
    Column("ending", "ended by"),
)


class EventsBehind(ModalScreen[None], ReadyScreen[None]):
    """A table of events or intervals, and below it the proof."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,backspace", "dismiss", "Back", key_display="esc"),
        Binding("enter", "open", "Open event", show=False),
        Binding("question_mark,f1", "keys", "All keys", key_display="?"),
        Binding("n,right", "turn(1)", "Next page", key_display="n"),
        Binding("p,left", "turn(-1)", "Page before", key_display="p"),
    ]
    DEFAULT_CSS = """
    EventsBehind { background: $background 100%; }
    EventsBehind #behind-title { height: auto; max-height: 2; padding: 0 1; background: $panel; text-style: bold; }
    EventsBehind #behind-proof { height: auto; max-height: 3; padding: 0 1; background: $surface; }
    """

    def __init__(self, client: ApplianceClient, viewer: Viewer, asked: Asked, meter: Meter, words: str) -> None:
        super().__init__()
        self._client, self._viewer, self._asked, self._meter, self._words = client, viewer, asked, meter, words
        self._zone = zone_named(asked.question.zone)
        # What comes before each page that was reached: its cursor, how many items, and what these add up to.
        self._pages: list[tuple[str | None, int, Decimal]] = [(None, 0, Decimal(0))]
        self._page = 0
        self._has_next = False
        self._figure: Figure | None = None
        self._items: Sequence[Event | Interval] = ()

    @property
    def is_settled(self) -> bool:
        """Whether a page is shown."""
        return bool(self._items)

    def compose(self) -> ComposeResult:
        """Lay out title, table and proof."""
        yield Static(self._words, id="behind-title", markup=False)
        yield OpeningTable(_EVENTS, id="behind")
        yield Static("loading …", id="behind-proof", markup=False)
        yield KeyHints()

    def action_keys(self) -> None:
        """List every key that does something here."""
        app_of(self).push_screen(KeysScreen(self))

    def on_mount(self) -> None:
        """Ask for the first page."""
        self._read(0)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Turn only to pages that are there."""
        if action == "turn":
            return self._has_next if parameters == (1,) else self._page > 0
        return True

    def action_turn(self, step: int) -> None:
        """Show the page after, or before."""
        self._read(self._page + step)

    @on(DataTable.RowSelected)
    def open_selected(self) -> None:
        """Open the event under the cursor."""
        self.action_open()

    def action_open(self) -> None:
        """Open the event under the cursor, or the one that began the interval, in Events."""
        chosen = self.query_one(RecordTable).chosen
        if chosen is None:
            return
        item = self._items[int(chosen)]
        if isinstance(item, Event):
            self.post_message(GoTo(ToEvents(source=item.source, id=item.id)))
        elif item.opened.events:
            self.post_message(GoTo(ToEvents(source=item.opened.events[0].source, id=item.opened.events[0].id)))

    @work(exclusive=True, group="explain")
    async def _read(self, page: int) -> None:
        cursor, seen, total = self._pages[page]
        params = [*self._asked.explain_params(), ("include_archived", "true"), ("limit", str(PAGE))]
        params += [("cursor", cursor)] if cursor is not None else []
        words = self.query_one("#behind-proof", Static)
        try:
            found = await self._client.ask(f"/v1/meters/{segment(self._meter.key)}/explain", params, answer=Explanation)
        except ApplianceFailure as failure:
            words.update(f"! {failure}")
            return
        if found.totals is not None:
            self._figure = next(iter(found.totals), None)
        self._page, self._items, self._has_next = page, found.items, found.next_cursor is not None
        seen, total = seen + len(found.items), sum(map(amount_of, found.items), total)
        if found.next_cursor is not None and len(self._pages) == page + 1:
            self._pages.append((found.next_cursor, seen, total))
        self._show(found.items)
        rest = f" · page {page + 1}" if page or self._has_next else ""
        words.update(proof(self._meter.aggregation, self._figure, found.items, total, seen) + rest)
        self.refresh_bindings()

    def _show(self, items: Sequence[Event | Interval]) -> None:
        table = self.query_one(RecordTable)
        are_intervals = bool(items) and isinstance(items[0], Interval)
        table.set_columns(_INTERVALS if are_intervals else _EVENTS)
        table.show([Record(str(number), self._cells(item)) for number, item in enumerate(items)])
        table.move_cursor(row=0, animate=False)
        table.focus()

    def _cells(self, item: Event | Interval) -> tuple[str, ...]:
        if isinstance(item, Event):
            return (
                moments.precise(moments.parsed(item.time), self._zone),
                cut(item.customer, NAME_MAX),
                figures.exact(item.amount),
                cut(item.id, NAME_MAX),
                cut(item.source, NAME_MAX),
                figures.exact(item.position),
            )
        return (
            moments.date_and_time(moments.parsed(item.start), self._zone),
            moments.date_and_time(moments.parsed(item.end), self._zone),
            figures.exact(item.level),
            figures.exact(item.seconds),
            cut(item.customer, NAME_MAX),
            cut(item.series or "", NAME_MAX),
            item.ending,
        )
