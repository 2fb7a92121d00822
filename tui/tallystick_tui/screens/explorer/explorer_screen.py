"""The explorer: a question in a line of chips, its answer as a table or a graph, and the way down to raw events.

The question is a value (`question.Question`); each key changes it through a dialog, and whatever changes it cancels what was being asked.
Enter goes down into a row, backspace back up, `x` shows the events behind a figure. Beside each other where there is room: from 120 columns
on both table and graph.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from typing import ClassVar

from textual import events, on, work
from textual.binding import Binding, BindingType
from textual.color import Color
from textual.containers import Container
from textual.widget import Widget
from textual.widgets import DataTable, Static

from tallystick_tui.app_of import app_of
from tallystick_tui.connection.appliance_client import ApplianceClient
from tallystick_tui.dialogs.choice import Choice, Offer
from tallystick_tui.navigation import Destination, Section, ToExplorer
from tallystick_tui.screens.section_screen import SectionScreen
from tallystick_tui.viewer import Viewer
from tallystick_tui.widgets.record_table import RecordTable
from tallystick_tui.widgets.time_graph import GraphKind, TimeGraph

from .answer import Answers, Meter
from .date_range import InvalidRange, zone_named
from .drill import Step, can_be_cut, next_dimensions, of_row, trail_words
from .events_behind import EventsBehind
from .face import Face
from .graph_series import graph_of
from .known_meters import KnownMeters
from .labels import group_value
from .pivot import Kind, Look, Pivot, Place, pivot
from .pivot_table import PivotTable
from .question import Asked, Question, arriving
from .question_chips import QuestionChips
from .question_editor import CUSTOMER, QuestionEditor
from .question_texts import QuestionTexts
from .take_out import TakeOut
from .words import chips, totals_words

_TIME = "time"
_EVENTS = "events"
_BY = "by "


class ExplorerScreen(SectionScreen):
    """Chips above, table and graph, the totals below."""

    SECTION: ClassVar[Section] = Section.EXPLORER
    REFRESH_S: ClassVar[float | None] = 15.0
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("backspace", "up", "Up", key_display="⌫", tooltip="Go back up"),
        Binding("t", "turn_face", "Graph", tooltip="Show the answer as a table, as a graph, or both"),
        Binding("x", "events", "Events", tooltip="The raw events behind the row under the cursor"),
        Binding("o", "views", "Views", show=False, tooltip="Open a saved view, save this one, or remove one"),
        Binding("e", "export", "Export CSV", show=False, tooltip="Write the answer to a CSV file"),
        Binding("y", "texts", "Copy", show=False, tooltip="Copy the question as curl or as a tallystick command"),
        Binding("m", "edit('meter')", "Meter", show=False, tooltip="Ask another meter"),
        Binding("g", "edit('group')", "Group by", show=False, tooltip="Customer, or any property of the events"),
        Binding("f", "edit('filter')", "Filter", show=False, tooltip="Add a filter, or take one away"),
        Binding("d", "edit('range')", "Dates", show=False, tooltip="Which range of time"),
        Binding("w", "edit('window')", "Window", show=False, tooltip="By hour, day, week, month"),
        Binding("z", "edit('zone')", "Time zone", show=False, tooltip="Whose days and months"),
        Binding("v", "compare", "Compare", show=False, tooltip="Beside the period before, or not"),
        Binding("k", "turn_kind", "Kind of graph", show=False, tooltip="Lines, bars, stacked"),
    ]
    # Not as defaults: the app's own rules for tables would come before those.
    CSS_PATH = "explorer.tcss"

    def __init__(self, client: ApplianceClient, viewer: Viewer) -> None:
        super().__init__(client, viewer)
        self.question = Question("", viewer.zone_name, group_by=(CUSTOMER,))
        self.face, self.graph_kind = Face.BOTH, GraphKind.LINES
        self.trail: list[Step] = []
        self.shown: Asked | None = None
        self._meters = KnownMeters(client)
        self._answers: Answers | None = None
        self._pivot: Pivot | None = None
        self._editor = QuestionEditor(self, client, viewer)
        self._take_out = TakeOut(self)
        self._row_to_find = ""

    @property
    def meter(self) -> Meter | None:
        """The meter that is asked."""
        return self._meters.of(self.question.meter)

    def compose_content(self) -> Iterable[Widget]:
        """Lay out the question, its answer, and the totals."""
        yield QuestionChips(id="explorer-chips")
        yield Static(id="explorer-trail", markup=False)
        with Container(id="explorer-panes"):
            yield PivotTable((), id="explorer-table")
            yield TimeGraph(self.viewer.zone, is_plain=self.viewer.is_plain, id="explorer-graph")
            yield Static(id="explorer-empty", markup=False)
        yield Static(id="explorer-totals", markup=False)

    def on_mount(self) -> None:
        """Begin with what suits the screen."""
        self._show_face()

    def arrive(self, destination: Destination) -> None:
        """Ask what another section wants to see."""
        if isinstance(destination, ToExplorer):
            self.question, self.trail = arriving(self.question, destination), []

    @on(events.Mount)
    def follow_theme(self) -> None:
        """Shade figures in the colours of another theme when one is chosen."""
        self.watch(self.dashboard, "theme", self._show_answer, init=False)

    def on_screen_resume(self) -> None:
        """Look again which meters there are."""
        self._meters.forget()

    def action_reload(self) -> None:
        """Ask everything again."""
        self._meters.forget()
        super().action_reload()

    async def load(self) -> None:
        """Ask the question and show the answer."""
        await self._meters.load(self.question.meter)
        if not self.question.meter and self._meters.live:
            await self._begin(self._meters.live)
        if not self.question.meter:
            self.show_empty(
                "no meter yet\n\na meter is a named question over events\n"
                "press 4 for Meters, and n there to define one: it covers past events too"
            )
            return
        self.show_content()
        self._show_chips()
        try:
            asked = self.question.at(self.viewer.now())
        except InvalidRange as wrong:
            self._show_nothing(f"{wrong}\n\nd chooses another range")
            return
        answers = await self.client.tell("POST", "/v1/usage", asked.body() | {"include_archived": True}, answer=Answers)
        self.shown, self._answers = asked, answers
        self._show_answer()

    async def _begin(self, live: Sequence[Meter]) -> None:
        """Ask what was asked last if its meter is here, else the first meter."""
        last = await self._take_out.last()
        if last is not None and last.question.meter in {meter.key for meter in live}:
            self.question, self.face, self.graph_kind = last.question, last.face, last.kind
            self._show_face()
        else:
            self.question = replace(self.question, meter=live[0].key)

    def ask(self, question: Question, *, row: str = "") -> None:
        """Ask something else; what is being asked is cancelled. The cursor goes to `row` once it is there."""
        self.question, self._row_to_find = question, row
        self._take_out.remember()
        self.reload()

    # What is shown

    def on_resize(self, _event: events.Resize) -> None:
        """Lay the table out for the new width."""
        if self._answers is not None:
            self.call_after_refresh(self._show_answer)

    def _show_chips(self) -> None:
        shown = chips(self.question, self.viewer, face=self.face, kind=self.graph_kind, is_wide=self.has_class("-wide"))
        self.query_one(QuestionChips).show(shown)
        trail = self.query_one("#explorer-trail", Static)
        trail.set_class(bool(self.trail), "-shown")
        trail.update(f"{trail_words(self.trail)}   (backspace goes up)" if self.trail else "")
        self.refresh_bindings()

    def _show_nothing(self, words: str) -> None:
        self.add_class("-nothing")
        self.query_one("#explorer-empty", Static).update(words)
        self.query_one("#explorer-totals", Static).update("")
        self.shown = self._pivot = None
        self.set_focus(None)
        self.refresh_bindings()

    def _show_answer(self) -> None:
        asked, answers = self.shown, self._answers
        if asked is None or answers is None:
            return
        self._show_chips()
        whole = answers.whole
        if whole is None or (not whole.events and not answers.asked.totals):
            self._show_nothing(
                f"nothing was used\n{self._in_range()}\n\nd chooses another range, f changes the filters"
            )
            return
        self.remove_class("-nothing")
        zone = zone_named(asked.question.zone)
        variables = app_of(self).theme_variables
        look = Look(
            self._table_width(),
            zone,
            is_plain=self.viewer.is_plain,
            shade=self._shade(),
            bar_style=variables["primary"],
        )
        self._pivot = shown = pivot(asked, answers.asked, look)
        self.set_class(shown.kind is Kind.GROUPS, "-over")
        self.set_class(shown.kind is not Kind.GROUPS, "-beside")
        table = self.query_one("#explorer-table", RecordTable)
        table.set_columns(shown.columns)
        table.show(shown.records)
        self._find_row(table, shown)
        meter = self.meter
        unit = meter.unit if meter is not None and meter.unit else ""
        drawn = graph_of(asked, answers.asked, self.graph_kind)
        graph = self.query_one("#explorer-graph", TimeGraph)
        graph.set_zone(zone)
        graph.show(drawn.series, kind=self.graph_kind, unit=unit)
        is_drawn = self.face is not Face.TABLE and (self.face is Face.GRAPH or self.has_class("-wide"))
        words = totals_words(asked, answers, unit=unit, zone=zone, drawn=drawn if is_drawn else None)
        self.query_one("#explorer-totals", Static).update(words)

    def _find_row(self, table: RecordTable, shown: Pivot) -> None:
        keys = [record.key for record in shown.records]
        if self._row_to_find in keys:
            table.move_cursor(row=keys.index(self._row_to_find), animate=False)
        self._row_to_find = ""
        if self.focused is None and self.face is not Face.GRAPH:
            table.focus()

    def _table_width(self) -> int:
        is_beside = self.has_class("-wide") and self.face is Face.BOTH and not self.question.group_by
        # A column for the scroll bar.
        return (self.size.width // 2 if is_beside else self.size.width) - 2

    def _shade(self) -> Callable[[float], str]:
        """Return what gives a figure its background: the larger, the nearer to the theme's own colour."""
        variables = app_of(self).theme_variables
        ground, colour = Color.parse(variables["background"]), Color.parse(variables["primary"])
        # Both colours, so that a figure is read under the cursor as well.
        return lambda share: f"{variables['foreground']} on {ground.blend(colour, 0.45 * share).hex6}"

    def _in_range(self) -> str:
        zone = zone_named(self.question.zone)
        return f"{self.question.range.words(self.viewer.now(), zone)}, {zone.key}"

    def _show_face(self) -> None:
        for face in Face:
            self.set_class(face is self.face, f"-face-{face.value}")

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer the way up, and what needs an answer, only where these are."""
        if action == "up":
            return bool(self.trail)
        if action == "return":
            return bool(self.trail) or super().check_action(action, parameters)
        if action in {"events", "export", "texts"}:
            return self.shown is not None
        if action in {"turn_face", "turn_kind", "edit", "compare", "views"}:
            return self.has_content
        return super().check_action(action, parameters)

    @on(QuestionChips.Pressed)
    async def press_chip(self, message: QuestionChips.Pressed) -> None:
        """Do as the chip's key does."""
        await self.run_action(message.action)

    @work(exclusive=True, group="edit")
    async def action_edit(self, part: str) -> None:
        """Change one part of the question."""
        question, meter = self.question, self.meter
        if meter is None:
            return
        changed: Awaitable[Question | None]
        match part:
            case "meter":
                changed = self._editor.choose_meter(question, self._meters.items)
            case "group":
                changed = self._editor.choose_group(question, meter)
            case "filter":
                changed = self._editor.choose_filter(question, meter)
            case "range":
                changed = self._editor.choose_range(question)
            case "window":
                changed = self._editor.choose_window(question)
            case _:
                changed = self._editor.choose_zone(question)
        answer = await changed
        if answer is not None and answer != question:
            self.trail = []
            self.ask(answer)

    def action_compare(self) -> None:
        """Put the figures beside those of the period before, or no longer."""
        self.ask(replace(self.question, is_compared=not self.question.is_compared))

    def action_turn_face(self) -> None:
        """Show the table, the graph, or both where there is room."""
        is_wide = self.has_class("-wide")
        order = [Face.BOTH, Face.GRAPH, Face.TABLE] if is_wide else [Face.TABLE, Face.GRAPH]
        present = self.face if self.face in order else Face.TABLE
        self.show_as(order[(order.index(present) + 1) % len(order)], self.graph_kind)

    def action_turn_kind(self) -> None:
        """Draw the graph otherwise; where none is shown, show it first."""
        kinds = list(GraphKind)
        is_drawn = self.face is Face.GRAPH or (self.face is Face.BOTH and self.has_class("-wide"))
        kind = kinds[(kinds.index(self.graph_kind) + 1) % len(kinds)] if is_drawn else self.graph_kind
        self.show_as(self.face if is_drawn else Face.GRAPH, kind)

    def show_as(self, face: Face, kind: GraphKind) -> None:
        """Show the answer in this form."""
        self.face, self.graph_kind = face, kind
        self._take_out.remember()
        self._show_face()
        self._show_answer()
        if face is not Face.GRAPH:
            self.query_one("#explorer-table", RecordTable).focus()

    @on(DataTable.RowSelected)
    def drill_selected(self) -> None:
        """Go down into the row that was chosen."""
        self.action_drill()

    @work(exclusive=True, group="edit")
    async def action_drill(self) -> None:
        """Go down into the row under the cursor: by its next dimension, over time, or to the events."""
        row, meter = self._row(), self.meter
        if row is None or meter is None:
            return
        key, into, words = row
        offers = [
            Offer(f"{_BY}{name}", note="the meter's own" if name in meter.dimensions else "")
            for name in next_dimensions(into, meter)
        ]
        offers = [offer for offer in offers if offer.value.removeprefix(_BY) not in into.group_by]
        if can_be_cut(into, self.viewer.now()):
            offers.append(Offer(_TIME, "over time", "a row for each window"))
        offers.append(Offer(_EVENTS, "its events", "what the figure was made of"))
        answer = offers[0].value
        if len(offers) > 1:
            chosen = await self.answer_of(Choice(f"Into {', '.join(words)}", offers, takes_typed="a property"))
            if chosen is None:
                return
            answer = chosen
        if answer == _EVENTS:
            self._show_events(into, words)
            return
        name = answer.removeprefix(_BY)
        self.trail.append(Step(self.question, key, ", ".join(words)))
        self.ask(replace(into, group_by=() if answer == _TIME else (name,)))

    def action_up(self) -> None:
        """Go back to where the row was."""
        if self.trail:
            step = self.trail.pop()
            self.ask(step.before, row=step.row_key)

    def action_return(self) -> None:
        """Go up where somebody went down, else back to the section they came from."""
        if self.trail:
            self.action_up()
        else:
            super().action_return()

    def action_events(self) -> None:
        """Show the events behind the row under the cursor."""
        row = self._row()
        if row is not None:
            self._show_events(row[1], row[2])

    def action_texts(self) -> None:
        """Show the question as text, to copy."""
        if self.shown is not None:
            app_of(self).push_screen(QuestionTexts(self.shown, self.client.url))

    def action_export(self) -> None:
        """Write the answer to a file."""
        self._take_out.export()

    def action_views(self) -> None:
        """Open, save or remove a view."""
        self._take_out.views()

    def _row(self) -> tuple[str, Question, list[str]] | None:
        """Return the key of the row under the cursor, the question about it alone, and its words."""
        shown, asked = self._pivot, self.shown
        chosen = self.query_one("#explorer-table", RecordTable).chosen
        if shown is None or asked is None or chosen is None:
            return None
        place: Place | None = shown.places.get(chosen)
        if place is None:
            return None
        found = of_row(asked.question, place, window=asked.window, zone=zone_named(asked.question.zone))
        if found is None:
            self.say("no filter can ask for events without a property: this figure cannot be gone into")
            return None
        return chosen, found[0], found[1]

    def _show_events(self, question: Question, words: Sequence[str]) -> None:
        meter = self.meter
        if meter is not None:
            filters = [f"{name} {group_value(name, value)}" for name, values in question.filters for value in values]
            title = " · ".join(dict.fromkeys((meter.key, *filters, *words)))
            asked = question.at(self.viewer.now())
            app_of(self).push_screen(EventsBehind(self.client, self.viewer, asked, meter, title))
