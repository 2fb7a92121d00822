"""A ladder: the thresholds of many signals over one figure, in order, so that one look tells where all of them stand.

A figure is at a height: how many rungs it is past. A signal's level follows from the height, since its own rungs are among them in order.
So a figure that is at the height at which it was last seen moves no signal, however many watch it, and one that climbed concerns only
those whose rungs lie between. That is what makes the cost follow what changed.
Everything is whole units of 10^-12, so that "more than 5" is "at least 5 and a unit" and every rung is passed from below; a threshold
from above (`<=`) is a rung on the ladder of the negated figure.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Final

import msgspec
import polars as pl

from tallystick.amount import EXACT, SCALE
from tallystick.usage.figure import LIMB, figure

# What a column of 128 bits holds with room to spare; thresholds have 26 digits before the point, so that few are past it.
UNITS_MAX: Final = 10**38


class Rung(msgspec.Struct, frozen=True, order=True):
    """From `units` on, `signal` is at `level` or higher."""

    units: int
    signal: str
    level: int


class Move(msgspec.Struct, frozen=True):
    """A signal whose level is another than before."""

    signal: str
    before: int
    after: int


class Ladder:
    """Rungs in order; height `h` is past the first `h` of them. For one signal, a higher level has a higher or the same rung."""

    def __init__(self, rungs: Iterable[Rung]) -> None:
        self._rungs = sorted(rungs)
        self._units = [rung.units for rung in self._rungs]
        self._is_wide = any(abs(units) > UNITS_MAX for units in self._units)
        self._column = None if self._is_wide else pl.Series(self._units, dtype=pl.Int128)

    def __len__(self) -> int:
        return len(self._rungs)

    def heights(self, units: Sequence[int | None]) -> pl.Series:
        """Return the height of each figure; 0 where there is no figure."""
        if self._column is None:
            return pl.Series([self.height(each) for each in units], dtype=pl.Int32)
        return self.heights_of(pl.Series([within_column(each) for each in units], dtype=pl.Int128))

    def heights_of(self, units: pl.Series) -> pl.Series:
        """Return the height of each figure of an Int128 column that holds every one of them, or those that are clipped at `UNITS_MAX`."""
        if self._column is None:
            return self.heights(units.to_list())
        found = self._column.search_sorted(units, side="right").cast(pl.Int32)
        return pl.select(pl.when(units.is_null()).then(0).otherwise(found).cast(pl.Int32)).to_series()

    def height(self, units: int | None) -> int:
        """Return the height of one figure."""
        return 0 if units is None else bisect_right(self._units, units)

    @property
    def units(self) -> Sequence[int]:
        """The rungs' units, ascending."""
        return self._units

    @property
    def is_wide(self) -> bool:
        """Whether some rung is past what columns hold, so that figures have to be whole Python numbers."""
        return self._is_wide

    def next_units(self, height: int) -> int | None:
        """Return the figure at which the next rung is passed; None at the top."""
        return self._units[height] if height < len(self._units) else None

    def levels(self, height: int) -> dict[str, int]:
        """Return the signals that are above level 0 at the height."""
        return {rung.signal: rung.level for rung in self._rungs[:height]}

    def moves(self, before: int, after: int) -> Iterator[Move]:
        """Yield what goes from one height to another; costs the rungs between."""
        if after > before:
            first: dict[str, int] = {}
            last: dict[str, int] = {}
            for rung in self._rungs[before:after]:
                first.setdefault(rung.signal, rung.level)
                last[rung.signal] = rung.level
            for signal, level in last.items():
                yield Move(signal, first[signal] - 1, level)
        elif after < before:
            for move in self.moves(after, before):
                yield Move(move.signal, move.after, move.before)

    def moves_from(self, levels: Mapping[str, int], after: int) -> Iterator[Move]:
        """Yield what goes from levels that need not be those of any height, as a crash between two commits leaves them."""
        wanted = self.levels(after)
        for signal in {**levels, **wanted}:
            if levels.get(signal, 0) != wanted.get(signal, 0):
                yield Move(signal, levels.get(signal, 0), wanted.get(signal, 0))


def within_column(units: int | None) -> int | None:
    """Return a figure as a column holds it: past `UNITS_MAX` it is past every rung that is not past it itself."""
    return None if units is None else max(-UNITS_MAX - 1, min(units, UNITS_MAX + 1))


def units_from(threshold: Decimal, *, is_passed_at: bool) -> int:
    """Return the least whole units that are at (`is_passed_at`) or only past the threshold."""
    exact = threshold.scaleb(SCALE, EXACT)
    if is_passed_at:
        return int(exact.to_integral_value(ROUND_CEILING, EXACT))
    return int(exact.to_integral_value(ROUND_FLOOR, EXACT)) + 1


def units_down_from(threshold: Decimal, *, is_passed_at: bool) -> int:
    """Return the least whole units of the negated figure at which the figure is at or only below the threshold."""
    return units_from(threshold.copy_negate(), is_passed_at=is_passed_at)


def amount_of(units: int) -> Decimal:
    """Return the exact decimal of whole units."""
    exact = figure(*divmod(units, LIMB))
    assert exact is not None  # noqa: S101 - both parts are there
    return exact
