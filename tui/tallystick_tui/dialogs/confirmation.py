"""Is that meant? For what cannot be taken back."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Button, Static

from .dialog import Dialog


class Confirmation(Dialog[bool]):
    """True if the person meant it. The safe answer has the focus."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "Yes"),
        Binding("n,escape", "answer(False)", "No"),
        Binding("left,right", "app.focus_next", "Other button", show=False),
    ]
    DEFAULT_CSS = """
    Confirmation > .dialog-box { border: round $warning; padding: 1 2; }
    Confirmation Horizontal { height: auto; margin-top: 1; align-horizontal: right; }
    Confirmation Button { margin-left: 2; }
    """

    def __init__(self, title: str, words: str, *, does: str) -> None:
        super().__init__()
        self._title, self._words, self._does = title, words, does

    def compose(self) -> ComposeResult:
        """Lay out question and answers."""
        with self.box(self._title):
            yield Static(self._words, markup=False)
            with Horizontal():
                yield Button("No (n)", id="no")
                yield Button(f"{self._does} (y)", id="yes", variant="warning")

    def on_mount(self) -> None:
        """Put the focus on the safe answer."""
        self.query_one("#no", Button).focus()

    def action_answer(self, is_meant: bool) -> None:  # noqa: FBT001 - called by key
        """Answer."""
        self.dismiss(is_meant)

    @on(Button.Pressed)
    def answer_by_button(self, event: Button.Pressed) -> None:
        """Answer."""
        self.dismiss(event.button.id == "yes")
