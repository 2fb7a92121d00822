"""Meters: all of them with the trend of the last fortnight; new, changed, archived, opened."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import ClassVar, Final

from rich.text import Text
from textual import events, on, work
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import DataTable, Static

from tallystick_tui.connection.appliance_client import ApplianceClient
from tallystick_tui.connection.failure import ApplianceFailure, Refused
from tallystick_tui.connection.meter import Meter, ask_aggregators, ask_meters
from tallystick_tui.connection.usage_answer import Query, UsageAnswer, ask_usages
from tallystick_tui.navigation import Destination, Section, ToExplorer, ToMeter
from tallystick_tui.screens.section_screen import SectionScreen
from tallystick_tui.texts.figures import NOTHING, rounded, short
from tallystick_tui.texts.moments import rfc3339
from tallystick_tui.texts.sparkline import sparkline
from tallystick_tui.viewer import Viewer
from tallystick_tui.widgets.opening_table import OpeningTable
from tallystick_tui.widgets.record_table import Column, Record, RecordTable

from .listed_texts import listed
from .meter_form import MeterForm
from .meter_page import MeterPage, archive_if_meant

DAYS: Final = 14
_PLAIN_DAYS: Final = 3
_TRENDS_EVERY_S: Final = 30.0
_EMPTY = """No meters yet.

