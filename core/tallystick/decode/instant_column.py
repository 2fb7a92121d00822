"""Times of many events at once: RFC 3339 texts to a column of nanoseconds.

Promises: what it answers is what `parse_instant` answers for each text. Does not: say what is wrong with a text. Anything but the
plain spellings (upper-case `T`, at most nine fractional digits, one offset for all texts of one length) is left to `parse_instant`
one by one, and None is the answer if that refuses any of them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from tallystick.instant import LATEST, NS_PER_MS, NS_PER_S, InvalidInstant, parse_instant

# Below this, a dozen calls into numpy cost more than parsing one by one.
_VECTOR_MIN: Final = 6
_MS_MAX: Final = LATEST // NS_PER_MS - 1
# Two times have the same shape if they differ in digits alone.
_DIGITS: Final = bytes.maketrans(b"123456789", b"000000000")
_SHAPE: Final = re.compile(rb"(0000-00-00T00:00:00(?:\.(0{1,9}))?)(Z|[+-]00:00)")
_OFFSET: Final = re.compile(rb"([+-])([01][0-9]|2[0-3]):([0-5][0-9])")
# Texts are compared with these, not numbers: all have four digits and a hyphen there.
_YEAR_FIRST: Final = "1970-"
_YEAR_LAST: Final = "2262-"
_MICROSECOND_DIGITS: Final = 6


class _Layout(NamedTuple):
    """How times of one shape lie in memory: where the text up to the zone stands, and the zone, and what unit holds all digits."""

    rows: np.dtype[np.void]
    unit: str
    ns_per_unit: int
    has_offset: bool


def instants_of_texts(texts: list[str]) -> npt.NDArray[np.int64] | None:
    """Return nanoseconds, one for each text, or None if one of them names no instant from 1970 to 2261."""
    if len(texts) < _VECTOR_MIN:
        return _one_by_one(texts)
    lengths = set(map(len, texts))
    if len(lengths) == 1:
        return _of_one_length(texts, lengths.pop())
    instants = np.empty(len(texts), np.int64)
    length_of_each = np.fromiter(map(len, texts), np.int64, len(texts))
    for length in lengths:
        rows = np.flatnonzero(length_of_each == length)
        same_length = [texts[row] for row in rows.tolist()]
        found = _one_by_one(same_length) if len(rows) < _VECTOR_MIN else _of_one_length(same_length, length)
        if found is None:
            return None
        instants[rows] = found
    return instants


def instants_of_milliseconds(milliseconds: Sequence[int]) -> npt.NDArray[np.int64] | None:
    """Return nanoseconds, one for each number, or None if one of them lies outside 1970 to 2261."""
    if min(milliseconds) < 0 or max(milliseconds) > _MS_MAX:
        return None
    return np.array(milliseconds, np.int64) * NS_PER_MS


def _one_by_one(texts: list[str]) -> npt.NDArray[np.int64] | None:
    try:
        return np.array([parse_instant(text) for text in texts], np.int64)
    except InvalidInstant:
        return None


def _of_one_length(texts: list[str], length: int) -> npt.NDArray[np.int64] | None:
    """As `instants_of_texts`, for texts of one length."""
    joined = "".join(texts)
    characters = joined.encode()
    shapes = characters.translate(_DIGITS)
    layout = _layout(shapes[:length]) if len(characters) == len(joined) else None
    if layout is None or shapes != shapes[:length] * len(texts):
        return _one_by_one(texts)
    rows = np.frombuffer(characters, layout.rows)
    offset_ns = _offset_ns(rows["zone"]) if layout.has_offset else 0
    # Nanoseconds would wrap outside of these years; coarser units hold any year of four digits, and are checked afterwards.
    wraps = layout.ns_per_unit == 1 and (min(texts) < _YEAR_FIRST or max(texts) > _YEAR_LAST)
    if offset_ns is None or wraps:
        return _one_by_one(texts)
    try:
        # numpy knows the calendar, and keeps every digit.
        moments = rows["time"].astype(layout.unit).view(np.int64)
    except ValueError:
        return _one_by_one(texts)
    first, last = (
        int(moments.min()) * layout.ns_per_unit - offset_ns,
        int(moments.max()) * layout.ns_per_unit - offset_ns,
    )
    if first < 0 or last >= LATEST:
        return None
    instants = moments * layout.ns_per_unit if layout.ns_per_unit > 1 else moments
    return instants - offset_ns if offset_ns else instants


@lru_cache(maxsize=64)
def _layout(shape: bytes) -> _Layout | None:
    """Return how times of this shape lie in memory, or None if it is no plain one."""
    match = _SHAPE.fullmatch(shape)
    if match is None:
        return None
    time, fraction, zone = match.groups()
    is_coarse = len(fraction or b"") <= _MICROSECOND_DIGITS
    return _Layout(
        rows=np.dtype([("time", f"S{len(time)}"), ("zone", f"S{len(zone)}")]),
        unit="M8[us]" if is_coarse else "M8[ns]",
        ns_per_unit=1_000 if is_coarse else 1,
        has_offset=zone != b"Z",
    )


def _offset_ns(zones: npt.NDArray[np.bytes_]) -> int | None:
    """Return the offset that all texts end with in nanoseconds; None if they differ or it is none."""
    match = _OFFSET.fullmatch(bytes(zones[0]))
    if match is None or not (zones == zones[0]).all():
        return None
    sign, hours, minutes = match.groups()
    offset_ns = (int(hours) * 3_600 + int(minutes) * 60) * NS_PER_S
    return -offset_ns if sign == b"-" else offset_ns
