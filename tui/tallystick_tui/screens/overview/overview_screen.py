"""What happens now: events a second, what was counted, today's usage beside yesterday's, who used most, what is fired, how it is.

Asks for counters every second, for fired signals and who used most every few, for the day's usage every 15 s; nothing while another
section is shown. `enter` on a meter opens the explorer, on a customer the customer, on a signal the signal.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import ClassVar, Final

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import DataTable, Static

from tallystick_tui.connection.appliance_client import ApplianceClient
from tallystick_tui.connection.failure import ApplianceFailure, Refused, Unreachable
from tallystick_tui.connection.fired_signal import FiredSignals
from tallystick_tui.connection.status import Status
from tallystick_tui.connection.usage_answer import UsageAnswer, ask_usages
from tallystick_tui.navigation import Section, ToCustomer, ToExplorer, ToSignal
from tallystick_tui.screens.section_screen import SectionScreen
from tallystick_tui.texts.figures import NOTHING, rate
from tallystick_tui.texts.harmless import cut
from tallystick_tui.texts.moments import clock_time, rfc3339
from tallystick_tui.viewer import Viewer
from tallystick_tui.widgets.facts import Facts
from tallystick_tui.widgets.opening_table import OpeningTable
from tallystick_tui.widgets.record_table import Column, RecordTable
from tallystick_tui.widgets.time_graph import Series, TimeGraph

from .cards import (
    Meter,
    counter_facts,
    customer_records,
    fired_records,
    health_facts,
    meter_record,
    refusals,
    trouble,
)
from .rates import RateHistory
from .today import QUERIES_A_METER, MeterToday, day_at, meter_today, queries_of, top_query

# More are listed by the section of meters; each costs three questions every 15 s.
METERS_SHOWN: Final = 32
TOP_SHOWN: Final = 10
FIRED_SHOWN: Final = 20
POLL_S: Final = 1.0
_SPANS: Final = ((120, "2 min"), (600, "10 min"), (3_600, "1 h"))
_POINTS: Final = 120
_DEBOUNCE_S: Final = 0.25
_NOT_FOUND: Final = 404


class OverviewScreen(SectionScreen):
    """Cards: the graph and the counters, meters and customers, signals and health."""

    SECTION: ClassVar[Section] = Section.OVERVIEW
    REFRESH_S: ClassVar[float | None] = 15.0
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("g", "span", "Graph's span", tooltip="The graph shows 2 minutes, 10 minutes, an hour"),
    ]
    DEFAULT_CSS = """
    OverviewScreen #overview { scrollbar-size-vertical: 1; }
    OverviewScreen .row { height: 7; }
    OverviewScreen .row > .pane { width: 1fr; height: 1fr; }
    OverviewScreen #now { height: 8; }
    OverviewScreen #counters-pane { width: 34; }
    OverviewScreen #today { layout: vertical; height: 14; }
    OverviewScreen #how { layout: vertical; height: 17; }
    OverviewScreen #health-pane { height: 9; }
    OverviewScreen .pane Static.hint { color: $secondary; display: none; }
    OverviewScreen .pane.-empty Static.hint { display: block; }
    OverviewScreen .pane.-empty DataTable { display: none; }
    OverviewScreen DataTable { background: transparent; overflow-x: hidden; }
    OverviewScreen.-wide #now { height: 1fr; min-height: 10; }
    OverviewScreen.-wide #today { layout: horizontal; height: 1fr; min-height: 9; }
    OverviewScreen.-wide #how { layout: horizontal; height: 10; }
    OverviewScreen.-wide #how > .pane { height: 1fr; }
    OverviewScreen.-wide #overview .side { width: 52; }
    """

    def __init__(self, client: ApplianceClient, viewer: Viewer) -> None:
        super().__init__(client, viewer)
        self._history = RateHistory()
        self._span = 0
        self._meters: list[Meter] = []
        self._today: dict[str, MeterToday] = {}
        self._fired: dict[str, str] = {}
        self._fired_count: int | None = None
        self._trouble = ""
        self._poll: Timer | None = None
        self._choosing: Timer | None = None

    def compose_content(self) -> Iterable[Widget]:
        """Lay the cards out in rows; their order is that of importance, since a small terminal scrolls."""
        with VerticalScroll(id="overview", can_focus=False):
            with Horizontal(id="now", classes="row"):
                with Vertical(id="graph-pane", classes="pane"):
                    yield TimeGraph(self.viewer.zone, is_plain=self.viewer.is_plain, id="rate-graph")
                with Vertical(id="counters-pane", classes="pane side") as pane:
                    pane.border_title = "since the start"
                    yield Facts(are_figures=True, id="counters")
            with Horizontal(id="today", classes="row"):
                with Vertical(id="meters-pane", classes="pane"):
                    yield Static(
                        "no meters yet: press 4, then n to define one. It covers events that came before it, too.",
                        classes="hint",
                    )
                    yield OpeningTable(self._meter_columns(), id="meters")
                with Vertical(id="customers-pane", classes="pane side") as pane:
                    pane.border_title = "top customers today"
                    yield Static("nobody used this today", classes="hint")
                    yield OpeningTable(
                        (
                            Column("customer", "Customer"),
                            Column("used", "Today", "right"),
                            *(() if self.viewer.is_plain else (Column("bar", "", width=12),)),
                        ),
                        id="customers",
                    )
            with Horizontal(id="how", classes="row"):
                with Vertical(id="signals-pane", classes="pane") as pane:
                    pane.border_title = "fired signals"
                    yield Static("", classes="hint", id="signals-hint", markup=False)
                    yield OpeningTable(
                        (
                            Column("state", "State"),
                            Column("signal", "Signal"),
                            Column("customer", "Customer"),
                            Column("figure", "Figure", "right"),
                            Column("since", "Since", "right"),
                        ),
                        id="signals",
                    )
                with Vertical(id="health-pane", classes="pane side") as pane:
                    pane.border_title = "health"
                    yield Facts(are_figures=False, id="health")

    def on_mount(self) -> None:
        """Draw in the colours of another theme when one is chosen."""
        self.watch(self.dashboard, "theme", self._recolour, init=False)

    def _recolour(self) -> None:
        self.reload()

    # Asking

    async def load(self) -> None:
        """Ask for everything once; counters are asked for more often by `poll`."""
        await self._ask_status()
        if not self.has_content:
            self.show_content()
            self.query_one("#meters").focus()
        await self._ask_fired()
        page = await self.client.ask_page("/v1/meters", item=Meter, limit=METERS_SHOWN)
        self._meters = page.items
        self.query_one("#meters-pane").set_class(not self._meters, "-empty")
        self._show_meters(has_more=page.next_cursor is not None)
        await self._ask_today()
        self._show_meters(has_more=page.next_cursor is not None)
        await self._ask_top()
        self.notice = self._trouble or refusals(self._today)

    def on_screen_resume(self) -> None:
        """Ask for counters while this is shown."""
        if self._poll is None:
            self._poll = self.set_interval(POLL_S, self.poll)

    def on_screen_suspend(self) -> None:
        """Ask for nothing while another section is shown."""
        if self._poll is not None:
            self._poll.stop()
            self._poll = None

    @work(exclusive=True, group="poll")
    async def poll(self) -> None:
        """Ask for the counters; what failed is said by `load`, or by the banner."""
        if self.dashboard.is_going(self):
            return
        try:
            await self._ask_status()
        except Unreachable:
            return  # the banner says it
        except ApplianceFailure as failure:
            self.say(f"could not refresh: {failure}")

    async def _ask_status(self) -> None:
        status = await self.client.ask("/v1/status", answer=Status)
        now = self.viewer.now()
        self._history.add(status.since_start, at_s=now.timestamp(), ticks_s=asyncio.get_running_loop().time())
        self._show_status(status)

    async def _ask_fired(self) -> None:
        pane, hint = self.query_one("#signals-pane"), self.query_one("#signals-hint", Static)
        try:
            page = await self.client.ask("/v1/signals/fired", [("limit", str(FIRED_SHOWN))], answer=FiredSignals)
        except Refused as refusal:
            if refusal.status != _NOT_FOUND:
                raise
            hint.update("this appliance is of a version without signals")
            pane.add_class("-empty")
            return
        self._fired_count = page.count
        rows = fired_records(page, self.viewer.now())
        self._fired = {record.key: signal for record, signal in rows.items()}
        self.query_one("#signals", RecordTable).show(list(rows))
        hint.update("nothing is past a threshold now\n6 shows all signals, and makes new ones")
        pane.set_class(not rows, "-empty")
        pane.border_title = f"fired signals · {page.count}" if page.count else "fired signals"

    async def _ask_today(self) -> None:
        day = day_at(self.viewer.now(), self.viewer.zone)
        queries = [query for meter in self._meters for query in queries_of(meter.key, day)]
        answers = {place: answer async for place, answer in ask_usages(self.client, queries)}
        found: dict[str, MeterToday] = {}
        for number, meter in enumerate(self._meters):
            places = range(number * QUERIES_A_METER, (number + 1) * QUERIES_A_METER)
            found[meter.key] = meter_today([answers[place] for place in places if place in answers], day)
        self._today = found

    async def _ask_top(self) -> None:
        pane, table = self.query_one("#customers-pane"), self.query_one("#customers", RecordTable)
        key = self.query_one("#meters", RecordTable).chosen
        meter = next((each for each in self._meters if each.key == key), None)
        if meter is None:
            pane.border_title = "top customers today"
            table.show([])
            pane.add_class("-empty")
            return
        query = top_query(meter.key, day_at(self.viewer.now(), self.viewer.zone), limit=TOP_SHOWN)
        async for _, answer in ask_usages(self.client, [query]):
            totals = answer.totals if isinstance(answer, UsageAnswer) else []
            records = customer_records(totals, meter.unit, with_bars=not self.viewer.is_plain, colour=self._colour)
            table.show(records)
            pane.set_class(not records, "-empty")
            pane.border_title = Content(f"top customers today · {cut(meter.key, 20)}")

    # Showing

    def _show_status(self, status: Status) -> None:
        now = self.viewer.now()
        rates = self._history.now()
        self.query_one("#counters", Facts).show(counter_facts(status, rates, self._fired_count))
        self.query_one("#health", Facts).show(health_facts(status, now))
        if (words := trouble(status)) != self._trouble:
            self._trouble = self.notice = words
            self.say(words)
        span_s, words = _SPANS[self._span]
        pane = self.query_one("#graph-pane")
        pane.border_title = f"events · {NOTHING if rates is None else rate(rates.accepted)}"
        pane.border_subtitle = f"{words} · {clock_time(now, self.viewer.zone)} {self.viewer.zone_name}"
        refused = self._history.refused(span_s, _POINTS)
        series = [Series("accepted", self._history.accepted(span_s, _POINTS))]
        if any(figure for _, figure in refused):
            series.append(Series("not accepted", refused))
        graph = self.query_one("#rate-graph", TimeGraph)
        graph.show(series, unit="events/s", span=(now.timestamp() - span_s, now.timestamp()))

    def _meter_columns(self) -> tuple[Column, ...]:
        trend = () if self.viewer.is_plain else (Column("trend", f"Last {self._hours} h", width=self._hours),)
        return (
            Column("meter", "Meter"),
            Column("today", "Today", "right"),
            Column("yesterday", "Yesterday by now", "right"),
            Column("change", "Change", "right"),
            *trend,
        )

    @property
    def _colour(self) -> str:
        return self.dashboard.theme_variables.get("accent", "")

    @property
    def _hours(self) -> int:
        return 24 if self.has_class("-wide") else 12

    def _show_meters(self, *, has_more: bool) -> None:
        pane, table = self.query_one("#meters-pane"), self.query_one("#meters", RecordTable)
        pane.border_title = f"today by meter · {self.viewer.zone_name}"
        pane.border_subtitle = "more: press 4" if has_more else ""
        table.set_columns(self._meter_columns())
        hours = 0 if self.viewer.is_plain else self._hours
        table.show(
            [
                meter_record(meter, self._today.get(meter.key), hours=hours, colour=self._colour)
                for meter in self._meters
            ]
        )

    # Doing

    def action_span(self) -> None:
        """Show more of the past, or the newest again."""
        self._span = (self._span + 1) % len(_SPANS)
        self.poll()

    @on(DataTable.RowSelected, "#meters")
    def open_meter(self, event: DataTable.RowSelected) -> None:
        """Open the day of a meter in the explorer."""
        if event.row_key.value is not None:
            day = day_at(self.viewer.now(), self.viewer.zone)
            start, end = rfc3339(day.start), rfc3339(day.now)
            self.go_to(ToExplorer(meter=event.row_key.value, start=start, end=end, window="hour", is_whole=True))

    @on(DataTable.RowSelected, "#customers")
    def open_customer(self, event: DataTable.RowSelected) -> None:
        """Open a customer."""
        if event.row_key.value is not None:
            self.go_to(ToCustomer(key=event.row_key.value))

    @on(DataTable.RowSelected, "#signals")
    def open_signal(self, event: DataTable.RowSelected) -> None:
        """Open the signal that fired."""
        if event.row_key.value is not None and event.row_key.value in self._fired:
            self.go_to(ToSignal(key=self._fired[event.row_key.value]))

    @on(DataTable.RowHighlighted, "#meters")
    def choose_meter(self) -> None:
        """Show who used most of the meter under the cursor, once the cursor rests."""
        if self._choosing is not None:
            self._choosing.stop()
        self._choosing = self.set_timer(_DEBOUNCE_S, self.ask_top)

    @work(exclusive=True, group="top")
    async def ask_top(self) -> None:
        """Ask who used most."""
        try:
            await self._ask_top()
        except ApplianceFailure as failure:
            self.say(f"could not refresh: {failure}")
