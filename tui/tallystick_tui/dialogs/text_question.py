"""One line of text, asked for in a dialog: a name, a reason, an address."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input, Static

from .dialog import Dialog


class TextQuestion(Dialog[str | None]):
    """The text, or None if the person left. `is_secret` shows dots."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Leave")]
    DEFAULT_CSS = """
    TextQuestion > .dialog-box { padding: 1 2; }
    TextQuestion Input { margin-top: 1; }
    """

    def __init__(
        self,
        title: str,
        words: str,
        *,
        value: str = "",
        placeholder: str = "",
        is_secret: bool = False,
        may_be_empty: bool = False,
    ) -> None:
        super().__init__()
        self._title, self._words, self._value, self._placeholder = title, words, value, placeholder
        self._is_secret, self._may_be_empty = is_secret, may_be_empty

    def compose(self) -> ComposeResult:
        """Lay out the question and a line to type in."""
        with self.box(self._title, "enter takes it, esc leaves"):
            yield Static(self._words, markup=False)
            yield Input(self._value, placeholder=self._placeholder, password=self._is_secret)

    @on(Input.Submitted)
    def take(self, event: Input.Submitted) -> None:
        """Hand the text over."""
        text = event.value.strip()
        if text or self._may_be_empty:
            self.dismiss(text)