A meter is a named question over events, those that came before it as well.
n makes one, and shows what it would have counted before it is saved."""


class MetersScreen(SectionScreen):
    """The list."""

    SECTION: ClassVar[Section] = Section.METERS
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "new", "New"),
        Binding("e", "change", "Change"),
        Binding("x", "explore", "Explore", tooltip="Open the meter in the explorer"),
        Binding("a", "archived", "Show archived meters", tooltip="or hide them"),
        Binding("d", "archive", "Archive", tooltip="Take the meter out of the list; its usage stays readable"),
    ]
    DEFAULT_CSS = """
    MetersScreen RecordTable { scrollbar-size-vertical: 1; }
    MetersScreen #meters-words { height: 1; padding: 0 1; color: $secondary; }
    """

    def __init__(self, client: ApplianceClient, viewer: Viewer) -> None:
        super().__init__(client, viewer)
        self._meters: list[Meter] = []
        self._trends: dict[str, UsageAnswer | Refused] = {}
        self._trends_of: list[tuple[str, int]] = []
        self._trends_at = 0.0
        self._with_archived = False

    def compose_content(self) -> Iterable[Widget]:
        """Lay out the list."""
        yield OpeningTable(self._columns(), id="meters")
        yield Static(id="meters-words", markup=False)

    async def load(self) -> None:
        """Ask for the meters, and now and then for their trends."""
        self._meters = await ask_meters(self.client, with_archived=self._with_archived)
        if not self._meters:
            self.show_empty(_EMPTY if self._with_archived else f"{_EMPTY}\na shows archived ones.")
            return
        self._show()
        self.show_content()
        versions = [(meter.key, meter.version) for meter in self._meters]
        now = self.viewer.now().timestamp()
        if versions != self._trends_of or abs(now - self._trends_at) >= _TRENDS_EVERY_S:
            self._trends_of, self._trends_at = versions, now
            self._load_trends(self._meters)

    def arrive(self, destination: Destination) -> None:
        """Open the meter that somebody came for."""
        if isinstance(destination, ToMeter) and destination.key:
            self._open(destination.key, is_sent_for=True)

    def action_reload(self) -> None:
        """Ask for everything again."""
        self._trends_of = []
        super().action_reload()

    def on_resize(self, _event: events.Resize) -> None:
        """Show more where there is room."""
        if self.is_mounted and self._meters:
            self._show()

    @on(DataTable.RowSelected)
    def open_row(self) -> None:
        """Open the meter."""
        if (meter := self._chosen()) is not None:
            self._open(meter.key)

    @work(exclusive=True, group="form")
    async def action_new(self) -> None:
        """Define a meter."""
        await self._fill_form(None)

    @work(exclusive=True, group="form")
    async def action_change(self) -> None:
        """Change the meter."""
        if (meter := self._chosen()) is not None:
            await self._fill_form(meter)

    def action_explore(self) -> None:
        """Open the meter in the explorer."""
        if (meter := self._chosen()) is not None:
            self.go_to(ToExplorer(meter=meter.key, group_by=("customer",), is_whole=True))

    def action_archived(self) -> None:
        """Show archived meters, or hide them."""
        self._with_archived = not self._with_archived
        self.reload()

    @work(exclusive=True, group="form")
    async def action_archive(self) -> None:
        """Archive the meter; or take an archived one back."""
        meter = self._chosen()
        if meter is not None and await archive_if_meant(self, meter):
            self.reload()

    async def _fill_form(self, meter: Meter | None) -> None:
        try:
            aggregators = await ask_aggregators(self.client)
        except ApplianceFailure as failure:
            self.say(f"the form needs the list of aggregations: {failure}")
            return
        types = list(dict.fromkeys(each.event_type for each in self._meters))
        form = MeterForm(self.client, self.viewer, aggregators, meter, known_types=types)
        saved = await self.answer_of(form)
        if saved is not None:
            self.notify(f"{saved.key}: {'changed' if meter else 'defined'}", markup=False)
            self.query_one(RecordTable).choose(saved.key)
            self.reload()

    def _open(self, key: str, *, is_sent_for: bool = False) -> None:
        self.open_page(MeterPage(self.client, self.viewer, key), is_sent_for=is_sent_for)

    def _chosen(self) -> Meter | None:
        key = self.query_one(RecordTable).chosen
        return next((meter for meter in self._meters if meter.key == key), None)

    @work(exclusive=True, group="trends")
    async def _load_trends(self, meters: Sequence[Meter]) -> None:
        local = self.viewer.now().astimezone(self.viewer.zone)
        start = (local - timedelta(days=DAYS - 1)).replace(hour=0, minute=0, second=0, microsecond=0)
        span: Query = {"from": rfc3339(start), "window": "day", "timezone": self.viewer.zone_name, "fill": "zero"}
        try:
            async for place, answer in ask_usages(self.client, [{"meter": meter.key, **span} for meter in meters]):
                self._trends[meters[place].key] = answer
        except ApplianceFailure as failure:
            self._trends_of = []
            self.say(f"no trends: {failure}")
        self._show()

    def _columns(self) -> list[Column]:
        """Return the columns that there is room for; each takes two cells more than its width."""
        name, event_type, filtered = self._extras()
        return [
            Column("key", "Meter", width=16),
            *((Column("name", "Name", width=20),) if name else ()),
            *((Column("type", "Event type", width=14),) if event_type else ()),
            Column("reads", "Does", width=15),
            *((Column("filter", "Filter", width=self.size.width - 117),) if filtered else ()),
            Column("trend", "Last days", width=16)
            if self.viewer.is_plain
            else Column("trend", f"{DAYS} days", width=DAYS),
            Column("figure", "In them", "right", width=11),
            Column("unit", "Unit", width=7),
            Column("version", "v", "right", width=2),
        ]

    def _extras(self) -> tuple[bool, bool, bool]:
        """Whether there is room for names, event types and filters."""
        width = self.size.width
        return width >= 100, width >= 116, width >= 136  # noqa: PLR2004 - what the columns beside them take

    def _show(self) -> None:
        table = self.query_one(RecordTable)
        table.set_columns(self._columns())
        table.show([Record(meter.key, self._cells(meter)) for meter in self._meters])
        count = f"{len(self._meters)} meter{'' if len(self._meters) == 1 else 's'}"
        archived = "with archived ones" if self._with_archived else "a shows archived ones"
        self.query_one("#meters-words", Static).update(f"{count} · {archived} · days of {self.viewer.zone_name}")

    def _cells(self, meter: Meter) -> tuple[str | Text, ...]:
        style = "dim" if meter.archived_at else ""
        name = f"{meter.key} (archived)" if meter.archived_at else meter.key
        trend, figure = self._trend(meter)
        filtered = "; ".join(f"{name}={listed(values)}" for name, values in meter.filter.items())
        with_name, with_type, with_filter = self._extras()
        return (
            Text(name, style=style or "bold"),
            *((Text(meter.name, style=style),) if with_name else ()),
            *((Text(meter.event_type, style=style),) if with_type else ()),
            Text(meter.reads, style=style),
            *((Text(filtered, style=style),) if with_filter else ()),
            trend,
            figure,
            Text(meter.unit or "", style="dim"),
            str(meter.version),
        )

    def _trend(self, meter: Meter) -> tuple[Text, str]:
        answer = self._trends.get(meter.key)
        if answer is None:
            return Text("…", style="dim"), ""
        if isinstance(answer, Refused):
            return Text(f"! {answer}", style="dim"), NOTHING
        figures = [None if row.value is None else float(row.value) for row in answer.rows]
        if self.viewer.is_plain:
            return Text(" ".join(short(figure) for figure in figures[-_PLAIN_DAYS:])), rounded(answer.total.value)
        return Text(sparkline(figures), style="bold"), rounded(answer.total.value)
