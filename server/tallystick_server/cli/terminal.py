"""Where a command writes: answers on stdout, progress, notes and errors on stderr.

A person (stdout is a terminal) gets tables with headings, numbers to the right with thousands separators, and colour unless NO_COLOR is
set. A pipe gets plain rows separated by tabs, without headings, numbers as bare digits; so does a file. Every digit is shown in both.
Promises: text from outside passes `printable` on the way, so that no escape sequence in a name reaches a terminal.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from decimal import Decimal
from textwrap import wrap
from typing import TYPE_CHECKING, Protocol, Self, TextIO

import msgspec

from .failure import NoAppliance
from .printable import printable, printable_json

if TYPE_CHECKING:
    from rich.console import Console

Cell = str | int | Decimal | bool | None


class Column(msgspec.Struct, frozen=True):
    """One column of a table; `numeric` ones stand to the right, `moment` ones hold RFC 3339 times."""

    title: str
    numeric: bool = False
    moment: bool = False


class ProgressBar(Protocol):
    """A bar that shows how far long work has come; silent where stderr is no terminal."""

    def __enter__(self) -> Self: ...
    def __exit__(self, *error: object) -> None: ...
    def show(self, done: float, total: float | None, text: str) -> None:
        """Set how far it is (`total` None: not known) and the words beside the bar."""
        ...

    def hidden(self) -> AbstractContextManager[None]:
        """Take the bar away while something else is written."""
        ...


class HowFar(Protocol):
    """How far long work of the engine has come: `done` of `total` positions of the log."""

    @property
    def step(self) -> str:
        """What is done."""
        ...

    @property
    def done(self) -> int:
        """Positions that are done."""
        ...

    @property
    def total(self) -> int:
        """All of them; 0 where that is not known."""
        ...


def show_progress(bar: ProgressBar, progress: HowFar) -> None:
    """Show it on a bar."""
    bar.show(progress.done, progress.total or None, f"{progress.step} {progress.done:,}")


class Terminal:
    """The two streams of one command."""

    def __init__(
        self, out: TextIO, err: TextIO, *, for_person: bool | None = None, err_for_person: bool | None = None
    ) -> None:
        self.out, self.err = out, err
        self.for_person = out.isatty() if for_person is None else for_person
        self.err_for_person = err.isatty() if err_for_person is None else err_for_person
        self._bar: ProgressBar = _NoBar()

    @classmethod
    def of_process(cls) -> Terminal:
        """Return the terminal of this process, as it is now."""
        return cls(sys.stdout, sys.stderr)

    def json(self, document: bytes) -> None:
        """Write a JSON document from the appliance, indented, its numbers digit by digit as they came."""
        try:
            text = msgspec.json.format(document, indent=2).decode()
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise NoAppliance(error) from error
        self.out.write(printable_json(text) + "\n")

    def say(self, text: str) -> None:
        """Write one line of the answer."""
        with self._bar.hidden():
            self.out.write(printable(text) + "\n")
            self.out.flush()

    def note(self, text: str) -> None:
        """Write one line that is no part of the answer."""
        with self._bar.hidden():
            self.err.write(printable(text) + "\n")
            self.err.flush()

    def table(
        self,
        columns: Sequence[Column],
        rows: Iterable[Sequence[Cell]],
        *,
        bars: Sequence[Decimal | None] = (),
        empty: str = "",
    ) -> None:
        """Write rows; `empty` is what a person reads when there are none, `bars` are what bars beside the rows show a person."""
        if self.for_person:
            self._table_for_person(columns, list(rows), bars=bars, empty=empty)
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

    def progress(self) -> ProgressBar:
        """Return a bar on stderr; lines written while it is there go above it."""
        if self.err_for_person:
            from .progress import RichBar

            self._bar = RichBar(self.err)
        return self._bar

    def step(self, text: str, *, is_good: bool = True) -> None:
        """Write one thing that was done, with a sign whether it is as it should be; long ones are wrapped for a person."""
        from rich.text import Text

        console = self.console()
        lines = wrap(printable(text), console.width - 2) if self.for_person else [printable(text)]
        with self._bar.hidden():
            sign = Text("✓ ", style="bold green") if is_good else Text("✗ ", style="bold red")
            console.print(sign.append(Text("\n  ".join(lines), style="not bold default")), soft_wrap=True)
            self.out.flush()

    def paragraph(self, text: str) -> None:
        """Write a sentence or two, wrapped for a person."""
        lines = wrap(printable(text), self.console().width) if self.for_person else [printable(text)]
        self.say_lines(lines)

    def say_lines(self, lines: Sequence[str]) -> None:
        """Write lines of the answer."""
        for line in lines:
            self.say(line)

    def heading(self, text: str) -> None:
        """Write a heading, with an empty line before it."""
        from rich.text import Text

        console = self.console()
        lines = wrap(printable(text), console.width) if self.for_person else [printable(text)]
        console.print()
        console.print(Text("\n".join(lines), style="bold"), soft_wrap=True)
        self.out.flush()

    def _table_for_person(
        self, columns: Sequence[Column], rows: list[Sequence[Cell]], *, bars: Sequence[Decimal | None], empty: str
    ) -> None:
        if not rows and empty:
            self.say(empty)
            return
        from .table import print_table

        cells = [
            [shown(cell, is_moment=column.moment) for cell, column in zip(row, columns, strict=True)] for row in rows
        ]
        print_table(self.console(), columns, cells, bars=bars)


class _NoBar:
    """The bar of a stream that nobody watches."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        """Nothing was drawn, so nothing is cleared."""

    def show(self, done: float, total: float | None, text: str) -> None:
        """Draw nothing."""

    def hidden(self) -> AbstractContextManager[None]:
        """Hide nothing."""
        return nullcontext()


def shown(cell: Cell, *, is_moment: bool = False) -> str:
    """Return a cell as a person reads it: thousands apart, every digit, `-` for nothing; a moment to the second, in UTC."""
    if is_moment and isinstance(cell, str) and len(cell) >= len("2026-11-01T10:00:00Z"):
        return printable(f"{cell[:10]} {cell[11:19]}")
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
