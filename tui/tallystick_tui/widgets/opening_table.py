"""A table of records that open: the footer says so."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType

from .record_table import RecordTable


class OpeningTable(RecordTable):
    """As its parent; `enter`, or a click on the row under the cursor, opens it (`DataTable.RowSelected`)."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select_cursor", "Open", tooltip="Open what is under the cursor; so does a click on it")
    ]
