"""Figures, changes and times as texts, whole columns at once: what an answer of a million rows is written with.

Promises: the texts are those of `amount.plain` and `instant.format_instant`, and a comparison is that of `answer.compared`, digit for digit
(a test compares both ways); null where there is no figure. Costs about a microsecond a row, without Python's lock. A few rows, and figures
of 10^19 and more, go through Python one by one, which takes no time to set out.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from tallystick.amount import SCALE, plain
from tallystick.instant import NS_PER_S, format_instant

from .aggregators import EVENTS
from .answer import PERCENT_SCALE, compared
from .figure import HIGH, LIMB, LOW, figure
from .figure_table import PREVIOUS_HIGH, PREVIOUS_LOW

VALUE: Final = "value"
PREVIOUS: Final = "previous"
CHANGE: Final = "change"
CHANGE_PERCENT: Final = "change_percent"
COMPARED: Final = (PREVIOUS, CHANGE, CHANGE_PERCENT)

# Setting out a column costs a millisecond, a row by itself five microseconds.
FEW_MAX: Final = 200
# Below it units are under 10^31: a change times 10^6, twice that for rounding, stays under the 1.7 * 10^38 of Int128.
_HIGH_MAX: Final = 10**13
_PERCENT_UNITS: Final = 10 ** (2 + PERCENT_SCALE)


def figure_texts(piece: pl.DataFrame, *, few_max: int = FEW_MAX) -> pl.DataFrame:
    """Return `VALUE` and `EVENTS`, and where a period before is beside it the columns of `COMPARED`, all as texts."""
    is_compared = PREVIOUS_HIGH in piece.columns
    highs = [HIGH, PREVIOUS_HIGH] if is_compared else [HIGH]
    if piece.height <= few_max or _is_wide(piece, highs):
        return _one_by_one(piece, is_compared=is_compared)
    value = pl.col(HIGH) * LIMB + pl.col(LOW)
    texts = [_decimal_text(value, SCALE).alias(VALUE), pl.col(EVENTS).cast(pl.String)]
    if is_compared:
        previous = pl.col(PREVIOUS_HIGH) * LIMB + pl.col(PREVIOUS_LOW)
        change = value - previous
        percent = pl.when(previous != 0).then(_half_even(change * _PERCENT_UNITS, previous.abs()))
        texts += [
            _decimal_text(previous, SCALE).alias(PREVIOUS),
            _decimal_text(change, SCALE).alias(CHANGE),
            _decimal_text(percent, PERCENT_SCALE).alias(CHANGE_PERCENT),
        ]
    return piece.select(texts)


def instant_texts(instants: pl.Series, *, few_max: int = FEW_MAX) -> pl.Series:
    """Return RFC 3339 in UTC with as few fractional digits as are exact: 0, 3, 6 or 9."""
    if len(instants) <= few_max:
        return pl.Series([format_instant(instant) for instant in instants.to_list()], dtype=pl.String)
    seconds = pl.from_epoch(pl.col("at") // NS_PER_S, time_unit="s").dt.to_string("%Y-%m-%dT%H:%M:%S")
    digits = (pl.col("at") % NS_PER_S).cast(pl.String).str.zfill(9)
    fraction = digits.str.replace("(?:000){1,3}$", "")
    point = pl.when(fraction == "").then(pl.lit("")).otherwise(pl.lit("."))
    return pl.DataFrame({"at": instants}).select(pl.concat_str(seconds, point, fraction, pl.lit("Z"))).to_series()


def _is_wide(piece: pl.DataFrame, highs: list[str]) -> bool:
    largest = piece.select(pl.max_horizontal(pl.col(name).abs().max() for name in highs)).item()
    return largest is not None and largest >= _HIGH_MAX


def _decimal_text(units: pl.Expr, scale: int) -> pl.Expr:
    """Return the plain text of a number of units of 10^-scale."""
    size = units.abs()
    fraction = (size % 10**scale).cast(pl.Int64)
    decimals = fraction.cast(pl.String).str.zfill(scale).str.strip_chars_end("0")
    return pl.concat_str(
        pl.when(units < 0).then(pl.lit("-")).otherwise(pl.lit("")),
        (size // 10**scale).cast(pl.String),
        pl.when(fraction == 0).then(pl.lit("")).otherwise(pl.concat_str(pl.lit("."), decimals)),
    )


def _half_even(numerator: pl.Expr, denominator: pl.Expr) -> pl.Expr:
    quotient = numerator // denominator
    rest = numerator - quotient * denominator
    is_up = (2 * rest > denominator) | ((2 * rest == denominator) & (quotient % 2 == 1))
    return quotient + is_up.cast(pl.Int128)


def _one_by_one(piece: pl.DataFrame, *, is_compared: bool) -> pl.DataFrame:
    values = [figure(high, low) for high, low in piece.select(HIGH, LOW).iter_rows()]
    columns = {VALUE: [None if value is None else plain(value) for value in values]}
    columns[EVENTS] = [str(count) for count in piece[EVENTS]]
    if is_compared:
        befores = [figure(high, low) for high, low in piece.select(PREVIOUS_HIGH, PREVIOUS_LOW).iter_rows()]
        found = [compared(value, before) for value, before in zip(values, befores, strict=True)]
        for name in COMPARED:
            numbers = (getattr(each, name) for each in found)
            columns[name] = [None if number is None else plain(number) for number in numbers]
    return pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))
