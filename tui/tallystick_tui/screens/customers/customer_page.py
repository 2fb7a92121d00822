"""One customer: what it used of each meter this month against the month before, what it has left, which signals are fired."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import ClassVar, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from rich.text import Text
from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.widget import Widget
from textual.widgets import DataTable, Static

from tallystick_tui.app_of import app_of
from tallystick_tui.connection.appliance_client import ApplianceClient, segment
from tallystick_tui.connection.customer import Allowance, Customer, ask_customer
from tallystick_tui.connection.failure import ApplianceFailure, Refused
from tallystick_tui.connection.fired_signal import FiredSignals
from tallystick_tui.connection.meter import Meter, ask_meters
from tallystick_tui.dialogs.confirmation import Confirmation
from tallystick_tui.navigation import Section, ToEvents, ToExplorer, ToSignal
from tallystick_tui.screens.detail_screen import DetailScreen
from tallystick_tui.texts.figures import NOTHING, change, rounded
from tallystick_tui.texts.harmless import cut, harmless
from tallystick_tui.texts.moments import age, parsed, rfc3339
from tallystick_tui.texts.sparkline import sparkline
from tallystick_tui.viewer import Viewer
from tallystick_tui.widgets.opening_table import OpeningTable
from tallystick_tui.widgets.record_table import Column, Record
from tallystick_tui.widgets.time_graph import GraphKind, Series, TimeGraph

from .customer_form import CustomerForm
from .customer_usage import MeterUsage, Months, ask_customer_usage, months_at
from .statement_screen import StatementScreen

_TREND_DAYS: Final = 14
# Allowances are asked meter by meter: of so many, the first by key.
_ALLOWANCES_MAX: Final = 20
_FIRED_MAX: Final = 20
_MARKS: Final = {"exceeded": "▲ ", "warning": "! ", "ok": ""}


class CustomerPage(DetailScreen):
    """The page."""

    SECTION: ClassVar[Section] = Section.CUSTOMERS
    REFRESH_S: ClassVar[float | None] = 15.0
    AUTO_FOCUS = "#customer-usage"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "statement", "Statement"),
        Binding("v", "events", "Events"),
        Binding(
            "x",
            "explore",
            "Explore",
            tooltip="Open the meter under the cursor in the explorer, of this customer",
        ),
        Binding("e", "change", "Change", tooltip="Change the description, or describe one that only events name"),
        Binding("d", "forget", "Forget the description", tooltip="Its events stay, and count"),
    ]
    DEFAULT_CSS = """
    CustomerPage #customer-title { height: auto; max-height: 4; padding: 0 1; }
    CustomerPage #customer-body { height: 1fr; layout: vertical; }
    CustomerPage.-wide #customer-body { layout: horizontal; }
    CustomerPage #customer-usage { height: 2fr; }
    CustomerPage.-wide #customer-usage { width: 3fr; height: 1fr; }
    CustomerPage #customer-beside { height: 1fr; min-height: 7; }
    CustomerPage.-wide #customer-beside { width: 2fr; height: 1fr; border-left: solid $panel; padding: 0 1; }
    CustomerPage #customer-graph-title { height: 1; padding: 0 1; color: $secondary; }
    CustomerPage TimeGraph { display: none; height: 14; }
    CustomerPage.-wide TimeGraph { display: block; }
    CustomerPage.-narrow #customer-graph-title { display: none; }
    CustomerPage #customer-fired-title { height: 1; padding: 0 1; text-style: bold; background: $panel; }
    CustomerPage.-wide #customer-fired-title { margin-top: 1; }
    CustomerPage #customer-costs { height: 1; padding: 0 1; color: $secondary; }
    """

    def __init__(self, client: ApplianceClient, viewer: Viewer, key: str) -> None:
        super().__init__(client, viewer)
        self._key = key
        self._customer: Customer | None = None
        self._usage: list[MeterUsage] = []
        self._allowances: dict[str, Allowance] = {}
        self._signals: dict[str, str] = {}

    @property
    def zone(self) -> ZoneInfo:
        """The customer's calendar; the viewer's for one that nobody described."""
        if self._customer is None or not self._customer.known:
            return self.viewer.zone
        try:
            return ZoneInfo(self._customer.time_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            return self.viewer.zone

    def compose_content(self) -> Iterable[Widget]:
        """Lay out title, usage, graph and signals."""
        yield Static(id="customer-title", markup=False)
        with Container(id="customer-body"):
            yield OpeningTable(self._columns(), id="customer-usage")
            with Vertical(id="customer-beside"):
                yield Static(id="customer-graph-title", markup=False)
                yield TimeGraph(self.viewer.zone, is_plain=self.viewer.is_plain)
                yield Static(id="customer-fired-title", markup=False)
                yield OpeningTable(
                    [
                        Column("state", "State", width=9),
                        Column("signal", "Signal", width=16),
                        Column("figure", "Figure", "right", width=12),
                        Column("since", "Since", "right", width=11),
                    ],
                    id="customer-fired",
                )
        yield Static("Costs: there are no rate cards yet, so nothing is priced.", id="customer-costs", markup=False)

    async def load(self) -> None:
        """Ask who it is, then everything about it at once."""
        self._customer, meters = await asyncio.gather(ask_customer(self.client, self._key), ask_meters(self.client))
        months = months_at(self.viewer.now(), self.zone)
        usage, fired, allowances = await asyncio.gather(
            ask_customer_usage(self.client, self._key, meters, months, self.zone),
            self.client.ask(
                "/v1/signals/fired", [("customer", self._key), ("limit", str(_FIRED_MAX))], answer=FiredSignals
            ),
            self._ask_allowances(meters),
        )
        self._usage, self._allowances = usage, allowances
        self._show_title(self._customer, months)
        self._show_usage()
        self._show_graph()
        self._show_fired(fired)
        self.show_content()
        if self.focused is None:
            self.query_one("#customer-usage").focus()

    def on_resize(self) -> None:
        """Show more where there is room."""
        if self.is_mounted and self.has_content:
            self._show_usage()

    def action_statement(self) -> None:
        """Show the statement."""
        app_of(self).push_screen(StatementScreen(self.client, self.viewer, self._key, self.zone))

    def action_events(self) -> None:
        """Show the customer's events."""
        self.go_to(ToEvents(customer=self._key))

    def action_explore(self) -> None:
        """Open the meter under the cursor in the explorer."""
        meter = self.query_one("#customer-usage", OpeningTable).chosen
        months = months_at(self.viewer.now(), self.zone)
        self.go_to(
            ToExplorer(
                meter=meter,
                filters={"customer": (self._key,)},
                start=rfc3339(months.start),
                window="day",
                is_whole=True,
            )
        )

    @on(DataTable.RowSelected)
    def open_row(self, event: DataTable.RowSelected) -> None:
        """Open the meter in the explorer, or the signal."""
        if self.focused is self.query_one("#customer-usage"):
            self.action_explore()
        elif event.row_key.value in self._signals:
            self.go_to(ToSignal(key=self._signals[event.row_key.value]))

    @on(DataTable.RowHighlighted, "#customer-usage")
    def follow_cursor(self) -> None:
        """Draw the days of the meter under the cursor."""
        self._show_graph()

    @work(exclusive=True, group="form")
    async def action_change(self) -> None:
        """Change the description."""
        if self._customer is not None:
            form = CustomerForm(self.client, self.viewer, self._customer)
            if await self.answer_of(form) is not None:
                self.reload()

    @work(exclusive=True, group="form")
    async def action_forget(self) -> None:
        """Delete the description, after a question."""
        if self._customer is None or not self._customer.known:
            self.say("nobody described it: there is nothing to forget")
            return
        words = f"Name, address and metadata of {cut(self._key, 40)} are deleted. Its events stay, and count."
        if not await self.answer_of(Confirmation("Forget the description?", words, does="Forget")):
            return
        try:
            await self.client.call("DELETE", f"/v1/customers/{segment(self._key)}")
        except ApplianceFailure as failure:
            self.say(f"not forgotten: {failure}")
        else:
            self.reload()

    async def _ask_allowances(self, meters: Sequence[Meter]) -> dict[str, Allowance]:
        path = f"/v1/customers/{segment(self._key)}/allowance"

        async def one(meter: Meter) -> Allowance | None:
            try:
                return await self.client.ask(path, [("meter", meter.key)], answer=Allowance)
            except Refused:
                return None  # the usage of the same meter says why: it is refused alike

        found = await asyncio.gather(*(one(meter) for meter in meters[:_ALLOWANCES_MAX]))
        return {each.meter: each for each in found if each is not None and each.limit is not None}

    def _columns(self) -> list[Column]:
        is_wide = self.size.width >= 120  # noqa: PLR2004 - as the breakpoint
        limits = (Column("left", "Left", "right", width=13),) if self._allowances else ()
        return [
            Column("meter", "Meter", width=14),
            Column("present", "This month", "right", width=12),
            Column("previous", "Month before", "right", width=12),
            Column("change", "Change", "right", width=9),
            *limits,
            *(
                (Column("trend", "14 days", width=_TREND_DAYS),)
                if not self.viewer.is_plain and (is_wide or not limits)
                else ()
            ),
            Column("unit", "Unit", width=7),
        ]

    def _show_title(self, customer: Customer, months: Months) -> None:
        title = Text(cut(customer.key, 40), style="bold")
        if customer.name:
            title.append(f"  {cut(customer.name, 40)}", style="not bold")
        facts = [harmless(customer.email)] if customer.email else []
        facts += [f"{cut(name, 20)}: {cut(text, 30)}" for name, text in list(customer.metadata.items())[:4]]
        if not customer.known:
            facts.append("nobody described it yet: e does")
        if facts:
            title.append(f"\n{' · '.join(facts)}", style="not bold")
        title.append(f"\n{self._month_words(months)}", style="not bold dim")
        self.query_one("#customer-title", Static).update(title)

    def _month_words(self, months: Months) -> str:
        def words(start: datetime, end: datetime) -> str:
            return f"{start.astimezone(self.zone):%-d %b} to {end.astimezone(self.zone):%-d %b %H:%M}"

        return f"{words(months.start, months.end)} against {words(months.previous_start, months.previous_end)}, {self.zone.key}"

    def _show_usage(self) -> None:
        table = self.query_one("#customer-usage", OpeningTable)
        columns = self._columns()
        table.set_columns(columns)
        shown = {column.key for column in columns}
        table.show([Record(each.meter.key, self._cells(each, shown)) for each in self._usage])

    def _cells(self, usage: MeterUsage, shown: set[str]) -> tuple[str | Text, ...]:
        unit = Text(usage.meter.unit or "", style="dim")
        if usage.refusal:
            present: str | Text = Text("! refused", style="dim")
        else:
            present = rounded(usage.present)
        return (
            Text(usage.meter.key, style="bold"),
            present,
            rounded(usage.previous),
            NOTHING if usage.refusal else change(usage.previous or 0, usage.present),
            *((self._left(usage.meter.key),) if "left" in shown else ()),
            *((sparkline([figure for _, figure in usage.days[-_TREND_DAYS:]]),) if "trend" in shown else ()),
            unit,
        )

    def _left(self, meter: str) -> Text:
        allowance = self._allowances.get(meter)
        if allowance is None:
            return Text("no limit", style="dim")
        style = "bold" if allowance.state != "ok" else ""
        return Text(f"{_MARKS.get(allowance.state, '')}{rounded(allowance.remaining)}", style=style)

    def _show_graph(self) -> None:
        key = self.query_one("#customer-usage", OpeningTable).chosen
        usage = next((each for each in self._usage if each.meter.key == key), None)
        if usage is None:
            return
        unit = f" in {usage.meter.unit}" if usage.meter.unit else ""
        words = usage.refusal or f"{usage.meter.key} by day{unit}, since the month before"
        if (allowance := self._allowances.get(usage.meter.key)) is not None:
            words += f" · {rounded(allowance.used)} of {rounded(allowance.limit)} used"
        self.query_one("#customer-graph-title", Static).update(words)
        points = tuple((at_s, figure or 0.0) for at_s, figure in usage.days)
        self.query_one(TimeGraph).show(
            [Series(usage.meter.key, points)], kind=GraphKind.BARS, unit=usage.meter.unit or ""
        )

    def _show_fired(self, fired: FiredSignals) -> None:
        now = self.viewer.now()
        more = "" if fired.next_cursor is None else " or more"
        count = f"Signals that are fired: {len(fired.items)}{more}"
        title = count if fired.items else "No signal about it is fired"
        self.query_one("#customer-fired-title", Static).update(title)
        self._signals = {str(place): each.signal for place, each in enumerate(fired.items)}
        self.query_one("#customer-fired", OpeningTable).show(
            [
                Record(
                    str(place),
                    (
                        "▲ fired" if each.state == "fired" else f"z {each.state}",
                        cut(each.name or each.signal, 20),
                        rounded(each.figure),
                        age(parsed(each.since), now),
                    ),
                )
                for place, each in enumerate(fired.items)
            ]
        )
