"""Times of many events at once: RFC 3339 texts to a column of nanoseconds.

Promises: what it answers is what `parse_instant` answers for each text. Does not: say what is wrong with a text. Anything but the
plain spellings (upper-case `T`, at most nine fractional digits, one offset for all texts of one length) is left to `parse_instant`
one by one, and None is the answer if that refuses any of them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from tallystick.instant import LATEST, NS_PER_MS, NS_PER_S, InvalidInstant, parse_instant

# Below this, a dozen calls into numpy cost more than parsing one by one.
_VECTOR_MIN: Final = 12
_SECONDS_LENGTH: Final = len("2026-11-01T10:00:00")
_FRACTION_DIGITS_MAX: Final = 9
_PUNCTUATION: Final = ((4, "-"), (7, "-"), (10, "T"), (13, ":"), (16, ":"), (_SECONDS_LENGTH, "."))
_PUNCTUATION_PLACES: Final = frozenset(place for place, _ in _PUNCTUATION)
_OFFSET: Final = re.compile(r"([+-])([01][0-9]|2[0-3]):([0-5][0-9])", re.ASCII)
# Texts are compared with these, not numbers: all have four digits and a hyphen there.
_YEAR_FIRST: Final = "1970-"
_YEAR_LAST: Final = "2262-"
_MS_MAX: Final = LATEST // NS_PER_MS - 1


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
    if length <= _SECONDS_LENGTH or not joined.isascii():
        return _one_by_one(texts)
    characters = np.frombuffer(joined.encode(), np.uint8).reshape(-1, length)
    # Turned so that each character of the time is one contiguous row.
    rows = np.ascontiguousarray(characters.T)
    zone = _zone(texts[0], rows)
    if zone is None:
        return _one_by_one(texts)
    offset_ns, zone_length = zone
    end = length - zone_length
    if not _is_plain(rows, end) or min(texts) < _YEAR_FIRST or max(texts) > _YEAR_LAST:
        return _one_by_one(texts)
    try:
        # numpy knows the calendar and keeps nanoseconds exactly; the years it would wrap were ruled out above.
        moments = np.ascontiguousarray(characters[:, :end]).view(f"S{end}").ravel().astype("M8[ns]")
    except ValueError:
        return _one_by_one(texts)
    instants = moments.view(np.int64) - offset_ns
    return instants if instants.min() >= 0 and instants.max() < LATEST else None


def _zone(first: str, rows: npt.NDArray[np.uint8]) -> tuple[int, int] | None:
    """Return the offset in nanoseconds that all texts end with, and its length; None if they differ or it is none."""
    if first.endswith("Z"):
        return (0, 1) if (rows[-1] == ord("Z")).all() else None
    match = _OFFSET.fullmatch(first[-6:])
    if match is None or not (rows[-6:] == rows[-6:, :1]).all():
        return None
    sign, hours, minutes = match.groups()
    offset_ns = (int(hours) * 3_600 + int(minutes) * 60) * NS_PER_S
    return (-offset_ns if sign == "-" else offset_ns), 6


def _is_plain(rows: npt.NDArray[np.uint8], end: int) -> bool:
    """Whether every text up to `end` is digits and punctuation where they belong, with at most nine fractional digits."""
    fraction_digits = end - _SECONDS_LENGTH - 1
    if end != _SECONDS_LENGTH and not 0 < fraction_digits <= _FRACTION_DIGITS_MAX:
        return False
    if not all((rows[place] == ord(mark)).all() for place, mark in _PUNCTUATION if place < end):
        return False
    digits = rows[[place for place in range(end) if place not in _PUNCTUATION_PLACES]] - np.uint8(ord("0"))
    return bool(digits.max() <= 9)  # noqa: PLR2004 - unsigned, so that what comes before "0" wraps to far above 9
