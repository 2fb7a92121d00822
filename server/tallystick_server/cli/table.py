"""A table for a person, fitted to the width there is.

Promises: no figure is cut. Numbers and short texts are never broken, long texts are folded; where not even that fits, each row is
written as a list of its fields. Columns without anything in them are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from .bars import lying_bars

if TYPE_CHECKING:
    from rich.console import Console

    from .terminal import Column

# Texts up to this long stay in one piece.
_UNBROKEN_MAX: Final = 16
_FOLDED_MIN: Final = 10
_GAP: Final = 3
_BAR_MIN: Final = 8
_BAR_MAX: Final = 32


def print_table(
    console: Console, columns: Sequence[Column], rows: Sequence[Sequence[str]], *, bars: Sequence[Decimal | None] = ()
) -> None:
    """Print rows of cells that are text already, `-` where there is nothing; a bar beside each where there is room for it."""
    titles = [column.title for column in columns]
    kept = [at for at in range(len(titles)) if any(row[at] not in {"-", ""} for row in rows)] or list(
        range(len(titles))
    )
    longest = {at: max([len(titles[at]), *(len(row[at]) for row in rows)]) for at in kept}
    unbroken = {at for at in kept if columns[at].numeric or columns[at].moment or longest[at] <= _UNBROKEN_MAX}
    needed = sum(longest[at] if at in unbroken else _FOLDED_MIN for at in kept) + _GAP * (len(kept) - 1)
    if needed > console.width:
        _print_records(console, [titles[at] for at in kept], [[row[at] for at in kept] for row in rows])
        return

    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for at in kept:
        justify = "right" if columns[at].numeric else "left"
        table.add_column(titles[at], justify=justify, no_wrap=at in unbroken, overflow="fold")
    room = min(console.width - needed - _GAP, _BAR_MAX)
    drawn = lying_bars(bars, room) if len(bars) == len(rows) > 1 and room >= _BAR_MIN else [""] * len(rows)
    if any(drawn):
        table.add_column("", no_wrap=True)
    for row, bar in zip(rows, drawn, strict=True):
        beside = [Text(bar, style="cyan")] if any(drawn) else []
        table.add_row(*(Text(row[at]) for at in kept), *beside)
    console.print(table)


def _print_records(console: Console, titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.text import Text

    width = max(len(title) for title in titles)
    for row in rows:
        console.print()
        for title, cell in zip(titles, row, strict=True):
            console.print(Text.assemble((f"{title:<{width}}  ", "bold"), cell), soft_wrap=True)
