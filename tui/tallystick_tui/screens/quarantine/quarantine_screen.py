"""Quarantine: refused events by reason; one or many corrected and sent again, or given up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar, Final

from rich.text import Text
from textual import events, on, work
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widget import Widget
from textual.widgets import DataTable, Static

from tallystick_tui.app_of import app_of
from tallystick_tui.connection.appliance_client import ApplianceClient, segment
from tallystick_tui.connection.failure import ApplianceFailure
from tallystick_tui.connection.quarantine import Entry, Outcome, Reasons, ask_entries, ask_reasons
from tallystick_tui.dialogs.confirmation import Confirmation
from tallystick_tui.navigation import Section
from tallystick_tui.screens.section_screen import SectionScreen
from tallystick_tui.texts.figures import exact
from tallystick_tui.texts.harmless import cut, harmless
from tallystick_tui.texts.moments import age, date_and_time, parsed
from tallystick_tui.viewer import Viewer
from tallystick_tui.widgets.opening_table import OpeningTable
from tallystick_tui.widgets.record_table import Column, Record, RecordTable

from .correction import indented, named_field
from .correction_form import CorrectionForm
from .entry_form import EntryForm
from .outcomes_screen import OutcomesScreen

_EVERY: Final = "every reason"
_SHOWN_MAX: Final = 200
_MARKED_MAX: Final = 1_000
_EMPTY: Final = """Quarantine is empty: every event that came was counted, or was there before.

