"""Figures in columns: exact at any size, though no column type is wide enough for every sum.

A figure is a whole number of units of 10^-12. One value has up to 38 digits of them, which is all that `Decimal(38, 12)` and Int128 can
hold, so a figure is kept as two Int128 columns: units = `high` * 10^18 + `low`. Sums of each part stay in range for 10^18 events.
Promises: where `low` lies in [0, 10^18), figures compare as their pairs (`high`, `low`) do, so columns can be sorted by them.
Why not `sum()` of decimals: above 38 digits Polars' in-memory engine wraps without a word, and its streaming engine raises; two
parts cost the same (10 M events, customer by day: 270 ms each).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from tallystick.amount import EXACT, SCALE

HIGH: Final = "high"
LOW: Final = "low"
LIMB: Final = 10**18
UNITS_PER_ONE: Final = 10**SCALE


def units_of(amount: pl.Expr) -> pl.Expr:
    """Return the units of a `Decimal(38, 12)` column, as Int128: its physical value."""
    return amount.to_physical()


def parts_of(units: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """Return the columns `high` and `low` of an Int128 expression of units."""
    return (units // LIMB).alias(HIGH), (units % LIMB).alias(LOW)


def carried(high: pl.Expr, low: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """Return the columns `high` and `low` with `low` brought back into [0, 10^18), after parts were added up."""
    return (high + low // LIMB).alias(HIGH), (low % LIMB).alias(LOW)


def divided(high: pl.Expr, low: pl.Expr, divisor: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """Return the columns `high` and `low` of a figure divided by a positive number below 2^63, rounded half-even to a whole unit.

    `low` lies in [0, 10^18). Long division, one part after the other: each step stays within 128 bits.
    """
    divisor = divisor.cast(pl.Int128)
    quotient_high = high // divisor
    rest = (high - quotient_high * divisor) * LIMB + low
    quotient_low = half_even(rest, divisor)
    return carried(quotient_high, quotient_low)


def half_even(dividend: pl.Expr, divisor: pl.Expr) -> pl.Expr:
    """Return the quotient of two Int128 columns, a tie rounded to the even neighbour; the divisor is positive and below 2^126."""
    quotient = dividend // divisor
    twice = (dividend - quotient * divisor) * 2
    is_up = (twice > divisor) | ((twice == divisor) & (quotient % 2 == 1))
    return quotient + is_up.cast(pl.Int128)


def figure(high: int | None, low: int | None) -> Decimal | None:
    """Return the exact decimal of two parts; None where there is no figure."""
    if high is None or low is None:
        return None
    units = high * LIMB + low
    whole, fraction = divmod(units, UNITS_PER_ONE)
    return Decimal(units).scaleb(-SCALE, EXACT) if fraction else Decimal(whole)


def parts_of_units(units: npt.NDArray[np.int64], scale: int) -> list[pl.Series]:
    """Return `HIGH` and `LOW` of whole numbers of a scale, `LOW` in [0, 10^18)."""
    limb = 10 ** (18 - SCALE + scale)
    if len(units) and units.min() >= 0 and units.max() < limb:  # mostly, and dividing takes longer than all the rest
        high, low = np.zeros(len(units), np.int64), units * 10 ** (SCALE - scale)
    else:
        high = units // limb
        low = (units - high * limb) * 10 ** (SCALE - scale)
    return [
        pl.Series(HIGH, high, dtype=pl.Int64).cast(pl.Int128),
        pl.Series(LOW, low, dtype=pl.Int64).cast(pl.Int128),
    ]


def figure_of(units: int, scale: int) -> Decimal | None:
    """Return the exact decimal of a whole number of units of 10^-scale."""
    return figure(*divmod(units * 10 ** (SCALE - scale), LIMB))
