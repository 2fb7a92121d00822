"""One correction for many refused events, with what the first of them become beside it; then each is sent again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import ClassVar, Final

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Static

from tallystick_tui.connection.appliance_client import ApplianceClient
from tallystick_tui.connection.failure import ApplianceFailure
from tallystick_tui.connection.quarantine import Entry, Outcome, resubmit
from tallystick_tui.dialogs.form_screen import FormScreen
from tallystick_tui.texts.figures import exact
from tallystick_tui.texts.harmless import cut
from tallystick_tui.widgets.choice_field import ChoiceField
from tallystick_tui.widgets.form_field import FormField, TextField
from tallystick_tui.widgets.suggested_field import SuggestedField

from .correction import KIND_WORDS, CannotCorrect, Correction, Kind, corrected, usual_correction

_SHOWN: Final = 3
_AT_ONCE: Final = 4
_FIELDS: Final = ("customer", "type", "id", "time", "value", "source", "properties.")
_VALUE_LABELS: Final = {Kind.NEW_ID: "Put behind it", Kind.SHIFT_TIME: "By", Kind.SET: "To"}
_VALUE_HINTS: Final = {
    Kind.NEW_ID: "A corrected event takes a new id: a1 becomes a1-2.",
    Kind.SHIFT_TIME: "Such as -1h, +30min, -2d; 0s only adds UTC to a time without a zone.",
    Kind.SET: "JSON, or a bare word for a text: acme, 12.5, true.",
}


class CorrectionForm(FormScreen[list[Outcome]]):
    """The form; answers what became of each event."""

    NOT_DONE: ClassVar[str] = "not all sent"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "save", "Send", priority=True, key_display="^s"),
    ]
    DEFAULT_CSS = """
    CorrectionForm #correction-preview { padding: 0 1; height: 1fr; }
    """

    def __init__(self, client: ApplianceClient, entries: Sequence[Entry]) -> None:
        count = exact(len(entries))
        super().__init__(f"Correct {count} refused event{'' if len(entries) == 1 else 's'}, and send them again")
        self._client, self._entries = client, list(entries)
        self._outcomes: dict[str, Outcome] = {}

    def compose_fields(self) -> Iterable[Widget]:
        """Lay out the fields, filled with what usually helps."""
        usual = usual_correction(self._entries[0].code, self._entries[0].detail)
        yield ChoiceField(
            "kind", "Do", [(kind.value, words) for kind, words in KIND_WORDS.items()], usual.kind.value, is_required=True,
            hint="Done to each of them; the reason suggests what usually helps.",
        )  # fmt: skip
        yield SuggestedField(
            "field",
            "Field",
            usual.field,
            known=_FIELDS,
            hint="customer, type, id, time, value, source or properties.NAME.",
        )
        yield TextField("value", "To", usual.value)

    def compose_aside(self) -> Iterable[Widget]:
        """Lay out what the first events become."""
        yield VerticalScroll(Static(id="correction-words", markup=False), id="correction-preview", can_focus=False)

    def on_form_field_changed(self, event: FormField.Changed) -> None:
        """Show what the events become now."""
        event.stop()
        self._fit()

    async def begin(self) -> None:
        """Show the fields of the first kind, and what the events become."""
        self._fit()

    def action_save(self) -> None:
        """Send, unless the correction lacks something."""
        correction = self.correction()
        wanted = {"field": correction.field, "value": correction.value}
        missing = [field for field in self.query(TextField) if field.display and not wanted[field.field_name].strip()]
        for field in missing:
            field.fail("is needed")
        if missing:
            missing[0].focus_control()
        else:
            super().action_save()

    def correction(self) -> Correction:
        """Return what the fields say."""
        texts = {field.field_name: field.value for field in self.query(TextField)}
        kind = self.query_one(ChoiceField).value
        return Correction(Kind(kind or Kind.AS_IT_IS), texts["field"], texts["value"])

    async def save(self) -> list[Outcome]:
        """Send each event again; those that were sent before a connection was lost are not sent twice."""
        correction = self.correction()
        waiting = [entry for entry in self._entries if entry.id not in self._outcomes]
        for first in range(0, len(waiting), _AT_ONCE):
            some = waiting[first : first + _AT_ONCE]
            answers = await asyncio.gather(*(self._send(entry, correction) for entry in some), return_exceptions=True)
            for answer in answers:
                if isinstance(answer, Outcome):
                    self._outcomes[answer.entry_id] = answer
            self.query_one("#form-title", Static).update(
                f"Sending: {exact(len(self._outcomes))} of {exact(len(self._entries))}"
            )
            failed = next((answer for answer in answers if isinstance(answer, BaseException)), None)
            if failed is not None:
                raise failed if isinstance(failed, ApplianceFailure) else RuntimeError("not sent") from failed
        return [self._outcomes[entry.id] for entry in self._entries]

    async def _send(self, entry: Entry, correction: Correction) -> Outcome:
        if correction.kind is Kind.AS_IT_IS:
            return await resubmit(self._client, entry, None)
        try:
            text = corrected(entry.text, correction, received_at=entry.received_at)
        except CannotCorrect as error:
            return Outcome(entry.id, name=entry.name, is_counted=False, words=f"not sent: {error}")
        return await resubmit(self._client, entry, text)

    def _fit(self) -> None:
        """Show the fields that the kind needs, and what the first events become."""
        correction = self.correction()
        for field in self.query(TextField):
            is_field = field.field_name == "field"
            field.display = correction.kind in ((Kind.SET, Kind.DROP) if is_field else _VALUE_LABELS)
            if not is_field:
                field.query_one(".field-label", Static).update(_VALUE_LABELS.get(correction.kind, "To"))
                field.hint = _VALUE_HINTS.get(correction.kind, "")
        self.query_one("#correction-words", Static).update(self._becoming(correction))

    def _becoming(self, correction: Correction) -> Text:
        words, failures = Text(), dict[str, int]()
        shown = 0
        for entry in self._entries:
            try:
                after = corrected(entry.text, correction, received_at=entry.received_at)
            except CannotCorrect as error:
                failures[str(error)] = failures.get(str(error), 0) + 1
                continue
            if shown < _SHOWN:
                words.append(f"{entry.code}\n", style="bold")
                words.append(f"-\u00a0{cut(entry.text, 400)}\n", style="dim")
                words.append(f"+\u00a0{cut(after, 400)}\n\n")
                shown += 1
        for failure, count in list(failures.items())[:_SHOWN]:
            words.append(f"! {exact(count)}: {cut(failure, 200)}\n")
        return words
