"""The explorer's table: enter, or a click on the row under the cursor, goes down into a row."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType

from tallystick_tui.widgets.record_table import RecordTable


class PivotTable(RecordTable):
    """As its parent; the cursor lets shades and bars be seen."""

    DEFAULT_CSS = """
    PivotTable > .datatable--cursor, PivotTable:focus > .datatable--cursor { background: $primary 30%; color: $foreground; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select_cursor", "Into", tooltip="Go down into the row under the cursor"),
    ]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer the way down only where there is a row."""
        return self.row_count > 0 if action == "select_cursor" else super().check_action(action, parameters)

    def on_mount(self) -> None:
        """Let shaded cells be read under the cursor."""
        self.cursor_foreground_priority = "renderable"
