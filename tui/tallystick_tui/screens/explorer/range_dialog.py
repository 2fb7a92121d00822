"""A range as somebody types it: two lines, checked while they are typed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input, Static

from tallystick_tui.dialogs.dialog import Dialog
from tallystick_tui.texts import moments

from .date_range import FORMS, DateRange, InvalidRange, zone_named


class RangeDialog(Dialog[DateRange | None]):
    """The range, or None if the person left."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Leave")]
    DEFAULT_CSS = """
    RangeDialog Input { padding: 0 1; background: $panel; margin-bottom: 1; }
    RangeDialog Input:focus { background: $primary 25%; }
    """

    def __init__(self, present: DateRange, zone_name: str, now: Callable[[], datetime]) -> None:
        super().__init__()
        self._zone, self._now = zone_named(zone_name), now
        self._start, self._end = present.start, present.end
        if present.preset is not None:
            span = present.span(now(), self._zone)
            self._start = moments.as_short_as_exact(span.start, self._zone)
            self._end = "now" if present.is_open else moments.as_short_as_exact(span.end, self._zone)

    def compose(self) -> ComposeResult:
        """Lay out both lines and what they mean."""
        with self.box(f"Range, {self._zone.key}", "enter takes it, esc leaves"):
            yield Static("from, in it", markup=False)
            yield Input(self._start, id="range-start", placeholder="2026-11-01", compact=True)
            yield Static("to, not in it", markup=False)
            yield Input(self._end, id="range-end", placeholder="now", compact=True)
            yield Static(FORMS, markup=False, classes="dim")
            yield Static(markup=False, id="range-words")

    def on_mount(self) -> None:
        """Say what is there already."""
        self._check()

    @on(Input.Changed)
    def check_typed(self) -> None:
        """Say what it means, or what is wrong with it."""
        self._check()

    @on(Input.Submitted)
    def take(self) -> None:
        """Answer, once both are moments."""
        typed = self._check()
        if typed is not None:
            self.dismiss(typed)

    def _check(self) -> DateRange | None:
        start, end = self.query_one("#range-start", Input).value, self.query_one("#range-end", Input).value
        typed = DateRange(None, start.strip(), end.strip())
        words = self.query_one("#range-words", Static)
        try:
            span = typed.span(self._now(), self._zone)
        except InvalidRange as wrong:
            words.update(f"! {wrong}")
            return None
        zone = self._zone
        words.update(f"{moments.date_and_time(span.start, zone)} to {moments.date_and_time(span.end, zone)}")
        return typed
