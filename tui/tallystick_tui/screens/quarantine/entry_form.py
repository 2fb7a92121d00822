"""One refused event in an editor: why it was refused, its JSON checked as it is typed, and sent again."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Static, TextArea
from textual.widgets.text_area import Selection

from tallystick_tui.connection.appliance_client import ApplianceClient
from tallystick_tui.connection.failure import Refused
from tallystick_tui.connection.quarantine import Entry, Outcome, resubmit
from tallystick_tui.dialogs.form_screen import FormScreen
from tallystick_tui.texts.harmless import harmless
from tallystick_tui.texts.moments import date_and_time, parsed
from tallystick_tui.viewer import Viewer
from tallystick_tui.widgets.form_field import FormField

from .correction import (
    KIND_WORDS,
    CannotCorrect,
    Correction,
    Kind,
    corrected,
    fault_of,
    indented,
    named_field,
    usual_correction,
)

_REFUSED = 422


class EventField(FormField):
    """The event as text, in an editor as large as there is room."""

    DEFAULT_CSS = """
    EventField { height: 1fr; }
    EventField > Horizontal { height: 1fr; }
    EventField .field-label { display: none; }
    EventField .field-error { padding: 0 1; max-height: 4; }
    EventField TextArea { height: 1fr; border: none; background: $panel; padding: 0 1; }
    EventField TextArea:focus { border: none; }
    """

    def __init__(self, text: str) -> None:
        super().__init__("event", "Event", hint="The event as JSON; what was refused is marked.")
        # Without tree-sitter there is no highlighting; line numbers find what a fault names.
        self.editor = TextArea(text, show_line_numbers=True, soft_wrap=True, compact=True)

    @property
    def value(self) -> str:
        """The text."""
        return self.editor.text

    def compose_control(self) -> Iterable[Widget]:
        """Yield the editor."""
        yield self.editor

    def state(self) -> object:
        """Return the text."""
        return self.value

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        """Tell the form."""
        event.stop()
        self.changed()

    def mark(self, field: str) -> None:
        """Select the value of a field, inside its quotes, so that what is typed takes its place and leaves JSON."""
        named = re.compile(rf'"{re.escape(field.rpartition(".")[2])}"\s*:\s*')
        for number, line in enumerate(self.value.split("\n")):
            if (found := named.search(line)) is not None:
                start, end = found.end(), len(line.rstrip(", "))
                if end - start > 1 and line[start] == line[end - 1] == '"':
                    start, end = start + 1, end - 1
                self.editor.selection = Selection((number, start), (number, max(start, end)))
                return


class EntryForm(FormScreen[Outcome]):
    """The form; answers what became of the event once it was taken."""

    NOT_DONE: ClassVar[str] = "not sent"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "save", "Send", priority=True, key_display="^s"),
        Binding("ctrl+o", "usual", "Usual fix", key_display="^o", tooltip="Do what usually helps against this reason"),
    ]
    DEFAULT_CSS = """
    EntryForm #entry-why { height: auto; max-height: 5; padding: 0 1; border-bottom: solid $panel; }
    EntryForm #entry-check { height: 1; padding: 0 1; }
    """

    def __init__(self, client: ApplianceClient, viewer: Viewer, entry: Entry) -> None:
        super().__init__("Correct a refused event, and send it again")
        self._client, self._viewer, self._entry = client, viewer, entry

    def compose_fields(self) -> Iterable[Widget]:
        """Lay out reason, editor and check."""
        entry = self._entry
        why = Text(f"! {entry.code}", style="bold")
        why.append(f"  {harmless(entry.detail)}", style="not bold")
        seen = f", seen {entry.times_seen:,} times" if entry.times_seen > 1 else ""
        at = date_and_time(parsed(entry.received_at), self._viewer.zone)
        why.append(f"\nreceived {at} {self._viewer.zone_name}{seen} · {entry.content_type}", style="not bold dim")
        yield Static(why, id="entry-why")
        yield EventField(indented(entry.text))
        yield Static("", id="entry-check", markup=False)

    def on_form_field_changed(self, event: FormField.Changed) -> None:
        """Check the text."""
        event.stop()
        self._check()

    def action_usual(self) -> None:
        """Do what usually helps; where something is to be typed, a place for it is made."""
        field = self.query_one(EventField)
        correction = usual_correction(self._entry.code, self._entry.detail)
        wanted = correction if correction.value else type(correction)(correction.kind, correction.field, '""')
        try:
            after = indented(corrected(field.value, wanted, received_at=self._entry.received_at))
        except CannotCorrect as error:
            self.say(f"no usual fix: {error}")
            return
        field.editor.text = after
        field.mark(correction.field)
        self.say("")
        self.notify(f"usual fix: {KIND_WORDS[wanted.kind]}{_more_of(correction)}", timeout=6, markup=False)

    async def save(self) -> Outcome:
        """Send the event as it stands."""
        outcome = await resubmit(self._client, self._entry, self.query_one(EventField).value)
        if outcome.is_counted:
            return outcome
        raise Refused(outcome.words, status=_REFUSED, fields={"event": outcome.words})

    def action_save(self) -> None:
        """Send, if it is JSON."""
        if not self._check():
            super().action_save()

    def started(self) -> None:
        """Mark what was refused."""
        entry = self._entry
        field = "id" if entry.code == "conflict" else named_field(entry.detail)
        if field:
            self.query_one(EventField).mark(field)
        self._check()

    def _check(self) -> str:
        fault = fault_of(self.query_one(EventField).value)
        words = f"! {fault}" if fault else "✓ JSON of one event · ^s sends it, ^o does what usually helps"
        self.query_one("#entry-check", Static).update(words)
        return fault


def _more_of(correction: Correction) -> str:
    if correction.kind is Kind.SET and not correction.value:
        return "; type it where the cursor is"
    # Both are counted then, and one of them may be wrong.
    return "; if the first was wrong, void it in Events" if correction.kind is Kind.NEW_ID else ""
