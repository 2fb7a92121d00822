"""Reads one MessagePack event exactly: repeated keys noticed, broken text located, timestamps to the nanosecond.

In Python and so slow (about a microsecond for each value in the event); only what is not plainly right comes here.
A double is read as the shortest decimal that names it, so that 0.1 is 0.1; a 32-bit float as the double that it equals.
"""

from __future__ import annotations

import math
import struct
from typing import Final

from tallystick.instant import NS_PER_S
from tallystick.rejection import Code

from .refused import Refused
from .sent_tree import DEPTH_MAX, VALUES_MAX, Members, NotANumber, NumberText, TimestampNs, Tree, Unsupported

_INTEGERS: Final = {
    0xCC: struct.Struct(">B"),
    0xCD: struct.Struct(">H"),
    0xCE: struct.Struct(">I"),
    0xCF: struct.Struct(">Q"),
    0xD0: struct.Struct(">b"),
    0xD1: struct.Struct(">h"),
    0xD2: struct.Struct(">i"),
    0xD3: struct.Struct(">q"),
}
_FLOATS: Final = {0xCA: struct.Struct(">f"), 0xCB: struct.Struct(">d")}
# For each format with a length field: what it starts, and how many bytes the length takes.
_LENGTHS: Final = {
    0xD9: ("text", 1),
    0xDA: ("text", 2),
    0xDB: ("text", 4),
    0xC4: ("binary", 1),
    0xC5: ("binary", 2),
    0xC6: ("binary", 4),
    0xC7: ("extension", 1),
    0xC8: ("extension", 2),
    0xC9: ("extension", 4),
    0xDC: ("array", 2),
    0xDD: ("array", 4),
    0xDE: ("map", 2),
    0xDF: ("map", 4),
}
_CONSTANTS: Final[dict[int, bool | None]] = {0xC0: None, 0xC2: False, 0xC3: True}
_EXTENSION_SIZES: Final = {0xD4: 1, 0xD5: 2, 0xD6: 4, 0xD7: 8, 0xD8: 16}
_TIMESTAMP_TYPE: Final = 0xFF
# Up to this byte, and from the other on, the first byte of a value also holds its number or its size.
_FIXED_MAX: Final = 0xBF
_NEGATIVE_MIN: Final = 0xE0


def read_msgpack(raw: bytes) -> Tree:
    """Return what the bytes say. Raises `Refused`: `invalid_msgpack`, `too_deep` or `invalid_event`."""
    reader = _Reader(raw)
    value = reader.value(0)
    if reader.position != len(raw):
        raise _broken(f"{len(raw) - reader.position} bytes follow the event")
    return value


def map_size(raw: bytes) -> int:
    """Return how many members the map that starts here says it has, or -1 if no map starts here."""
    first = raw[0] if raw else 0
    if 0x80 <= first <= 0x8F:  # noqa: PLR2004 - the format's own ranges
        return first & 0x0F
    if first == 0xDE:  # noqa: PLR2004
        return int.from_bytes(raw[1:3])
    if first == 0xDF:  # noqa: PLR2004
        return int.from_bytes(raw[1:5])
    return -1


def array_size(raw: bytes) -> int:
    """Return how many elements the array that starts here says it has, or -1 if no array starts here."""
    first = raw[0] if raw else 0
    if 0x90 <= first <= 0x9F:  # noqa: PLR2004 - the format's own ranges
        return first & 0x0F
    if first == 0xDC:  # noqa: PLR2004
        return int.from_bytes(raw[1:3])
    if first == 0xDD:  # noqa: PLR2004
        return int.from_bytes(raw[1:5])
    return -1


class _Reader:
    """A place in the bytes, moving forward."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self.position = 0
        self._value_count = 0

    def value(self, depth: int) -> Tree:
        if depth > DEPTH_MAX:
            raise Refused(Code.TOO_DEEP, f"the event is nested more than {DEPTH_MAX} levels deep")
        self._value_count += 1
        if self._value_count > VALUES_MAX:
            raise Refused(Code.INVALID_EVENT, f"the event holds more than {VALUES_MAX:,} values")
        first = self._take(1)[0]
        if first in _CONSTANTS:
            return _CONSTANTS[first]
        if first <= _FIXED_MAX or first >= _NEGATIVE_MIN:
            return self._fixed(first, depth)
        if first in _INTEGERS:
            return NumberText(self._unpack(_INTEGERS[first]))
        if first in _FLOATS:
            number = float(self._unpack(_FLOATS[first]))
            return NumberText(repr(number)) if math.isfinite(number) else NotANumber(number)
        if first in _LENGTHS:
            kind, size = _LENGTHS[first]
            return self._sized(kind, int.from_bytes(self._take(size)), depth)
        if first in _EXTENSION_SIZES:
            return self._extension(_EXTENSION_SIZES[first])
        raise _broken(f"byte 0x{first:02x} starts no value")

    def _fixed(self, first: int, depth: int) -> Tree:
        """Return a value whose number or size is part of its first byte."""
        match first >> 4:
            case 0x8:
                return self._map(first & 0x0F, depth)
            case 0x9:
                return self._array(first & 0x0F, depth)
            case 0xA | 0xB:
                return self._text(first & 0x1F)
            case _:
                return NumberText(first if first < _NEGATIVE_MIN else first - 0x100)

    def _sized(self, kind: str, size: int, depth: int) -> Tree:
        match kind:
            case "text":
                return self._text(size)
            case "array":
                return self._array(size, depth)
            case "map":
                return self._map(size, depth)
            case "extension":
                return self._extension(size)
            case _:
                self._take(size)
                return Unsupported("binary data")

    def _array(self, size: int, depth: int) -> list[Tree]:
        return [self.value(depth + 1) for _ in range(size)]

    def _map(self, size: int, depth: int) -> Members:
        pairs: list[tuple[str, Tree]] = []
        for _ in range(size):
            name = self.value(depth + 1)
            if not isinstance(name, str) or isinstance(name, NumberText | NotANumber | Unsupported):
                raise Refused(Code.INVALID_EVENT, "every key of a map must be text")
            pairs.append((name, self.value(depth + 1)))
        return Members(pairs)

    def _text(self, size: int) -> str:
        return self._take(size).decode("utf-8", "surrogateescape")

    def _extension(self, size: int) -> Tree:
        kind = self._take(1)[0]
        data = self._take(size)
        if kind == _TIMESTAMP_TYPE and size in {4, 8, 12}:
            match size:
                case 4:
                    seconds, nanoseconds = int.from_bytes(data), 0
                case 8:
                    nanoseconds, seconds = divmod(int.from_bytes(data), 1 << 34)
                case _:
                    seconds, nanoseconds = int.from_bytes(data[4:], signed=True), int.from_bytes(data[:4])
            if nanoseconds < NS_PER_S:
                return TimestampNs(seconds * NS_PER_S + nanoseconds)
        return Unsupported("an extension type")

    def _unpack(self, layout: struct.Struct) -> int | float:
        (number,) = layout.unpack(self._take(layout.size))
        return number

    def _take(self, size: int) -> bytes:
        taken = self._raw[self.position : self.position + size]
        if len(taken) != size:
            raise _broken(f"it ends {size - len(taken)} bytes early")
        self.position += size
        return taken


def _broken(reason: str) -> Refused:
    return Refused(Code.INVALID_MSGPACK, f"not MessagePack: {reason}", is_unreadable=True)
