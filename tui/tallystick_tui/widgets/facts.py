"""Facts in two or three columns: what, how much, and a remark; the figures stand right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.table import Table
from rich.text import Text
from textual.widgets import Static


@dataclass(frozen=True, slots=True)
class Fact:
    """One line. `style` is of the figure; `remark` stands behind it."""

    name: str
    figure: str | Text
    remark: str | Text = ""


class Facts(Static):
    """Some lines of facts, replaced whole; figures stand right where `are_figures`, texts left."""

    DEFAULT_CSS = """
    Facts { height: auto; width: 1fr; }
    """

    def __init__(self, *, are_figures: bool, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__("", id=id, markup=False)
        self._are_figures = are_figures
        self.shown: tuple[tuple[str, str, str], ...] = ()

    def show(self, facts: Sequence[Fact]) -> None:
        """Show these; the same again draws nothing."""
        said = tuple((fact.name, str(fact.figure), str(fact.remark)) for fact in facts)
        if said == self.shown:
            return
        self.shown = said
        table = Table(box=None, show_header=False, pad_edge=False, expand=True, padding=(0, 1, 0, 0))
        table.add_column(style="dim", no_wrap=True)
        table.add_column(justify="right" if self._are_figures else "left", no_wrap=True, overflow="ellipsis", ratio=1)
        has_remarks = any(remark for *_, remark in said)
        if has_remarks:
            table.add_column(justify="right", no_wrap=True, min_width=8)
        for fact in facts:
            cells = [Text(fact.name), _text(fact.figure), *([_text(fact.remark)] if has_remarks else [])]
            table.add_row(*cells)
        self.update(table)


def _text(cell: str | Text) -> Text:
    return cell if isinstance(cell, Text) else Text(cell)
