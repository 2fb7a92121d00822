"""Customers: those that were described and those that only events name, searched by the appliance, page by page."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import ClassVar, Final

from rich.text import Text
from textual import events, on, work
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import DataTable, Input, Label, Static

from tallystick_tui.connection.appliance_client import ApplianceClient, Page
from tallystick_tui.connection.customer import Customer, ask_customers
from tallystick_tui.navigation import Destination, Section, ToCustomer, ToEvents
from tallystick_tui.screens.section_screen import SectionScreen
from tallystick_tui.texts.figures import exact
from tallystick_tui.texts.harmless import cut
from tallystick_tui.texts.moments import age, parsed
from tallystick_tui.viewer import Viewer
from tallystick_tui.widgets.opening_table import OpeningTable
from tallystick_tui.widgets.record_table import Column, Record

from .customer_form import CustomerForm
from .customer_page import CustomerPage

_TYPING_PAUSE_S: Final = 0.25
_WIDE_FROM: Final = 100
_EMPTY: Final = """No customers yet.

Events of customers that nobody described count at once, and their customers are listed here as soon as they come.
n describes one: its name, address and calendar."""


class CustomersScreen(SectionScreen):
    """The list."""

    SECTION: ClassVar[Section] = Section.CUSTOMERS
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "search", "Search", key_display="/"),
        Binding(
            "u",
            "unknown",
            "Unknown or described",
            tooltip="List those that only events name, or the others",
        ),
        Binding("n", "new", "New"),
        Binding("e", "change", "Change", tooltip="Change the description, or describe one that only events name"),
        Binding("f", "forward", "Next page"),
        Binding("b", "back", "Page before"),
        Binding("v", "events", "Events of the customer"),
    ]
    AUTO_FOCUS = "#customers"
    DEFAULT_CSS = """
    CustomersScreen #customers-search { height: 1; padding: 0 1; background: $surface; }
    CustomersScreen #customers-search Label { color: $secondary; padding: 0 1 0 0; }
    CustomersScreen #customers-search Input { width: 1fr; background: $panel; padding: 0 1; }
    CustomersScreen #customers-search Input:focus { background: $primary 25%; }
    CustomersScreen OpeningTable { scrollbar-size-vertical: 1; }
    CustomersScreen #customers-words { height: 1; padding: 0 1; color: $secondary; }
    """

    def __init__(self, client: ApplianceClient, viewer: Viewer) -> None:
        super().__init__(client, viewer)
        self._page: Page[Customer] = Page([])
        self._is_known = True
        # Cursors of the pages on the way here; the present one is the last.
        self._way: list[str | None] = [None]

    def compose_content(self) -> Iterable[Widget]:
        """Lay out search and list."""
        with Horizontal(id="customers-search"):
            yield Label("Search")
            yield Input(placeholder="a part of key, name or e-mail address", compact=True)
        yield OpeningTable(self._columns(), id="customers")
        yield Static(id="customers-words", markup=False)

    async def load(self) -> None:
        """Ask for the present page."""
        search = self.query_one(Input).value.strip()
        page = await ask_customers(self.client, is_known=self._is_known, search=search, cursor=self._way[-1])
        if not (page.items or search or len(self._way) > 1) and self._is_known:
            # Nobody was described: then those that events name are what there is to see.
            unknown = await ask_customers(self.client, is_known=False)
            if not unknown.items:
                self.show_empty(_EMPTY)
                return
            self._is_known, page = False, unknown
        self._page = page
        self._show(search)
        self.show_content()
        if self.focused is None:
            self.query_one(OpeningTable).focus()

    def arrive(self, destination: Destination) -> None:
        """Open the customer that somebody came for."""
        if isinstance(destination, ToCustomer) and destination.key:
            self._open(destination.key, is_sent_for=True)

    def on_resize(self, _event: events.Resize) -> None:
        """Show more where there is room."""
        if self.is_mounted and self.has_content:
            self._show(self.query_one(Input).value.strip())

    @on(Input.Changed)
    @work(exclusive=True, group="search")
    async def search_typed(self) -> None:
        """Search, once nothing was typed for a moment."""
        await asyncio.sleep(_TYPING_PAUSE_S)
        self._way = [None]
        self.reload()

    @on(Input.Submitted)
    def go_to_list(self) -> None:
        """Go on to what was found."""
        self.query_one(OpeningTable).focus()

    def on_key(self, event: events.Key) -> None:
        """From the search, down goes to the list, and escape empties the search first."""
        line = self.query_one(Input)
        if not line.has_focus or event.key not in ("down", "escape"):
            return
        event.stop()
        if event.key == "escape" and line.value:
            line.value = ""
        else:
            self.query_one(OpeningTable).focus()

    @on(DataTable.RowSelected)
    def open_row(self) -> None:
        """Open the customer."""
        if (customer := self._chosen()) is not None:
            self._open(customer.key)

    def action_search(self) -> None:
        """Go to the search."""
        if self.has_content:
            self.query_one(Input).focus()

    def action_unknown(self) -> None:
        """List the others."""
        self._is_known = not self._is_known
        self._way = [None]
        self.reload()

    def action_forward(self) -> None:
        """Show the next page."""
        if self._page.next_cursor is not None:
            self._way.append(self._page.next_cursor)
            self.reload()

    def action_back(self) -> None:
        """Show the page before."""
        if len(self._way) > 1:
            self._way.pop()
            self.reload()

    def action_events(self) -> None:
        """Show the customer's events."""
        if (customer := self._chosen()) is not None:
            self.go_to(ToEvents(customer=customer.key))

    @work(exclusive=True, group="form")
    async def action_new(self) -> None:
        """Describe a customer."""
        await self._fill_form(None)

    @work(exclusive=True, group="form")
    async def action_change(self) -> None:
        """Change a description."""
        if (customer := self._chosen()) is not None:
            await self._fill_form(customer)

    async def _fill_form(self, customer: Customer | None) -> None:
        saved = await self.answer_of(CustomerForm(self.client, self.viewer, customer))
        if saved is not None:
            self._is_known = True
            self.reload()

    def _open(self, key: str, *, is_sent_for: bool = False) -> None:
        self.open_page(CustomerPage(self.client, self.viewer, key), is_sent_for=is_sent_for)

    def _chosen(self) -> Customer | None:
        key = self.query_one(OpeningTable).chosen
        return next((customer for customer in self._page.items if customer.key == key), None)

    def _columns(self) -> list[Column]:
        is_wide = self.size.width >= _WIDE_FROM
        if not self._is_known:
            return [
                Column("key", "Customer", width=48 if is_wide else 36),
                Column("count", "Events", "right", width=14),
                Column("last", "Last event", "right", width=14),
            ]
        return [
            Column("key", "Customer", width=28 if is_wide else 22),
            Column("name", "Name", width=30 if is_wide else 20),
            *((Column("email", "E-mail", width=28),) if self.size.width >= 136 else ()),  # noqa: PLR2004 - what the columns take
            Column("zone", "Time zone", width=18 if is_wide else 16),
            Column("changed", "Changed", "right", width=12 if is_wide else 11),
        ]

    def _cells(self, customer: Customer) -> tuple[str | Text, ...]:
        key = Text(cut(customer.key, 48), style="bold")
        now = self.viewer.now()
        if not self._is_known:
            last = "" if customer.last_event_at is None else age(parsed(customer.last_event_at), now)
            return key, exact(customer.event_count), last
        return (
            key,
            cut(customer.name or "", 40),
            *((cut(customer.email or "", 40),) if self.size.width >= 136 else ()),  # noqa: PLR2004 - as above
            customer.time_zone,
            "" if customer.updated_at is None else age(parsed(customer.updated_at), now),
        )

    def _show(self, search: str) -> None:
        table = self.query_one(OpeningTable)
        table.set_columns(self._columns())
        table.show([Record(customer.key, self._cells(customer)) for customer in self._page.items])
        kind = "described" if self._is_known else "named by events, described by nobody"
        other = "u lists those that only events name" if self._is_known else "u lists those described"
        parts = [f"{exact(len(self._page.items))} {kind}" if len(self._way) == 1 else f"page {len(self._way)}, {kind}"]
        if not self._page.items:
            parts = [f"none {kind}" + (f" with {cut(search, 20)!r}" if search else "")]
            if self._page.next_cursor is not None:
                parts.append("among those looked at so far")
        if self._page.next_cursor is not None:
            parts.append("f shows more")
        if len(self._way) > 1:
            parts.append("b goes back")
        self.query_one("#customers-words", Static).update(" · ".join([*parts, other]))
