"""A chart of columns in text: how figures share its columns, the scale at its side, and the line below.

Promises: as wide as there is room for and no wider; every chart of one layout is to the same scale, with its largest figure and the zero
written at the side. Where there are more figures than columns, several share one, and the largest of them is drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Final, Self, TypeVar

import msgspec

from .bars import standing_bars

if TYPE_CHECKING:
    from rich.console import Console

_COLUMN_MAX: Final = 6
_ROOM_MIN: Final = 10

T = TypeVar("T")


class ColumnChart(msgspec.Struct, frozen=True, kw_only=True):
    """A layout: what lies between `top` and `bottom`, whose labels are those two, and `share` figures to a column that is `wide`."""

    top: Decimal
    bottom: Decimal
    labels: tuple[str, str]
    share: int
    wide: int
    columns: int

    @classmethod
    def of(
        cls, figures: Sequence[Decimal | None], *, count: int, console: Console, label: Callable[[Decimal], str]
    ) -> Self:
        """Return the layout that holds all the figures, in charts of at most `count` of them."""
        known = [Decimal(0), *(figure for figure in figures if figure is not None)]
        top, bottom = max(known), min(known)
        labels = (label(top), label(bottom) if bottom else "0")
        room = max(console.width - max(map(len, labels)) - 2, _ROOM_MIN)
        share = -(-count // room)
        columns = -(-count // share)
        wide = max(min(room // columns, _COLUMN_MAX), 1)
        return cls(top=top, bottom=bottom, labels=labels, share=share, wide=wide, columns=columns)

    @property
    def margin(self) -> int:
        """How many cells the labels take."""
        return max(map(len, self.labels))

    @property
    def width(self) -> int:
        """How many cells the columns take."""
        return self.columns * self.wide

    def pieces(self, things: Sequence[T]) -> list[Sequence[T]]:
        """Return what shares each column."""
        return [things[start : start + self.share] for start in range(0, len(things), self.share)]

    def draw(
        self, console: Console, title: str, figures: Sequence[Decimal | None], *, height: int, colour: str
    ) -> None:
        """Print a title and the columns."""
        from rich.text import Text

        console.print()
        console.print(Text(title, style="bold"), soft_wrap=True)
        values = [_largest(piece) for piece in self.pieces(figures)]
        for number, line in enumerate(standing_bars(values, top=self.top, bottom=self.bottom, height=height)):
            label = self.labels[0] if number == 0 else self.labels[1] if number == height - 1 else ""
            side = [(f"{label:>{self.margin}} ", "dim"), ("┤" if label else "│", "dim")]
            console.print(Text.assemble(*side, (_widened(line, self.wide), colour)), soft_wrap=True)

    def draw_base(self, console: Console) -> None:
        """Print the line below the columns."""
        console.print(f"{' ' * self.margin} └{'─' * self.width}", style="dim", soft_wrap=True)

    def draw_below(self, console: Console, text: str, *, style: str = "dim") -> None:
        """Print a line of words or marks under the columns."""
        from rich.text import Text

        console.print(Text(f"{' ' * (self.margin + 2)}{text}", style=style), soft_wrap=True)


def _largest(figures: Sequence[Decimal | None]) -> Decimal | None:
    return max((figure for figure in figures if figure is not None), key=abs, default=None)


def _widened(line: str, wide: int) -> str:
    """Return the line with each cell so wide, a gap between two columns where there is room for one."""
    return (line if wide == 1 else "".join(cell * (wide - 1) + " " for cell in line)).rstrip()
