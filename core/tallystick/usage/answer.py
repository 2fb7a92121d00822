"""A usage answer: rows by group and window, and totals that are aggregated over the range rather than added up.

Rows and totals are kept as columns, 50 bytes a row, and look like sequences: a row is made when somebody asks for it. A million rows
would take a gigabyte as objects, and seconds of Python's lock to make them.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Final, TypeVar, cast, overload

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl

from tallystick.amount import EXACT, SCALE
from tallystick.instant import Instant

from .aggregators import EVENTS
from .counted_events import WINDOW
from .figure import HIGH, LOW, figure
from .figure_table import PREVIOUS_HIGH, PREVIOUS_LOW
from .question import UsageQuestion

PLACE: Final = "place"
PERCENT_SCALE: Final = 4

# How much is made of an answer at a time, as objects or as text: a megabyte or two.
ROWS_AT_ONCE: Final = 10_000
T = TypeVar("T")


class Comparison(msgspec.Struct, frozen=True):
    """A figure beside that of the period before.

    `change` is exact, None where one of the two is no figure. `change_percent` is the change by the size of the previous figure, rounded
    half-even to `PERCENT_SCALE` decimals; None where that is 0, since no percentage says what came of nothing.
    """

    previous: Decimal | None
    change: Decimal | None
    change_percent: Decimal | None


class UsageRow(msgspec.Struct, frozen=True):
    """One window of one group; `value` is None where the aggregation has no figure (the smallest of nothing)."""

    start: Instant
    end: Instant
    group: dict[str, str | None]
    value: Decimal | None
    events: int
    compared: Comparison | None = None


class UsageTotal(msgspec.Struct, frozen=True):
    """One group over the whole range."""

    group: dict[str, str | None]
    value: Decimal | None
    events: int
    compared: Comparison | None = None


class _Figures(Sequence[T]):
    """Objects made from columns on demand; equal to any sequence of equal objects.

    A few objects may be there first, as `few`: then it is the columns that are made on demand.
    """

    def __init__(self, table: pl.DataFrame | Callable[[], pl.DataFrame], few: Sequence[T] | None = None) -> None:
        self._table, self._few = table, few

    @property
    def table(self) -> pl.DataFrame:
        """Return the columns."""
        if not isinstance(self._table, pl.DataFrame):
            self._table = self._table()
        return self._table

    def __len__(self) -> int:
        return self.table.height if self._few is None else len(self._few)

    @overload
    def __getitem__(self, place: int) -> T: ...
    @overload
    def __getitem__(self, place: slice) -> list[T]: ...
    def __getitem__(self, place: int | slice) -> T | list[T]:
        if isinstance(place, slice):
            return self._made(self.table[place])
        if not -len(self) <= place < len(self):
            raise IndexError(place)
        return self._made(self.table.slice(place % len(self), 1))[0]

    def __iter__(self) -> Iterator[T]:
        if self._few is not None:
            yield from self._few
            return
        for piece in self.pieces(ROWS_AT_ONCE):
            yield from self._made(piece)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(cast("Sequence[object]", other))

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(list(self))

    def pieces(self, size: int) -> Iterator[pl.DataFrame]:
        """Yield the columns, `size` rows at a time."""
        for start in range(0, self.table.height, size):
            yield self.table.slice(start, size)

    @abstractmethod
    def _made(self, piece: pl.DataFrame) -> list[T]: ...


class UsageTotals(_Figures[UsageTotal]):
    """Totals in the order of the groups.

    Columns: a text for each name in `names`, `EVENTS`, `HIGH`, `LOW`, and where it is compared those of the period before.
    """

    def __init__(
        self,
        table: pl.DataFrame | Callable[[], pl.DataFrame],
        names: Sequence[str],
        columns: Sequence[str],
        few: Sequence[UsageTotal] | None = None,
    ) -> None:
        super().__init__(table, few)
        self.names, self.columns = tuple(names), list(columns)

    def groups(self, places: pl.Series | None = None) -> list[dict[str, str | None]]:
        """Return the groups at these places, or all of them."""
        table = self.table if places is None else self.table[places]
        if not self.names:
            return [{} for _ in range(table.height)]
        texts = (table[column].to_list() for column in self.columns)
        return [dict(zip(self.names, group, strict=True)) for group in zip(*texts, strict=True)]

    def _made(self, piece: pl.DataFrame) -> list[UsageTotal]:
        groups = UsageTotals(piece, self.names, self.columns).groups()
        return [UsageTotal(group, *read) for group, read in zip(groups, _read(piece), strict=True)]


class UsageRows(_Figures[UsageRow]):
    """Rows by group, then start.

    Columns: the `PLACE` of the group among the totals, `WINDOW`, `EVENTS`, `HIGH`, `LOW`, and where it is compared the previous ones.
    """

    def __init__(
        self,
        table: pl.DataFrame | Callable[[], pl.DataFrame],
        edges: npt.NDArray[np.int64],
        totals: UsageTotals,
        few: Sequence[UsageRow] | None = None,
    ) -> None:
        super().__init__(table, few)
        self.edges, self.totals = edges, totals

    def _made(self, piece: pl.DataFrame) -> list[UsageRow]:
        places = piece[PLACE]
        if len(self.totals) <= len(piece):
            # Choosing some of them hands work to Polars' threads, and waits for its turn there.
            groups = dict(enumerate(self.totals.groups()))
        else:
            distinct = places.unique(maintain_order=True)
            groups = dict(zip(distinct.to_list(), self.totals.groups(distinct), strict=True))
        windows = piece[WINDOW].to_numpy()
        starts: list[int] = self.edges[windows].tolist()
        ends: list[int] = self.edges[windows + 1].tolist()
        return [
            UsageRow(Instant(start), Instant(end), groups[place], *read)
            for start, end, place, read in zip(starts, ends, places.to_list(), _read(piece), strict=True)
        ]


class UsageAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Rows ordered by group, then start; totals in the order of the groups. `previous` is the range it is compared with."""

    meter: str
    meter_version: int
    question: UsageQuestion
    rows: UsageRows
    totals: UsageTotals
    previous: tuple[Instant, Instant] | None = None


def compared(value: Decimal | None, previous: Decimal | None) -> Comparison:
    """Return the comparison of a figure with that of the period before."""
    if value is None or previous is None:
        return Comparison(previous, None, None)
    change = EXACT.subtract(value, previous)
    if not previous:
        return Comparison(previous, change, None)
    numerator, denominator = (
        int(change.scaleb(SCALE + 2 + PERCENT_SCALE, EXACT)),
        int(previous.copy_abs().scaleb(SCALE, EXACT)),
    )
    return Comparison(previous, change, Decimal(_half_even(numerator, denominator)).scaleb(-PERCENT_SCALE, EXACT))


def _half_even(numerator: int, denominator: int) -> int:
    quotient, rest = divmod(numerator, denominator)
    if 2 * rest > denominator or (2 * rest == denominator and quotient % 2):
        return quotient + 1
    return quotient


def _read(piece: pl.DataFrame) -> Iterator[tuple[Decimal | None, int, Comparison | None]]:
    values = map(figure, piece[HIGH].to_list(), piece[LOW].to_list())
    events: list[int] = piece[EVENTS].to_list()
    if PREVIOUS_HIGH not in piece.columns:
        return ((value, count, None) for value, count in zip(values, events, strict=True))
    before = map(figure, piece[PREVIOUS_HIGH].to_list(), piece[PREVIOUS_LOW].to_list())
    return ((value, count, compared(value, was)) for value, count, was in zip(values, events, before, strict=True))
