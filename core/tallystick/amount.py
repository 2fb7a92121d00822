"""Exact decimal amounts: at most 26 digits before the point and 12 after it, never a float on the way.

Everywhere between the door and the answer an amount is either its canonical text (`1.5`, never `1.50`, `+1.5` or
`15e-1`; zero is `0`) or a `Decimal` made from it. `Decimal` arithmetic rounds to 28 digits by default, so sums are made in
`EXACT`, a context wide enough for 10^18 addends of the widest amount.
More than 12 decimals are rounded half-even at the door: float noise is everyday input. More than 26 digits before the
point are refused.
"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Final

INTEGER_DIGITS_MAX: Final = 26
SCALE: Final = 12
EXACT: Final = Context(prec=76, rounding=ROUND_HALF_EVEN, Emin=-999_999, Emax=999_999)

_QUANTUM: Final = Decimal(1).scaleb(-SCALE)
# What JSON calls a number; also the only texts that count as one inside a string, so that "1_000", " 1", "NaN" and other
# scripts' digits do not.
NUMBER_PATTERN: Final = r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
_NUMBER: Final = re.compile(NUMBER_PATTERN, re.ASCII)
_CANONICAL_SHORT: Final = re.compile(r"(?:0|-?[1-9][0-9]{0,25})(?:\.[0-9]{0,11}[1-9])?", re.ASCII)
# Exponents past this are decided by their sign alone: int() and formatting of 1e999999999 would take gigabytes.
_EXPONENT_MAX: Final = 5_000


class InvalidAmount(ValueError):
    """A text that is no decimal number at all."""


class AmountOutOfRange(ValueError):
    """A number with more than 26 digits before the point."""


def canonical_amount(text: str) -> str:
    """Return the canonical text of a decimal number, rounded half-even to 12 decimals.

    Raises `InvalidAmount` for what is no JSON number, `AmountOutOfRange` for more than 26 digits before the point.
    """
    if _CANONICAL_SHORT.fullmatch(text):
        return text
    if len(text) > 4_096 or not _NUMBER.fullmatch(text):  # noqa: PLR2004 - no honest number is longer
        raise InvalidAmount(f"{text[:40]!a} is not a decimal number")
    mantissa, _, exponent_text = text.replace("E", "e").partition("e")
    if exponent_text:
        # Leading zeros are cut before the digits are, or 1e0000000000009999999 would pass for a small exponent.
        digits = exponent_text.lstrip("+-").lstrip("0")[:8] or "0"
        exponent = -int(digits) if exponent_text.startswith("-") else int(digits)
        if not mantissa.strip("-0."):
            return "0"
        if exponent > _EXPONENT_MAX:
            raise AmountOutOfRange(f"{text[:40]!a} has more than {INTEGER_DIGITS_MAX} digits before the point")
        if exponent < -_EXPONENT_MAX:
            return "0"
    return format_amount(Decimal(text))


def format_amount(value: Decimal) -> str:
    """Return the canonical text of a finite decimal, rounded half-even to 12 decimals. Raises `AmountOutOfRange`."""
    if value.adjusted() >= INTEGER_DIGITS_MAX and value:
        raise AmountOutOfRange(f"the number has more than {INTEGER_DIGITS_MAX} digits before the point")
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -SCALE:
        value = value.quantize(_QUANTUM, context=_WIDE)
        if value.adjusted() >= INTEGER_DIGITS_MAX and value:
            raise AmountOutOfRange(f"the number has more than {INTEGER_DIGITS_MAX} digits before the point")
    return plain(value)


def plain(value: Decimal) -> str:
    """Return all digits of a finite decimal without exponent and without trailing zeros, whatever its size."""
    text = f"{value:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text


# Wide enough to round a number of 4,096 characters without an InvalidOperation.
_WIDE: Final = Context(prec=10_000, rounding=ROUND_HALF_EVEN)
