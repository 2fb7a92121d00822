"""Which event? By its id, and its source where it has one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Label


@dataclass(frozen=True, slots=True)
class Identity:
    """What tells an event apart: ids are unique within a source."""

    source: str
    id: str


class FindEvent(ModalScreen[Identity | None]):
    """The identity, or None if the person left."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Leave")]
    DEFAULT_CSS = """
    FindEvent { align: center middle; }
    FindEvent > Vertical { width: 64; max-width: 96%; height: auto; background: $surface; border: round $primary; padding: 1 2; }
    """

    def __init__(self, *, source: str = "", event_id: str = "") -> None:
        super().__init__()
        self._source, self._id = source, event_id

    def compose(self) -> ComposeResult:
        """Lay out two lines to type in."""
        with Vertical() as box:
            box.border_title = "Find an event"
            box.border_subtitle = "enter finds it, esc leaves"
            yield Label("Id")
            yield Input(self._id, id="find-id")
            yield Label("Source (empty: it was sent without one)")
            yield Input(self._source, id="find-source")

    @on(Input.Submitted)
    def take(self) -> None:
        """Hand both over."""
        event_id = self.query_one("#find-id", Input).value
        if event_id:
            self.dismiss(Identity(self.query_one("#find-source", Input).value, event_id))
