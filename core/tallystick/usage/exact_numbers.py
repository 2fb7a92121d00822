"""Whole numbers in an array, exact at any size: 64-bit where they provably fit, Python's own otherwise.

NumPy has no 128-bit integers, and what is done with levels (running sums, extremes of stretches) is quick on 64 bits. Amounts of everyday
sizes fit once the zeros they all end in are taken off: a count of requests is kept as requests, not as 10^-12 of them. For the others
the same code runs on arrays of Python integers, 20 times slower and without a limit.
Promises: no rounding, no silent overflow: `bound` is checked before, so that sums of whatever size up to it are right. Sums over
more than that may wrap on the way (64-bit arithmetic is modular), as long as the difference that is used fits again.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl

from .figure import HIGH, LIMB, LOW, UNITS_PER_ONE, parts_of

Numbers = npt.NDArray[Any]  # Any: int64 or object, by size

# Room for a difference of two numbers within the bound, with a bit to spare.
BOUND_MAX: Final = 2**61
_POWERS: Final[tuple[int, ...]] = (12, 9, 6, 3)
_HIGH_MAX: Final = 10**19


class ExactNumbers(msgspec.Struct, frozen=True, eq=False):
    """An array of whole numbers of `unit` units each; see `figure` for units."""

    numbers: Numbers
    unit: int


def exact_numbers(figures: pl.DataFrame, *, addends_max: int | None = None) -> ExactNumbers:
    """Return the figures (`high`, and `low` in [0, 10^18)) as an array that takes any sum of them.

    `addends_max` says that no more than so many of them are ever added up; None: each of them may be.
    """
    if figures.is_empty():
        return ExactNumbers(np.empty(0, np.int64), UNITS_PER_ONE)
    if not _is_below(figures[HIGH], _HIGH_MAX):
        return _wide(figures)
    units = figures.select(pl.col(HIGH) * LIMB + pl.col(LOW)).to_series()
    unit = _common_unit(units)
    numbers = units.to_frame().select(pl.first() // unit).to_series()
    addends_max = len(numbers) if addends_max is None else addends_max
    if not _is_below(numbers, BOUND_MAX // addends_max):
        return _wide(figures)
    return ExactNumbers(numbers.cast(pl.Int64).to_numpy(), unit)


def parts_of_numbers(numbers: Numbers, unit: int) -> tuple[pl.Series, pl.Series]:
    """Return numbers of `unit` units each as the columns `high` and `low`."""
    if numbers.dtype != np.object_:
        return parts_of_units(pl.Series(numbers).cast(pl.Int128), unit)
    pairs = [divmod(int(number) * unit, LIMB) for number in numbers.tolist()]
    return (
        pl.Series(HIGH, [high for high, _ in pairs], dtype=pl.Int128),
        pl.Series(LOW, [low for _, low in pairs], dtype=pl.Int128),
    )


def parts_of_units(numbers: pl.Series, unit: int) -> tuple[pl.Series, pl.Series]:
    """Return Int128 numbers of `unit` units each as the columns `high` and `low`."""
    parts = numbers.to_frame().select(*parts_of(pl.first() * unit))
    return parts[HIGH], parts[LOW]


def _is_below(numbers: pl.Series, limit: int) -> bool:
    largest, smallest = numbers.max(), numbers.min()
    return isinstance(largest, int) and isinstance(smallest, int) and max(largest, -smallest) < limit


def _common_unit(units: pl.Series) -> int:
    for power in _POWERS:
        if not units.to_frame().select((pl.first() % 10**power != 0).any()).item():
            return 10**power
    return 1


def _wide(figures: pl.DataFrame) -> ExactNumbers:
    pairs = zip(figures[HIGH].to_list(), figures[LOW].to_list(), strict=True)
    return ExactNumbers(np.array([high * LIMB + low for high, low in pairs], dtype=object), 1)
