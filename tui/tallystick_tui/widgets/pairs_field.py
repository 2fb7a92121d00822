"""Names with a text each, as many as there are: filters, metadata. One row a pair, and an empty one for the next."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widget import Widget
from textual.widgets import Button, Input

from .form_field import FormField
from .suggested_field import SuggestedLine

PAIRS_MAX: Final = 64


class PairRow(Horizontal):
    """One name and its text; the button takes the row away."""

    DEFAULT_CSS = """
    PairRow { height: 1; }
    PairRow > .pair-name { width: 2fr; max-width: 26; }
    PairRow > .pair-text { width: 3fr; margin-left: 1; }
    PairRow > Button { width: 3; min-width: 3; height: 1; border: none; margin-left: 1; background: $background; }
    PairRow > Button:focus { background: $primary 25%; }
    """

    def __init__(self, name: str, text: str, *, placeholders: tuple[str, str], separator: str) -> None:
        super().__init__()
        self.first = SuggestedLine(name, placeholder=placeholders[0])
        self.second = SuggestedLine(text, placeholder=placeholders[1], separator=separator)
        self.first.add_class("pair-name")
        self.second.add_class("pair-text")

    @property
    def pair(self) -> tuple[str, str]:
        """Name and text."""
        return self.first.line.value.strip(), self.second.line.value.strip()

    def compose(self) -> ComposeResult:
        """Lay out the row."""
        yield self.first
        yield self.second
        yield Button("x", compact=True, tooltip="Take this row away")


class PairsField(FormField):
    """Rows of pairs. `known` suggests names, `known_texts` texts of a name."""

    DEFAULT_CSS = """
    PairsField .pair-rows { height: auto; width: 1fr; }
    """

    def __init__(
        self,
        field_name: str,
        label: str,
        pairs: Mapping[str, str],
        *,
        placeholders: tuple[str, str] = ("name", "value"),
        separator: str = "",
        hint: str = "",
    ) -> None:
        super().__init__(field_name, label, hint=hint)
        self._begin = list(pairs.items())
        self._placeholders, self._separator = placeholders, separator
        self._known: Sequence[str] = ()
        self.known_texts: Callable[[str], Sequence[str]] = lambda _name: ()

    @property
    def known(self) -> Sequence[str]:
        """Which names are suggested."""
        return self._known

    @known.setter
    def known(self, names: Sequence[str]) -> None:
        self._known = names
        for row in self.query(PairRow):
            row.first.known = names

    @property
    def value(self) -> dict[str, str]:
        """Texts by name; rows without a name are left out."""
        if not self.is_mounted:
            return dict(self._begin)
        return {name: text for name, text in (row.pair for row in self.query(PairRow)) if name}

    def compose_control(self) -> Iterable[Widget]:
        """Yield the rows, with an empty one at the end."""
        yield Vertical(*(self._row(name, text) for name, text in [*self._begin, ("", "")]), classes="pair-rows")

    def state(self) -> object:
        """Return the pairs."""
        return tuple(sorted(self.value.items()))

    async def on_input_changed(self, event: Input.Changed) -> None:
        """Keep an empty row at the end, suggest texts of the name, and tell the form."""
        event.stop()
        rows = list(self.query(PairRow))
        for row in rows:
            row.second.known = self.known_texts(row.pair[0])
        if rows and rows[-1].pair != ("", "") and len(rows) < PAIRS_MAX:
            await self.query_one(".pair-rows").mount(self._row("", ""))
        self.changed()

    async def on_button_pressed(self, event: Button.Pressed) -> None:
        """Take a row away; the last one is emptied."""
        event.stop()
        row = event.button.parent
        if not isinstance(row, PairRow):
            return
        if row is self.query(PairRow).last():
            row.first.line.value = row.second.line.value = ""
        else:
            await row.remove()
        self.changed()

    def _row(self, name: str, text: str) -> PairRow:
        row = PairRow(name, text, placeholders=self._placeholders, separator=self._separator)
        row.first.known = self._known
        row.second.known = self.known_texts(name)
        return row
