"""Cuts a JSON array into its elements without understanding them, so that one unreadable element leaves its neighbours alone.

Follows only strings, brackets and commas: whatever stands between two commas of the outermost array is an element, be it JSON or not.
Works on whole megabytes at a time in numpy (about 5 ns a byte) and keeps no position but those of the cuts, so that neither
ten thousand brackets nor sixteen megabytes of them cost much time or memory.
Source of the idea: the structural index of Langdale and Lemire, "Parsing Gigabytes of JSON per Second", 2019.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from .errors import TooManyEvents, UnreadableBody

JSON_SPACE: Final = b" \t\r\n"

_STRETCH_BYTES: Final = 1 << 20
_COMMA: Final = 0x2C
_QUOTE: Final = 0x22
# With bit 5 set, both kinds of opening bracket become this byte, and both kinds of closing bracket the other; nothing else does.
_OPEN: Final = 0x7B
_CLOSE: Final = 0x7D


def split_array(body: bytes, *, events_max: int) -> list[bytes]:
    """Return the elements of the outermost array, without the space around them.

    Raises `UnreadableBody` if the brackets cannot be matched, `TooManyEvents` as soon as there are more elements than that.
    """
    cuts = [len(body) - len(body.lstrip(JSON_SPACE))]
    if body[cuts[0] : cuts[0] + 1] != b"[":
        raise UnreadableBody("the body is no JSON array")
    end = -1
    for positions, depths in _marks(body):
        closed = np.flatnonzero(depths <= 0)
        if closed.size:
            end = int(positions[closed[0]])
            positions, depths = positions[: closed[0]], depths[: closed[0]]  # noqa: PLW2901 - what follows is no part of it
        commas = positions[depths == 1]
        cuts += [position for position in commas.tolist() if body[position] == _COMMA]
        if len(cuts) > events_max:
            raise TooManyEvents(events_max)
        if end >= 0:
            break
    if end < 0:
        raise UnreadableBody("the body is no JSON: its array is never closed")
    if body[end + 1 :].strip(JSON_SPACE):
        raise UnreadableBody("the body is no JSON: something follows its array")
    cuts.append(end)
    elements = [body[start + 1 : stop].strip(JSON_SPACE) for start, stop in pairwise(cuts)]
    return [] if elements == [b""] else elements


class Outline(NamedTuple):
    """How many brackets are open at once at most, how many at the end, and how many brackets and commas there are."""

    depth_max: int
    depth_at_end: int
    mark_count: int


def outline(raw: bytes) -> Outline:
    """Return what brackets and commas outside strings say about an element, without reading it."""
    depth_max = depth_at_end = mark_count = 0
    for _, depths in _marks(raw):
        depth_max = max(depth_max, int(depths.max()))
        depth_at_end = int(depths[-1])
        mark_count += len(depths)
    return Outline(depth_max, depth_at_end, mark_count)


def _marks(body: bytes) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
    """Yield, stretch by stretch, where brackets and commas outside strings stand, and the depth after each."""
    # Pairs of backslashes go first, from the left: what is left before a quotation mark then really escapes it.
    plain = body.replace(b"\\\\", b"..").replace(b'\\"', b"..") if b"\\" in body else body
    in_string, depth = np.uint8(0), 0
    for start in range(0, len(plain), _STRETCH_BYTES):
        stretch = np.frombuffer(plain, np.uint8, min(_STRETCH_BYTES, len(plain) - start), start)
        inside = (np.cumsum(stretch == _QUOTE, dtype=np.uint8) & 1) ^ in_string
        in_string = inside[-1]
        folded = stretch | 0x20
        opens, closes = folded == _OPEN, folded == _CLOSE
        found = np.flatnonzero((opens | closes | (stretch == _COMMA)) & (inside == 0))
        depths = depth + np.cumsum(opens[found].astype(np.int64) - closes[found])
        if found.size:
            depth = int(depths[-1])
            yield found + start, depths