Events that are refused are kept here with the reason, to be corrected and sent again."""


class QuarantineScreen(SectionScreen):
    """Reasons, entries, and the event under the cursor."""

    SECTION: ClassVar[Section] = Section.QUARANTINE
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "mark", "Mark"),
        Binding("a", "mark_all", "All", tooltip="Mark all of the reason, or none"),
        Binding(
            "c", "correct", "Correct", tooltip="One correction for all that are marked, or for the one under the cursor"
        ),
        Binding("d", "discard", "Discard", tooltip="Give up what is marked, or what is under the cursor"),
    ]
    AUTO_FOCUS = "#entries"
    DEFAULT_CSS = """
    QuarantineScreen #quarantine-body { height: 1fr; }
    QuarantineScreen #quarantine-lists { width: 1fr; }
    QuarantineScreen #reasons { height: auto; max-height: 8; border-bottom: solid $panel; }
    QuarantineScreen.-wide #reasons { max-height: 16; }
    QuarantineScreen #entries { height: 1fr; scrollbar-size-vertical: 1; }
    QuarantineScreen #quarantine-event { display: none; padding: 0 1; border-left: solid $panel; }
    QuarantineScreen.-wide #quarantine-event { display: block; width: 56; }
    QuarantineScreen #quarantine-words { height: 1; padding: 0 1; color: $secondary; }
    """

    def __init__(self, client: ApplianceClient, viewer: Viewer) -> None:
        super().__init__(client, viewer)
        self._code: str | None = None
        self._entries: list[Entry] = []
        self._has_more = False
        self._reasons = Reasons([], 0, 0)
        self._marked: dict[str, Entry] = {}

    def compose_content(self) -> Iterable[Widget]:
        """Lay out the lists and the event."""
        with Horizontal(id="quarantine-body"):
            with Vertical(id="quarantine-lists"):
                yield RecordTable(
                    [
                        Column("code", "Reason", width=22),
                        Column("entries", "Events", "right", width=10),
                        Column("seen", "Times seen", "right", width=11),
                        Column("newest", "Newest", "right", width=12),
                    ],
                    id="reasons",
                )
                yield OpeningTable(self._columns(), id="entries")
            yield VerticalScroll(Static(id="event", markup=False), id="quarantine-event", can_focus=False)
        yield Static(id="quarantine-words", markup=False)

    async def load(self) -> None:
        """Ask for reasons and the newest entries of the chosen one."""
        self._reasons = await ask_reasons(self.client)
        if not self._reasons.entries:
            self._marked = {}
            self.show_empty(_EMPTY)
            return
        if self._code is not None and self._code not in {reason.code for reason in self._reasons.items}:
            self._code = None
        page = await ask_entries(self.client, code=self._code, limit=_SHOWN_MAX)
        self._entries, self._has_more = page.items, page.next_cursor is not None
        self._show()
        self.show_content()
        if self.focused is None:
            self.query_one("#entries").focus()

    def on_resize(self, _event: events.Resize) -> None:
        """Show more where there is room."""
        if self.is_mounted and self.has_content:
            self._show()

    @on(DataTable.RowHighlighted, "#reasons")
    def choose_reason(self) -> None:
        """List the entries of the reason under the cursor."""
        chosen = self.query_one("#reasons", RecordTable).chosen
        code = None if chosen in (None, _EVERY) else chosen
        if code != self._code and self.focused is self.query_one("#reasons"):
            self._code, self._marked = code, {}
            self.reload()

    @on(DataTable.RowHighlighted, "#entries")
    def show_event(self) -> None:
        """Show the event under the cursor."""
        self.query_one("#event", Static).update(self._event_words(self._chosen()))

    @on(DataTable.RowSelected, "#entries")
    @work(exclusive=True, group="form")
    async def correct_one(self) -> None:
        """Open the event under the cursor in an editor."""
        if (entry := self._chosen()) is None:
            return
        outcome = await self.answer_of(EntryForm(self.client, self.viewer, entry))
        if outcome is not None:
            self.notify(outcome.words, markup=False)
            self._marked.pop(entry.id, None)
            self.reload()

    def action_mark(self) -> None:
        """Mark the entry under the cursor, or take the mark away; and go on to the next."""
        entry = self._chosen()
        if entry is None or not self.query_one("#entries").has_focus:
            return
        if self._marked.pop(entry.id, None) is None:
            self._marked[entry.id] = entry
        self._show()
        self.query_one("#entries", OpeningTable).action_cursor_down()

    @work(exclusive=True, group="mark")
    async def action_mark_all(self) -> None:
        """Mark all of the chosen reason, of all pages, or none."""
        if self._marked:
            self._marked = {}
            self._show()
            return
        cursor: str | None = None
        try:
            while len(self._marked) < _MARKED_MAX:
                page = await ask_entries(self.client, code=self._code, limit=_SHOWN_MAX, cursor=cursor)
                self._marked |= {entry.id: entry for entry in page.items[: _MARKED_MAX - len(self._marked)]}
                cursor = page.next_cursor
                if cursor is None:
                    break
        except ApplianceFailure as failure:
            self.say(f"not all are marked: {failure}")
        self._show()

    @work(exclusive=True, group="form")
    async def action_correct(self) -> None:
        """Correct what is marked, or the entry under the cursor, in one go."""
        if not (entries := self._meant()):
            return
        outcomes = await self.answer_of(CorrectionForm(self.client, entries))
        if outcomes is not None:
            self._marked = {}
            self.reload()
            self._say_outcomes(outcomes)

    @work(exclusive=True, group="form")
    async def action_discard(self) -> None:
        """Give up what is marked, or the entry under the cursor, after a question."""
        if not (entries := self._meant()):
            return
        what = (cut(entries[0].name, 40) or "It") if len(entries) == 1 else f"All {exact(len(entries))}"
        words = f"{what} will never be counted. This cannot be taken back."
        title = f"Discard {exact(len(entries))} refused event{'' if len(entries) == 1 else 's'}?"
        if not await self.answer_of(Confirmation(title, words, does="Discard")):
            return
        failure_words = ""
        for entry in entries:
            try:
                await self.client.call("DELETE", f"/v1/quarantine/{segment(entry.id)}")
            except ApplianceFailure as failure:
                failure_words = f"not all were discarded: {failure}"
                break
            self._marked.pop(entry.id, None)
        # The words come after what a refresh says.
        await self.reload().wait()
        if failure_words:
            self.say(failure_words)

    def _say_outcomes(self, outcomes: Sequence[Outcome]) -> None:
        app_of(self).push_screen(OutcomesScreen(outcomes))

    def _meant(self) -> list[Entry]:
        chosen = self._chosen()
        return list(self._marked.values()) or ([] if chosen is None else [chosen])

    def _chosen(self) -> Entry | None:
        key = self.query_one("#entries", OpeningTable).chosen
        return next((entry for entry in self._entries if entry.id == key), None)

    def _columns(self) -> list[Column]:
        # The event stands beside the lists from 120 on.
        room = self.size.width - (57 if self.size.width >= 120 else 0)  # noqa: PLR2004 - as the breakpoint
        return [
            Column("mark", "", width=1),
            Column("age", "Received", "right", width=10),
            Column("event", "Event", width=14),
            *((Column("code", "Reason", width=16),) if self._code is None else ()),
            Column("why", "Why", width=max(20, room - 35 - (18 if self._code is None else 0))),
        ]

    def _show(self) -> None:
        now = self.viewer.now()
        reasons = self._reasons
        every = Record(_EVERY, (Text(_EVERY, style="bold"), exact(reasons.entries), "", ""))
        rows = [
            Record(
                each.code,
                (each.code, exact(each.entries), exact(each.times_seen), age(parsed(each.newest_at), now)),
            )
            for each in reasons.items
        ]
        self.query_one("#reasons", RecordTable).show([every, *rows])
        table = self.query_one("#entries", OpeningTable)
        table.set_columns(self._columns())
        table.show(
            [
                Record(
                    entry.id,
                    (
                        Text("●" if entry.id in self._marked else " ", style="bold"),
                        age(parsed(entry.received_at), now),
                        cut(entry.name, 14),
                        *((entry.code,) if self._code is None else ()),
                        harmless(entry.detail),
                    ),
                )
                for entry in self._entries
            ]
        )
        self.show_event()
        self.query_one("#quarantine-words", Static).update(self._words())

    def _words(self) -> str:
        parts = [f"{exact(len(self._entries))} of {self._code or _EVERY}" + (", the newest" if self._has_more else "")]
        if self._marked:
            parts.append(f"{exact(len(self._marked))} marked")
        if self._reasons.counted < self._reasons.entries:
            parts.append(f"reasons of the newest {exact(self._reasons.counted)}")
        return " · ".join([*parts, "tab goes to the reasons"])

    def _event_words(self, entry: Entry | None) -> Text:
        if entry is None:
            return Text("")
        words = Text(f"! {entry.code}\n", style="bold")
        words.append(f"{harmless(entry.detail)}\n\n", style="not bold")
        field = "id" if entry.code == "conflict" else named_field(entry.detail)
        name = f'"{field.rpartition(".")[2]}"' if field else ""
        for line in indented(entry.text).split("\n")[:60]:
            is_wrong = bool(name) and line.lstrip().startswith(name)
            words.append(
                f"{'> ' if is_wrong else '  '}{cut(line, 200)}\n", style="bold reverse" if is_wrong else "not bold"
            )
        at = date_and_time(parsed(entry.received_at), self.viewer.zone)
        seen = "once" if entry.times_seen == 1 else f"{entry.times_seen:,} times"
        words.append(f"\nreceived {at} {self.viewer.zone_name}, seen {seen}", style="not bold dim")
        return words
