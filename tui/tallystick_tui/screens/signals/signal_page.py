"""One signal: what it watches, who is past it, and everything it did."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Final

from rich.text import Text
from textual import work
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widget import Widget
from textual.widgets import Static

from tallystick_tui.connection.appliance_client import ApplianceClient, segment
from tallystick_tui.connection.failure import ApplianceFailure
from tallystick_tui.navigation import Section
from tallystick_tui.screens.detail_screen import DetailScreen
from tallystick_tui.texts import moments
from tallystick_tui.viewer import Viewer
from tallystick_tui.widgets.record_table import Column, Record, RecordTable

from .records import HistoryStep, Signal
from .signal_form import SignalForm
from .signals_view import definition_of
from .snooze_question import SnoozeQuestion, snooze_body
from .words import figures_in_words, signal_in_words, step_in_words, subject_in_words

_COLUMNS: Final = (
    Column("at", "When", "right"),
    Column("what", "What"),
    Column("who", "Who"),
    Column("figures", "Figure", "right"),
    Column("level", "Level", "right"),
)
_PAGE: Final = 200


class SignalPage(DetailScreen):
    """Definition above (or beside), history below; `m` brings older steps."""

    SECTION: ClassVar[Section] = Section.SIGNALS
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("e", "edit", "Edit"),
        Binding("z", "snooze", "Snooze"),
        Binding("m", "more", "Older steps"),
    ]
    DEFAULT_CSS = """
    SignalPage #page-title { height: auto; max-height: 2; background: $panel; text-style: bold; padding: 0 1; }
    SignalPage #page-body { height: 1fr; layout: vertical; }
    SignalPage.-wide #page-body { layout: horizontal; }
    SignalPage #page-definition { height: auto; max-height: 11; }
    SignalPage.-wide #page-definition { width: 46; height: 1fr; max-height: 100%; }
    SignalPage #page-history { height: 1fr; width: 1fr; padding: 0; }
    """

    def __init__(self, client: ApplianceClient, viewer: Viewer, key: str) -> None:
        super().__init__(client, viewer)
        self._path = f"/v1/signals/{segment(key)}"
        self._signal: Signal | None = None
        self._steps: list[HistoryStep] = []
        self._cursor: str | None = None

    def compose_content(self) -> Iterable[Widget]:
        """Lay out definition and history."""
        yield Static(id="page-title", markup=False)
        with Horizontal(id="page-body"):
            with Vertical(id="page-definition", classes="pane") as definition:
                definition.border_title = "Signal"
                yield Static(id="page-words", markup=False)
            with Vertical(id="page-history", classes="pane") as history:
                history.border_title = "History"
                yield RecordTable(_COLUMNS)

    async def load(self) -> None:
        """Ask for the newest steps; older ones that were brought stay."""
        self._signal = signal = await self.client.ask(self._path, answer=Signal)
        page = await self.client.ask_page(f"{self._path}/history", item=HistoryStep, limit=_PAGE)
        newest = {step.id for step in page.items}
        if not self._steps:
            self._cursor = page.next_cursor
        self._steps = [*page.items, *(step for step in self._steps if step.id not in newest)]
        self._show_definition(signal)
        self._show_steps()
        if not self.has_content:
            self.show_content()
            self.query_one(RecordTable).focus()

    @work(exclusive=True, group="more")
    async def action_more(self) -> None:
        """Bring older steps."""
        if self._cursor is None:
            self.notify("These are all steps that are kept.")
            return
        try:
            page = await self.client.ask_page(
                f"{self._path}/history", item=HistoryStep, limit=_PAGE, cursor=self._cursor
            )
        except ApplianceFailure as failure:
            self.say(str(failure))
            return
        self._cursor = page.next_cursor
        known = {step.id for step in self._steps}
        self._steps += [step for step in page.items if step.id not in known]
        self._show_steps()

    @work(exclusive=True, group="dialog")
    async def action_edit(self) -> None:
        """Change the signal; what came of it is loaded as the form closes."""
        if self._signal is None:
            return
        if await self.answer_of(SignalForm(self.client, self.viewer, before=self._signal)) is not None:
            self.notify(f"{self._signal.key}: changed", markup=False)

    @work(exclusive=True, group="dialog")
    async def action_snooze(self) -> None:
        """Hold all messages of this signal back, or wake it."""
        if self._signal is None:
            return
        question = SnoozeQuestion(
            self._signal.name or self._signal.key, is_snoozed=self._signal.snoozed_until is not None
        )
        for_s = await self.answer_of(question)
        if for_s is None:
            return
        try:
            await self.client.call("POST", f"{self._path}/snooze", body=snooze_body(for_s))
        except ApplianceFailure as failure:
            self.notify(str(failure), severity="error", markup=False)
        self.reload()

    def _show_definition(self, signal: Signal) -> None:
        name = signal.name or signal.key
        self.query_one("#page-title", Static).update(f"{name}: {signal_in_words(signal)}")
        self.query_one("#page-words", Static).update(definition_of(signal, self.viewer.zone))

    def _show_steps(self) -> None:
        zone = self.viewer.zone
        self.query_one("#page-history", Vertical).border_subtitle = (
            f"{len(self._steps)} steps, times of {self.viewer.zone_name}" if self._steps else "nothing happened yet"
        )
        self.query_one(RecordTable).show(
            [
                Record(
                    step.id,
                    (
                        moments.date_and_time(moments.parsed(step.at), zone),
                        Text(step_in_words(step), style="bold" if step.kind == "fired" else ""),
                        subject_in_words(step.customer, step.group),
                        figures_in_words(step),
                        str(step.level),
                    ),
                )
                for step in self._steps
            ]
        )
