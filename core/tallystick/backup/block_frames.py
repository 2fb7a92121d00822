"""Blocks one behind the other in a file or an answer: the length of each, 4 bytes big-endian, then the block as the log stores it.

Nothing else is needed: a block says its place and hashes to what it says (see `log.block`).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import Final

_LENGTH: Final = struct.Struct(">I")
LENGTH_BYTES: Final = _LENGTH.size


class CutFrame(ValueError):
    """The content ends within a frame, which begins at `start`."""

    def __init__(self, start: int) -> None:
        super().__init__(f"a block that begins at byte {start} is cut off")
        self.start = start


def framed(blocks: Sequence[bytes]) -> bytes:
    """Return the blocks as they stand in a file or an answer."""
    return b"".join(part for stored in blocks for part in (_LENGTH.pack(len(stored)), stored))


def unframed(content: bytes) -> Iterator[bytes]:
    """Yield the blocks. Raises `CutFrame`."""
    start = 0
    while start < len(content):
        begin = start + LENGTH_BYTES
        if begin > len(content):
            raise CutFrame(start)
        end = begin + length_of(content[start:begin])
        if end > len(content):
            raise CutFrame(start)
        yield content[begin:end]
        start = end


def length_of(head: bytes) -> int:
    """Return how many bytes the block has that stands behind these four."""
    return _LENGTH.unpack(head)[0]
