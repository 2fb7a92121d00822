"""What one can do with an event: void it, open its customer, copy it. For screens that have one chosen."""

from __future__ import annotations

from typing import Final

import msgspec
from textual import work
from textual.binding import Binding, BindingType

from tallystick_tui.app_of import app_of
from tallystick_tui.connection.failure import ApplianceFailure
from tallystick_tui.dialogs.confirmation import Confirmation
from tallystick_tui.dialogs.text_question import TextQuestion
from tallystick_tui.navigation import ToCustomer
from tallystick_tui.screens.section_screen import SectionScreen
from tallystick_tui.texts.harmless import cut

from .event import VOIDED, Event, event_json

_ID_CELLS = 40
# Not bound by the class below: each screen says where among its own keys they stand.
EVENT_KEYS: Final[tuple[BindingType, ...]] = (
    Binding("v", "void", "Void", tooltip="Take the event out of every figure; asks for a reason, and once more"),
    Binding("c", "open_customer", "Customer", tooltip="Open the event's customer"),
    Binding("y", "copy_id", "Copy id", tooltip="Put the event's id into the clipboard"),
    Binding("Y", "copy_json", "Copy JSON", tooltip="Put the whole event into the clipboard"),
)


class Voided(msgspec.Struct, frozen=True):
    """What became of a correction."""

    voided: int
    already_voided: int


class EventActions(SectionScreen):
    """What the keys do. A subclass says which event is chosen, and is told when one changed."""

    _reason = ""

    @property
    def chosen_event(self) -> Event | None:
        """The event that keys are about; None if there is none."""
        raise NotImplementedError

    def hold(self) -> None:
        """Let what is chosen stay chosen, before something is done with it."""

    def changed(self, event: Event) -> None:
        """Show an event that is not any more what it was."""
        raise NotImplementedError

    def action_open_customer(self) -> None:
        """Open the customer."""
        if (event := self.chosen_event) is not None:
            self.go_to(ToCustomer(key=event.customer))

    def action_copy_id(self) -> None:
        """Copy the id."""
        self.hold()
        if (event := self.chosen_event) is not None:
            self._copy(event.id, "id")

    def action_copy_json(self) -> None:
        """Copy everything."""
        self.hold()
        if (event := self.chosen_event) is not None:
            self._copy(event_json(event), "event as JSON")

    def _copy(self, text: str, what: str) -> None:
        app_of(self).copy_to_clipboard(text)
        self.notify(f"{what} copied", timeout=2, markup=False)

    @work(exclusive=True, group="void")
    async def action_void(self) -> None:
        """Ask why, ask whether it is meant, void, and say what came of it. A reason that was refused is kept for the next try."""
        self.hold()
        event = self.chosen_event
        if event is None:
            return
        name = cut(event.id, _ID_CELLS)
        if event.is_voided:
            self.notify(f"{name} is voided already", markup=False)
            return
        reason = await self.answer_of(
            TextQuestion(
                "Void an event", f"Why should {name} no longer count? The reason stays in the log.", value=self._reason
            )
        )
        if reason is None:
            return
        self._reason = reason
        words = (
            f"{name}\nof {cut(event.customer, _ID_CELLS)}, {cut(event.type, _ID_CELLS)}\n\n"
            "It stays in the log and leaves every figure. This cannot be taken back: a corrected event takes a new id.\n\n"
            f"Reason: {cut(reason, 200)}"
        )
        if not await self.answer_of(Confirmation("Void this event?", words, does="Void")):
            return
        body = {"events": [{"source": event.source, "id": event.id}], "reason": reason}
        try:
            answer = await self.client.tell("POST", "/v1/events/void", body, answer=Voided)
        except ApplianceFailure as failure:
            self.notice = f"{name} is not voided: {failure}"
            self.say(self.notice)
            return
        self._reason = self.notice = ""
        self.say("")
        self.notify(f"{name} {'no longer counts' if answer.voided else 'was voided before'}", markup=False)
        self.changed(msgspec.structs.replace(event, state=VOIDED))
