"""A table of records that is filled again and again, and stays where the reader is.

Promises: `show` changes only what differs, so nothing flickers; the cursor stays on its record as long as that is there, wherever it moved;
numbers stand right. At most `ROWS_MAX` records: whoever has more pages.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, Literal

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.coordinate import Coordinate
from textual.widgets import DataTable

from tallystick_tui.app_of import app_of
from tallystick_tui.texts.harmless import harmless

ROWS_MAX: Final = 2_000


@dataclass(frozen=True, slots=True)
class Column:
    """One column; `width` None: as wide as its widest cell. `align` right for figures."""

    key: str
    label: str
    align: Literal["left", "right"] = "left"
    width: int | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """One row: a key that stays with it, and a cell for each column (text without markup, or styled text)."""

    key: str
    cells: tuple[str | Text, ...]


class RecordTable(DataTable[Text]):
    """Rows of records, chosen by row."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("home", "scroll_top", "First row", show=False),
        Binding("end", "scroll_bottom", "Last row", show=False),
    ]

    def __init__(self, columns: Sequence[Column], *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, classes=classes, cursor_type="row", zebra_stripes=False)
        self._columns = tuple(columns)
        self._shown: dict[str, tuple[str | Text, ...]] = {}
        self._chosen_before: str | None = None
        # What the cursor goes to as soon as it is there.
        self._wanted: str | None = None

    @property
    def chosen(self) -> str | None:
        """The key of the record under the cursor; None in an empty table."""
        if not self.row_count or not self.is_valid_row_index(self.cursor_row):
            return None
        return self.coordinate_to_cell_key(Coordinate(self.cursor_row, 0)).row_key.value

    def on_mount(self) -> None:
        """Make the columns."""
        self._make_columns()

    def set_columns(self, columns: Sequence[Column]) -> None:
        """Have other columns; the records must be shown anew."""
        if tuple(columns) == self._columns:
            return
        self._columns = tuple(columns)
        self._chosen_before = self.chosen
        self.clear(columns=True)
        self._shown = {}
        self._make_columns()

    def show(self, records: Sequence[Record], *, stays_at_top: bool = False) -> None:
        """Show these records, in this order. With `stays_at_top` the cursor is on the first one, whichever that is."""
        shown = {record.key: record.cells for record in records[:ROWS_MAX]}
        if list(shown) == list(self._shown):
            self._change_cells(shown)
        else:
            self._fill(shown, stays_at_top=stays_at_top)
        self._shown = shown
        self._go_to_wanted()
        # Widths follow the cells when the table is idle, and it is not told of that by a change from elsewhere.
        self.check_idle()

    def choose(self, key: str) -> None:
        """Put the cursor on a record; on one that is not there yet, as soon as it is shown."""
        self._wanted = key
        self._go_to_wanted()

    def _go_to_wanted(self) -> None:
        if self._wanted in self._shown:
            self.move_cursor(row=list(self._shown).index(self._wanted), animate=False)
            self._wanted = None

    def _make_columns(self) -> None:
        for column in self._columns:
            label = Text(column.label, justify=column.align)
            self.add_column(label, key=column.key, width=column.width)

    def _change_cells(self, shown: dict[str, tuple[str | Text, ...]]) -> None:
        has_changed = False
        for key, cells in shown.items():
            before = self._shown[key]
            for column, old, new in zip(self._columns, before, cells, strict=True):
                if not _is_same(old, new):
                    self.update_cell(key, column.key, _aligned(column, new), update_width=True)
                    has_changed = True
        if has_changed:
            # All that was drawn before is of no use any more, and yet would be kept, ten thousand cells a table: an overview that was left
            # open grew by 9 MiB in 40 minutes.
            self._clear_caches()

    def _fill(self, shown: dict[str, tuple[str | Text, ...]], *, stays_at_top: bool) -> None:
        chosen, scroll_y = self.chosen or self._chosen_before, self.scroll_y
        self._chosen_before = None
        with app_of(self).batch_update():
            self.clear()
            for key, cells in shown.items():
                self.add_row(
                    *(_aligned(column, cell) for column, cell in zip(self._columns, cells, strict=True)), key=key
                )
            if chosen is not None and chosen in shown and not stays_at_top:
                self.move_cursor(row=list(shown).index(chosen), animate=False, scroll=False)
                self.scroll_to(y=scroll_y, animate=False)


def _is_same(old: str | Text, new: str | Text) -> bool:
    # Rich's texts are equal whatever style they have as a whole.
    styles = [each.style if isinstance(each, Text) else "" for each in (old, new)]
    return old == new and styles[0] == styles[1]


def _aligned(column: Column, cell: str | Text) -> Text:
    # What stands in a cell may come from whoever sends events.
    text = cell.copy() if isinstance(cell, Text) else Text(harmless(cell))
    if not text.plain.isprintable():
        text.plain = harmless(text.plain)
    text.justify, text.no_wrap, text.overflow = column.align, True, "ellipsis"
    return text
