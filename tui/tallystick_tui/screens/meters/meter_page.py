"""One meter: what it asks, its usage as a graph, its versions, and the events that it skips."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import timedelta
from typing import ClassVar, Final

from rich.text import Text
from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import DataTable, Static, TabbedContent, TabPane

from tallystick_tui.connection.appliance_client import ApplianceClient, Page, segment
from tallystick_tui.connection.failure import ApplianceFailure
from tallystick_tui.connection.meter import Meter, MeterVersion, SkippedEvent, SkippedEvents, ask_aggregators
from tallystick_tui.connection.usage_answer import UsageAnswer
from tallystick_tui.dialogs.confirmation import Confirmation
from tallystick_tui.navigation import Section, ToCustomer, ToEvents, ToExplorer
from tallystick_tui.screens.detail_screen import DetailScreen
from tallystick_tui.screens.section_screen import SectionScreen
from tallystick_tui.texts.figures import exact, rounded
from tallystick_tui.texts.harmless import harmless
from tallystick_tui.texts.moments import date_and_time, parsed, rfc3339
from tallystick_tui.viewer import Viewer
from tallystick_tui.widgets.record_table import Column, Record, RecordTable
from tallystick_tui.widgets.time_graph import GraphKind, Series, TimeGraph, thinned

from .listed_texts import listed
from .meter_form import MeterForm

# Days, the window of the graph, and what people call it.
_RANGES: Final = ((14, "day", "14 days"), (90, "day", "90 days"), (1, "hour", "24 hours"), (7, "hour", "7 days"))
# The key of a list stands before its title.
_TITLE: Final = "[bold $accent]{key}[/] {title}"
_GROUPS: Final = 20
_LISTED: Final = 100


class MeterPage(DetailScreen):
    """The page."""

    SECTION: ClassVar[Section] = Section.METERS
    REFRESH_S: ClassVar[float | None] = 15.0
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("e", "change", "Change"),
        Binding("t", "range", "Range", tooltip="Look at more or fewer days"),
        Binding("x", "explore", "Explore", tooltip="Open the meter in the explorer"),
        Binding("c", "list('customers')", "Customers", show=False),
        Binding("v", "list('versions')", "Versions", show=False),
        Binding("s", "list('skipped')", "Skipped events", show=False),
        Binding("enter", "open", "Open the customer or the event", show=False),
        Binding("d", "archive", "Archive", tooltip="or take an archived meter back"),
    ]
    DEFAULT_CSS = """
    MeterPage #meter-body { height: 1fr; }
    MeterPage #meter-above { height: 11; padding: 0 1; }
    MeterPage.-wide #meter-above { height: 45%; min-height: 12; padding: 1 1 0 1; }
    MeterPage #meter-title { height: auto; max-height: 3; }
    MeterPage #meter-figure { height: 1; }
    MeterPage TabbedContent { height: 1fr; }
    MeterPage TabPane { padding: 0; }
    MeterPage #meter-skipped { height: 1fr; }
    MeterPage #meter-why { height: auto; max-height: 3; padding: 0 1; color: $secondary; }
    """

    def __init__(self, client: ApplianceClient, viewer: Viewer, key: str) -> None:
        super().__init__(client, viewer)
        self._key = key
        self._meter: Meter | None = None
        self._skipped: list[SkippedEvent] = []
        self._range = 0

    def compose_content(self) -> Iterable[Widget]:
        """Lay out graph and lists."""
        with Container(id="meter-body"):
            with Vertical(id="meter-above"):
                yield Static(id="meter-title", markup=False)
                yield Static(id="meter-figure", markup=False)
                yield TimeGraph(self.viewer.zone, is_plain=self.viewer.is_plain)
            with TabbedContent(id="meter-lists"):
                with TabPane(_TITLE.format(key="c", title="Customers"), id="customers"):
                    yield RecordTable(
                        [
                            Column("customer", "Customer", width=24),
                            Column("figure", "Usage", "right", width=20),
                            Column("events", "Events", "right", width=12),
                        ],
                        id="meter-customers",
                    )
                with TabPane(_TITLE.format(key="v", title="Versions"), id="versions"):
                    yield RecordTable(
                        [
                            Column("version", "v", "right", width=3),
                            Column("since", "Since", width=19),
                            Column("position", "Position", "right"),
                            Column("what", "What it asks"),
                        ],
                        id="meter-versions",
                    )
                with TabPane(_TITLE.format(key="s", title="Skipped events"), id="skipped"):
                    yield RecordTable(
                        [
                            Column("time", "Time", width=19),
                            Column("customer", "Customer", width=14),
                            Column("why", "Why it does not count"),
                        ],
                        id="meter-skipped",
                    )
                    yield Static(id="meter-why", markup=False)

    async def load(self) -> None:
        """Ask for the meter, its usage, versions and skipped events."""
        path = f"/v1/meters/{segment(self._key)}"
        with_archived = ("include_archived", "true")
        days, window, words = _RANGES[self._range]
        now = self.viewer.now()
        start = now - timedelta(days=days)
        if window == "day":
            start = (
                (start + timedelta(days=1))
                .astimezone(self.viewer.zone)
                .replace(hour=0, minute=0, second=0, microsecond=0)
            )
        span = [("from", rfc3339(start)), with_archived]
        by_time = [*span, ("window", window), ("timezone", self.viewer.zone_name), ("fill", "zero")]
        self._meter, usage, groups, versions, skipped = await asyncio.gather(
            self.client.ask(path, [with_archived], answer=Meter),
            self.client.ask(f"{path}/usage", by_time, answer=UsageAnswer),
            self.client.ask(
                f"{path}/usage", [*span, ("group_by", "customer"), ("limit", str(_GROUPS))], answer=UsageAnswer
            ),
            self.client.ask_page(f"{path}/versions", [with_archived], item=MeterVersion, limit=_LISTED),
            self.client.ask(f"{path}/skipped", [*span, ("limit", str(_LISTED))], answer=SkippedEvents),
        )
        self._show_usage(self._meter, usage, words)
        self._show_customers(groups)
        self._show_versions(versions)
        self._show_skipped(skipped)
        self.show_content()

    def action_range(self) -> None:
        """Look at another range."""
        self._range = (self._range + 1) % len(_RANGES)
        self.reload()

    def action_list(self, key: str) -> None:
        """Show one of the lists."""
        self.query_one("#meter-lists", TabbedContent).active = key
        self.query_one(f"#meter-{key}", RecordTable).focus()

    def action_explore(self) -> None:
        """Open the meter in the explorer."""
        self.go_to(ToExplorer(meter=self._key, group_by=("customer",), is_whole=True))

    def action_open(self) -> None:
        """Open the customer or the skipped event under the cursor."""
        table = self.focused
        if not isinstance(table, RecordTable) or table.chosen is None:
            return
        if table.id == "meter-customers" and table.chosen:
            self.go_to(ToCustomer(key=table.chosen))
        elif table.id == "meter-skipped" and table.chosen.isdigit():
            event = self._skipped[int(table.chosen)]
            self.go_to(ToEvents(source=event.source, id=event.id))

    @on(DataTable.RowHighlighted, "#meter-skipped")
    def say_why(self) -> None:
        """Say in full why the event under the cursor does not count: the list has no room for more than the beginning."""
        chosen = self.query_one("#meter-skipped", RecordTable).chosen
        words = _why(self._skipped[int(chosen)]) if chosen is not None and chosen.isdigit() else ""
        self.query_one("#meter-why", Static).update(harmless(words))

    def on_data_table_row_selected(self, _event: DataTable.RowSelected) -> None:
        """As enter, by the mouse."""
        self.action_open()

    @work(exclusive=True, group="form")
    async def action_change(self) -> None:
        """Change the meter."""
        try:
            aggregators = await ask_aggregators(self.client)
        except ApplianceFailure as failure:
            self.say(f"the form needs the list of aggregations: {failure}")
            return
        if self._meter is not None:
            form = MeterForm(self.client, self.viewer, aggregators, self._meter)
            if await self.answer_of(form) is not None:
                self.notify(f"{self._key}: changed", markup=False)
                self.reload()

    @work(exclusive=True, group="form")
    async def action_archive(self) -> None:
        """Archive the meter, or take it back."""
        if self._meter is not None and await archive_if_meant(self, self._meter):
            self.reload()

    def _show_usage(self, meter: Meter, usage: UsageAnswer, words: str) -> None:
        title = Text(harmless(meter.key), style="bold")
        if meter.name != meter.key:
            title.append(f"  {harmless(meter.name)}", style="not bold")
        if meter.archived_at:
            title.append("  archived", style="not bold reverse")
        title.append(f"\n{harmless(_asks(meter))}", style="not bold dim")
        self.query_one("#meter-title", Static).update(title)
        figure = Text(rounded(usage.total.value, meter.unit, decimals=6), style="bold")
        figure.append(
            f"  last {words}, from {exact(usage.total.events)} events · {self.viewer.zone_name}", style="not bold dim"
        )
        self.query_one("#meter-figure", Static).update(figure)
        points = thinned([(parsed(row.start).timestamp(), float(row.value or 0)) for row in usage.rows])
        self.query_one(TimeGraph).show([Series(meter.key, points)], kind=GraphKind.BARS, unit=meter.unit or "")

    def _show_customers(self, usage: UsageAnswer) -> None:
        self.query_one("#meter-customers", RecordTable).show(
            [
                Record(
                    each.group["customer"] or "",
                    (each.group["customer"] or "", rounded(each.value), exact(each.events)),
                )
                for each in usage.largest
            ]
        )

    def _show_versions(self, versions: Page[MeterVersion]) -> None:
        self.query_one("#meter-versions", RecordTable).show(
            [
                Record(
                    str(each.version),
                    (
                        str(each.version),
                        date_and_time(parsed(each.updated_at), self.viewer.zone),
                        exact(each.position),
                        _version_words(each),
                    ),
                )
                for each in versions.items
            ]
        )

    def _show_skipped(self, skipped: SkippedEvents) -> None:
        self._skipped = skipped.items
        more = "+" if skipped.next_cursor else ""
        count = f" ({len(skipped.items)}{more})" if skipped.items else ""
        title = Content.from_markup(_TITLE.format(key="s", title=f"Skipped events{count}"))
        self.query_one("#meter-lists", TabbedContent).get_tab("skipped").label = title
        records = [
            Record(
                str(place),
                (
                    date_and_time(parsed(event.time), self.viewer.zone),
                    event.customer,
                    _why(event),
                ),
            )
            for place, event in enumerate(skipped.items)
        ]
        self.query_one("#meter-skipped", RecordTable).show(
            records or [Record("none", ("none", "", "every event of its type that passes its filter counts"))]
        )
        # Rows that only change their cells tell nobody.
        self.say_why()


async def archive_if_meant(screen: SectionScreen, meter: Meter) -> bool:
    """Archive a meter after a question, or take an archived one back without; return whether something changed."""
    path = f"/v1/meters/{segment(meter.key)}"
    try:
        if meter.archived_at:
            await screen.client.tell("PATCH", path, {"archived": False}, answer=Meter)
            return True
        words = (
            f"{meter.key} leaves the list, and its key stays taken. Its past usage stays readable, and it can be taken back "
            "among the archived ones."
        )
        if not await screen.answer_of(Confirmation("Archive the meter?", words, does="Archive")):
            return False
        await screen.client.tell("DELETE", path, answer=Meter)
    except ApplianceFailure as failure:
        screen.say(f"{meter.key} was not {'taken back' if meter.archived_at else 'archived'}: {failure}")
        return False
    return True


def _why(event: SkippedEvent) -> str:
    return "; ".join(reason.detail for reason in event.reasons)


def _version_words(version: MeterVersion) -> str:
    words = f"{_asks(version)} · named {version.name}" if version.name != version.key else _asks(version)
    return f"{words} · archived" if version.archived_at else words


def _asks(meter: Meter) -> str:
    parts = [f"{meter.reads} of each {meter.event_type}"]
    parts += [f"where {name} is {listed(values)}" for name, values in meter.filter.items()]
    if meter.series:
        parts.append(f"by {meter.series}")
    if meter.timeout:
        parts.append(f"timeout {meter.timeout:,} s")
    if meter.statistic:
        parts.append(meter.statistic)
    parts += [f"{name} {value}" for name, value in meter.options.items()]
    if meter.dimensions:
        parts.append(f"dimensions {', '.join(meter.dimensions)}")
    return " · ".join(parts)
