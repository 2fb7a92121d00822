"""For how long messages are held back."""

from __future__ import annotations

from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tallystick_tui.dialogs.dialog import Dialog
from tallystick_tui.texts.harmless import cut

_CHOICES: Final = (("1 hour", 3_600), ("4 hours", 14_400), ("1 day", 86_400), ("1 week", 604_800))


class SnoozeQuestion(Dialog[int | None]):
    """Seconds, 0 to wake, None if the person left. Steps are still kept meanwhile; a message that was held back is not made up for."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Leave")]
    DEFAULT_CSS = """
    SnoozeQuestion > .dialog-box { width: 56; }
    SnoozeQuestion OptionList { height: auto; border: none; margin-top: 1; }
    """

    def __init__(self, about: str, *, is_snoozed: bool) -> None:
        super().__init__()
        self._about = about
        self._is_snoozed = is_snoozed

    def compose(self) -> ComposeResult:
        """Lay out the choices."""
        options = [Option(f"for {words}", id=str(seconds)) for words, seconds in _CHOICES]
        if self._is_snoozed:
            options.insert(0, Option("wake it now", id="0"))
        with self.box(f"Snooze {cut(self._about, 44)}", "enter chooses, esc leaves"):
            yield Static("No messages meanwhile. What happens is still kept in its history.")
            yield OptionList(*options)

    @on(OptionList.OptionSelected)
    def take(self, event: OptionList.OptionSelected) -> None:
        """Hand the choice over."""
        self.dismiss(int(event.option.id or 0))


def snoozed_words(for_s: int) -> str:
    """Return what became of it."""
    return next((f"snoozed for {words}" for words, seconds in _CHOICES if seconds == for_s), "awake")


def snooze_body(for_s: int) -> dict[str, object]:
    """Return what to tell the appliance for an answer: seconds, or 0 to wake."""
    return {"for_s": for_s} if for_s else {"until": None}
