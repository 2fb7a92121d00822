"""Where a command writes: answers on stdout, progress, notes and errors on stderr.

A person (stdout is a terminal) gets tables with headings, numbers to the right with thousands separators, and colour unless NO_COLOR is
set. A pipe gets plain rows separated by tabs, without headings, numbers as bare digits; so does a file. Every digit is shown in both.
Promises: text from outside passes `printable` on the way, so that no escape sequence in a name reaches a terminal.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Protocol, Self, TextIO

import msgspec

from .printable import printable, printable_json

if TYPE_CHECKING:
    from rich.console import Console

Cell = str | int | Decimal | bool | None


class Column(msgspec.Struct, frozen=True):
    """One column of a table; `numeric` ones stand to the right."""

    title: str
    numeric: bool = False


class ProgressBar(Protocol):
    """A bar that shows how far long work has come; silent where stderr is no terminal."""

    def __enter__(self) -> Self: ...
    def __exit__(self, *error: object) -> None: ...
    def show(self, done: float, total: float | None, text: str) -> None:
        """Set how far it is (`total` None: not known) and the words beside the bar."""
        ...


class Terminal:
    """The two streams of one command."""

    def __init__(
        self, out: TextIO, err: TextIO, *, for_person: bool | None = None, err_for_person: bool | None = None
    ) -> None:
        self.out, self.err = out, err
        self.for_person = out.isatty() if for_person is None else for_person
        self.err_for_person = err.isatty() if err_for_person is None else err_for_person

    @classmethod
    def of_process(cls) -> Terminal:
        """Return the terminal of this process, as it is now."""
        return cls(sys.stdout, sys.stderr)

    def json(self, document: bytes) -> None:
        """Write a JSON document from the appliance, indented, its numbers digit by digit as they came."""
        self.out.write(printable_json(msgspec.json.format(document, indent=2).decode()) + "\n")

    def say(self, text: str) -> None:
        """Write one line of the answer."""
        self.out.write(printable(text) + "\n")

    def note(self, text: str) -> None:
        """Write one line that is no part of the answer."""
        self.err.write(printable(text) + "\n")

    def table(
        self, columns: Sequence[Column], rows: Iterable[Sequence[Cell]], *, empty: str = "", title: str = ""
    ) -> None:
        """Write rows; `empty` is what a person reads when there are none."""
        if self.for_person:
            self._table_for_person(columns, list(rows), empty=empty, title=title)
            return
        for row in rows:
            self.out.write("\t".join(bare(cell) for cell in row) + "\n")

    def facts(self, pairs: Iterable[tuple[str, Cell]]) -> None:
        """Write the fields of one thing, one a line."""
        listed = list(pairs)
        width = max((len(name) for name, _ in listed), default=0)
        for name, value in listed:
            if self.for_person:
                self.out.write(f"{printable(name):<{width}}  {shown(value)}\n")
            else:
                self.out.write(f"{printable(name)}\t{bare(value)}\n")

    def console(self) -> Console:
        """Return a rich console on stdout, for pages that are more than one table."""
        from rich.console import Console

        return Console(file=self.out, highlight=False, markup=False, emoji=False)

    def progress(self, unit: str) -> ProgressBar:
        """Return a bar on stderr; `unit` says what its rate counts."""
        if not self.err_for_person:
            return _NoBar()
        from .progress import RichBar

        return RichBar(self.err, unit)

    def _table_for_person(
        self, columns: Sequence[Column], rows: list[Sequence[Cell]], *, empty: str, title: str
    ) -> None:
        if not rows and empty:
            self.say(empty)
            return
        from rich.box import SIMPLE_HEAD
        from rich.table import Table
        from rich.text import Text

        table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, title=title or None, title_justify="left")
        for column in columns:
            if column.numeric:
                table.add_column(column.title, justify="right", no_wrap=True)
            else:
                table.add_column(column.title, overflow="fold")
        for row in rows:
            table.add_row(*(Text(shown(cell)) for cell in row))
        self.console().print(table)


class _NoBar:
    """The bar of a stream that nobody watches."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        """Nothing was drawn, so nothing is cleared."""

    def show(self, done: float, total: float | None, text: str) -> None:
        """Draw nothing."""


def shown(cell: Cell) -> str:
    """Return a cell as a person reads it: thousands apart, every digit, `-` for nothing."""
    if cell is None:
        return "-"
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, int | Decimal):
        whole, _, fraction = digits(cell).partition(".")
        sign, whole = ("-", whole[1:]) if whole.startswith("-") else ("", whole)
        grouped = f"{int(whole):,}"
        return f"{sign}{grouped}.{fraction}" if fraction else f"{sign}{grouped}"
    return printable(cell)


def bare(cell: Cell) -> str:
    """Return a cell as a program reads it: bare digits, no tab or line end inside, empty for nothing."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, int | Decimal):
        return digits(cell)
    return printable(cell)


def digits(number: int | Decimal) -> str:
    """Return every digit of a number, without exponent and without trailing zeros."""
    text = f"{number:f}" if isinstance(number, Decimal) else str(number)
    return text.rstrip("0").rstrip(".") if "." in text else text


def compact_json(value: object) -> str:
    """Return decoded JSON as JSON on one line, decimals with the digits they had."""
    return msgspec.json.Encoder(decimal_format="number").encode(value).decode()
