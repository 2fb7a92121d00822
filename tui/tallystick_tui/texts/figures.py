"""Figures: exact ones with thousands apart, and short ones for axes and tight cells.

Promises: `exact` loses no digit. `short` has three significant digits and says so by its unit (k, M, G, T).
"""

from __future__ import annotations

from decimal import Context, Decimal
from typing import Final

NOTHING: Final = "–"  # noqa: RUF001 - a dash is what stands for no figure
_WIDE: Final = Context(prec=76)
_STEPS: Final = ((10**12, "T"), (10**9, "G"), (10**6, "M"), (10**3, "k"))
_BYTES: Final = ((1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"))


def exact(figure: Decimal | int | None, unit: str | None = None) -> str:
    """Return every digit, thousands apart (1,204.5), with the unit behind it; a dash for no figure."""
    if figure is None:
        return NOTHING
    text = f"{figure:,f}" if isinstance(figure, Decimal) else f"{figure:,}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return f"{text} {unit}" if unit else text


def plain(figure: Decimal) -> str:
    """Return every digit as one types it: no thousands apart, no zeros at the end."""
    text = f"{figure:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def short(figure: Decimal | float | None) -> str:
    """Return about three digits: 987, 1.2k, 34.5k, 6M; a dash for no figure."""
    if figure is None:
        return NOTHING
    size = abs(float(figure))
    # 999,950 would be written 1000k: what rounds up to the next unit is written in it.
    for step, letter in _STEPS:
        if size >= step * 0.9995:
            return f"{_three_digits(float(figure) / step)}{letter}"
    return _three_digits(float(figure))


def rate(per_s: float) -> str:
    """Return a rate, such as 12.3k/s."""
    return f"{short(per_s)}/s"


def bytes_of(count: float) -> str:
    """Return a size in binary units."""
    for step, unit in _BYTES:
        if count >= step:
            return f"{_three_digits(count / step)} {unit}"
    return f"{count:.0f} B"


def percent(share: Decimal | float | None, *, signed: bool = False) -> str:
    """Return a percentage with one decimal; with `signed`, rises carry their plus."""
    if share is None:
        return NOTHING
    return f"{float(share):{'+' if signed else ''},.1f} %"


def change(previous: Decimal | float | None, present: Decimal | float | None) -> str:
    """Return by how much a figure rose or fell, in percent and with an arrow, so that colour is not the only sign."""
    if previous is None or present is None:
        return NOTHING
    if not previous:
        return "▲ new" if present else "="
    share = (float(present) - float(previous)) / abs(float(previous)) * 100
    arrow = "▲" if share > 0 else "▼" if share < 0 else "="
    return f"{arrow} {abs(share):,.1f} %" if share else arrow


def _three_digits(figure: float) -> str:
    size = abs(figure)
    decimals = 0 if size >= 100 or figure == int(figure) else 1 if size >= 10 else 2  # noqa: PLR2004 - by size
    text = f"{figure:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def rounded(figure: Decimal | int | None, unit: str | None = None, *, decimals: int = 3) -> str:
    """Return the figure with at most so many decimals, thousands apart; where that drops something, it says so by a leading ~."""
    if figure is None:
        return NOTHING
    exactly = Decimal(figure)
    near = exactly.quantize(Decimal(1).scaleb(-decimals), context=_WIDE)
    return exact(exactly, unit) if near == exactly else f"~{exact(near, unit)}"
