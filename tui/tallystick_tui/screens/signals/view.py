"""One of the section's four lists, with what is known of the record under the cursor beside (or below) it.

A list says how it is filled and what it says of a record; where there is nothing it says what to do next.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress
from typing import ClassVar, Final, Generic, TypeVar

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.message import Message
from textual.widgets import DataTable, Static

from tallystick_tui.connection.appliance_client import ApplianceClient
from tallystick_tui.viewer import Viewer
from tallystick_tui.widgets.record_table import Column, Record, RecordTable

ROWS_MAX: Final = 500
T = TypeVar("T")


class View(Horizontal, Generic[T]):
    """A table and a pane of details. Subclasses give `COLUMNS`, `EMPTY`, `fetch`, `key_of`, `cells_of` and `details_of`."""

    COLUMNS: ClassVar[Sequence[Column]]
    EMPTY: ClassVar[str]
    # What gives way where it is narrow.
    WIDE_COLUMNS: ClassVar[frozenset[str]] = frozenset()
    SCOPED_CSS = False
    DEFAULT_CSS = """
    View { height: 1fr; }
    View > .view-list { width: 1fr; height: 1fr; padding: 0; }
    View > .view-details { width: 44; height: 1fr; display: none; }
    View .view-empty { height: 1fr; content-align: center middle; text-align: center; display: none; padding: 0 2; }
    View.-empty RecordTable { display: none; }
    View.-empty .view-empty { display: block; }
    .-wide View > .view-details { display: block; }
    .-wide View.-empty > .view-details { display: none; }
    """

    class Opened(Message):
        """Somebody chose the record under the cursor by enter or a click."""

    def __init__(self, client: ApplianceClient, viewer: Viewer, *, id: str) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.client, self.viewer = client, viewer
        self._records: dict[str, T] = {}

    def compose(self) -> ComposeResult:
        """Lay out list and details."""
        with VerticalScroll(classes="view-list", can_focus=False):
            yield RecordTable(self.COLUMNS)
            yield Static(self.EMPTY, classes="view-empty", markup=False)
        with VerticalScroll(classes="view-details pane", can_focus=False):
            yield Static(markup=False)

    @property
    def chosen(self) -> T | None:
        """The record under the cursor."""
        key = self.query_one(RecordTable).chosen
        return None if key is None else self._records.get(key)

    async def load(self) -> None:
        """Ask for the records and list them. Raises `ApplianceFailure`."""
        self._records = {self.key_of(record): record for record in await self.fetch()}
        self.set_class(not self._records, "-empty")
        self._show_records()

    def _show_records(self) -> None:
        is_wide = self.screen.has_class("-wide")
        shown = [is_wide or column.key not in self.WIDE_COLUMNS for column in self.COLUMNS]
        table = self.query_one(RecordTable)
        table.set_columns(list(compress(self.COLUMNS, shown)))
        table.show(
            [Record(key, tuple(compress(self.cells_of(record), shown))) for key, record in self._records.items()]
        )
        self._show_details()

    def on_resize(self) -> None:
        """Give columns room, or take it."""
        self.call_after_refresh(self._show_records)

    def choose(self, key: str) -> None:
        """Put the cursor on a record, as soon as it is listed."""
        self.query_one(RecordTable).choose(key)

    async def fetch(self) -> Sequence[T]:
        """Return the records, at most `ROWS_MAX`."""
        raise NotImplementedError

    def key_of(self, record: T) -> str:
        """Return what stays with a record."""
        raise NotImplementedError

    def cells_of(self, record: T) -> tuple[str | Text, ...]:
        """Return a cell for each column."""
        raise NotImplementedError

    def details_of(self, record: T) -> Text:
        """Return what is known of a record."""
        raise NotImplementedError

    def on_data_table_row_highlighted(self, event: DataTable.RowHighlighted) -> None:
        """Show the details of another record."""
        event.stop()
        self._show_details()

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Open it."""
        event.stop()
        self.post_message(self.Opened())

    def _show_details(self) -> None:
        chosen = self.chosen
        self.query_one(".view-details Static", Static).update("" if chosen is None else self.details_of(chosen))


def lines_of(pairs: Sequence[tuple[str, str]]) -> Text:
    """Return pairs as lines, the first words dim and of one width."""
    width = max((len(name) for name, _ in pairs), default=0) + 2
    text = Text()
    for name, value in pairs:
        text.append(name.ljust(width), style="dim")
        text.append(f"{value}\n")
    return text
