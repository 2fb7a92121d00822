"""Which event? By its id, and its source where it has one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input, Label

from tallystick_tui.dialogs.dialog import Dialog


@dataclass(frozen=True, slots=True)
class Identity:
    """What tells an event apart: ids are unique within a source."""

    source: str
    id: str


class FindEvent(Dialog[Identity | None]):
    """The identity, or None if the person left."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Leave")]
    DEFAULT_CSS = """
    FindEvent > .dialog-box { padding: 1 2; }
    """

    def __init__(self, *, source: str = "", event_id: str = "") -> None:
        super().__init__()
        self._source, self._id = source, event_id

    def compose(self) -> ComposeResult:
        """Lay out two lines to type in."""
        with self.box("Find an event", "enter finds it, esc leaves"):
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
