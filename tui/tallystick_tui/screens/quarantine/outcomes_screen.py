"""What became of events that were sent again: each with its result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from tallystick_tui.connection.quarantine import Outcome
from tallystick_tui.dialogs.dialog import Dialog
from tallystick_tui.texts.figures import exact
from tallystick_tui.texts.harmless import cut, harmless
from tallystick_tui.widgets.record_table import Column, Record, RecordTable


class OutcomesScreen(Dialog[None]):
    """A table; escape closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,enter,q", "dismiss(None)", "Close")]
    DEFAULT_CSS = """
    OutcomesScreen > .dialog-box { width: 96%; max-width: 140; height: 80%; padding: 0; }
    """

    def __init__(self, outcomes: Sequence[Outcome]) -> None:
        super().__init__()
        self._outcomes = outcomes

    def compose(self) -> ComposeResult:
        """Lay out the table."""
        counted = sum(outcome.is_counted for outcome in self._outcomes)
        title = f"{exact(counted)} counted, {exact(len(self._outcomes) - counted)} not"
        with self.box(title, "esc closes; what is not counted stays in quarantine"):
            yield RecordTable(
                [Column("event", "Event", width=16), Column("result", "", width=2), Column("words", "Result")],
                id="outcomes",
            )

    def on_mount(self) -> None:
        """Show the refused ones first."""
        ordered = sorted(self._outcomes, key=lambda outcome: outcome.is_counted)
        self.query_one(RecordTable).show(
            [
                Record(
                    each.entry_id,
                    (cut(each.name or each.entry_id, 16), "✓" if each.is_counted else "!", harmless(each.words)),
                )
                for each in ordered
            ]
        )
