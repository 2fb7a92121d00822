"""One signal: what it watches, who is past it, and everything it did."""

from __future__ import annotations

from typing import ClassVar, Final

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Footer, Static

from tallystick_tui.app_of import app_of
from tallystick_tui.connection.appliance_client import ApplianceClient, segment
from tallystick_tui.connection.failure import ApplianceFailure
from tallystick_tui.dialogs.keys_screen import KeysScreen
from tallystick_tui.texts import moments
from tallystick_tui.viewer import Viewer
from tallystick_tui.widgets.failure_line import FailureLine
from tallystick_tui.widgets.record_table import Column, Record, RecordTable

from .records import HistoryStep, Signal
from .signal_form import SignalForm
from .signals_view import definition_of
from .snooze_question import SnoozeQuestion
from .words import figures_in_words, signal_in_words, step_in_words, subject_in_words

_COLUMNS: Final = (
    Column("at", "When", "right"),
    Column("what", "What"),
    Column("who", "Who"),
    Column("figures", "Figure", "right"),
    Column("level", "Level", "right"),
)
_PAGE: Final = 200
_REFRESH_S: Final = 5.0


class SignalPage(ModalScreen[None]):
    """Definition above (or beside), history below; `m` brings older steps."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Back"),
        Binding("e", "edit", "Edit"),
        Binding("z", "snooze", "Snooze"),
        Binding("m", "more", "Older steps"),
        Binding("question_mark", "keys", "All keys", key_display="?"),
    ]
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (120, "-wide")]  # noqa: RUF012 - Textual declares it for instances
    DEFAULT_CSS = """
    SignalPage { background: $background; }
    SignalPage #page-title { height: auto; max-height: 2; background: $panel; text-style: bold; padding: 0 1; }
    SignalPage #page-body { height: 1fr; layout: vertical; }
    SignalPage.-wide #page-body { layout: horizontal; }
    SignalPage #page-definition { height: auto; max-height: 11; }
    SignalPage.-wide #page-definition { width: 46; height: 1fr; max-height: 100%; }
    SignalPage #page-history { height: 1fr; width: 1fr; padding: 0; }
    """

    def __init__(self, client: ApplianceClient, viewer: Viewer, signal: Signal) -> None:
        super().__init__()
        self._client, self._viewer, self._signal = client, viewer, signal
        self._steps: list[HistoryStep] = []
        self._cursor: str | None = None

    def compose(self) -> ComposeResult:
        """Lay out definition and history."""
        yield Static(id="page-title", markup=False)
        yield FailureLine()
        with Horizontal(id="page-body"):
            with Vertical(id="page-definition", classes="pane") as definition:
                definition.border_title = "Signal"
                yield Static(id="page-words", markup=False)
            with Vertical(id="page-history", classes="pane") as history:
                history.border_title = "History"
                yield RecordTable(_COLUMNS)
        yield Footer()

    def on_mount(self) -> None:
        """Fill it, now and as it goes on."""
        self._show_definition()
        self.load()
        self.set_interval(_REFRESH_S, self.load)

    @work(exclusive=True, group="load")
    async def load(self) -> None:
        """Ask for the newest steps; older ones that were brought stay."""
        path = f"/v1/signals/{segment(self._signal.key)}"
        try:
            self._signal = await self._client.ask(path, answer=Signal)
            page = await self._client.ask_page(f"{path}/history", item=HistoryStep, limit=_PAGE)
        except ApplianceFailure as failure:
            self.query_one(FailureLine).say(f"could not refresh: {failure}")
            return
        self.query_one(FailureLine).say("")
        newest = {step.id for step in page.items}
        if not self._steps:
            self._cursor = page.next_cursor
        self._steps = [*page.items, *(step for step in self._steps if step.id not in newest)]
        self._show_definition()
        self._show_steps()

    def action_more(self) -> None:
        """Bring older steps."""
        self._bring_more()

    @work(exclusive=True, group="more")
    async def _bring_more(self) -> None:
        if self._cursor is None:
            self.notify("These are all steps that are kept.")
            return
        path = f"/v1/signals/{segment(self._signal.key)}/history"
        try:
            page = await self._client.ask_page(path, item=HistoryStep, limit=_PAGE, cursor=self._cursor)
        except ApplianceFailure as failure:
            self.query_one(FailureLine).say(str(failure))
            return
        self._cursor = page.next_cursor
        known = {step.id for step in self._steps}
        self._steps += [step for step in page.items if step.id not in known]
        self._show_steps()

    def action_edit(self) -> None:
        """Change the signal."""
        self._edit()

    @work(exclusive=True, group="dialog")
    async def _edit(self) -> None:
        changed = await app_of(self).push_screen_wait(SignalForm(self._client, self._viewer, before=self._signal))
        if changed is not None:
            self._signal = changed
            self.load()

    def action_snooze(self) -> None:
        """Hold all messages of this signal back, or wake it."""
        self._snooze()

    @work(exclusive=True, group="dialog")
    async def _snooze(self) -> None:
        question = SnoozeQuestion(is_snoozed=self._signal.snoozed_until is not None)
        for_s = await app_of(self).push_screen_wait(question)
        if for_s is None:
            return
        body: dict[str, object] = {"until": None} if for_s == 0 else {"for_s": for_s}
        try:
            await self._client.call("POST", f"/v1/signals/{segment(self._signal.key)}/snooze", body=body)
        except ApplianceFailure as failure:
            self.notify(str(failure), severity="error", markup=False)
        self.load()

    def action_keys(self) -> None:
        """List every key that does something here."""
        app_of(self).push_screen(KeysScreen(self))

    def _show_definition(self) -> None:
        name = self._signal.name or self._signal.key
        self.query_one("#page-title", Static).update(f"{name}: {signal_in_words(self._signal)}")
        self.query_one("#page-words", Static).update(definition_of(self._signal, self._viewer.zone))

    def _show_steps(self) -> None:
        zone = self._viewer.zone
        self.query_one("#page-history", Vertical).border_subtitle = (
            f"{len(self._steps)} steps, times of {self._viewer.zone_name}" if self._steps else "nothing happened yet"
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
