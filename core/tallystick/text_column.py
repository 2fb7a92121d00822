"""A column of texts, or of byte strings, that lie one behind the other in one buffer.

Sequences that make an object only when asked for one.

Promises: what a list of the same entries answers, but that it cannot be changed. Slices share the buffer.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, TypeVar, overload

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from .packed_events import PackedEvents

Entry = TypeVar("Entry", str, bytes)


class _Column(Sequence[Entry]):
    """The rows `[start, end)` of one column of a pack."""

    __slots__ = ("_column", "_end", "_pack", "_start")

    def __init__(self, pack: PackedEvents, column: int, start: int, end: int) -> None:
        self._pack, self._column = pack, column
        self._start, self._end = start, end

    def __len__(self) -> int:
        return self._end - self._start

    @overload
    def __getitem__(self, index: int) -> Entry: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Entry]: ...

    def __getitem__(self, index: int | slice) -> Entry | Sequence[Entry]:
        if isinstance(index, slice):
            rows = range(self._start, self._end)[index]
            if rows.step != 1:
                return self.to_list()[index]
            return type(self)(self._pack, self._column, rows.start, max(rows.start, rows.stop))
        row = index + (self._end if index < 0 else self._start)
        if not self._start <= row < self._end:
            raise IndexError("the column has no such row")
        start, end = self._pack.offsets(self._column)[row : row + 2].tolist()
        return self._entry(self._pack.texts(self._column)[start:end])

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.to_list())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and self.to_list() == list(other)  # pyright: ignore[reportUnknownArgumentType] - any

    __hash__ = None  # type: ignore[assignment]  # as a list

    def __repr__(self) -> str:
        return repr(self.to_list())

    def count(self, value: Entry) -> int:
        """Return how many rows hold the value."""
        return self.to_list().count(value)

    def to_list(self) -> list[Entry]:
        """Return all entries as objects."""
        return self._entries(self.joined().tobytes(), (self.offsets() - self.first_offset).tolist())

    def offsets(self) -> npt.NDArray[np.uint32]:
        """Return where each entry begins, and the last ends; one more than there are entries. The first need not be 0."""
        return self._pack.offsets(self._column)[self._start : self._end + 1]

    def lengths(self) -> npt.NDArray[np.uint32]:
        """Return how many bytes each entry has."""
        return np.diff(self.offsets())

    @property
    def first_offset(self) -> int:
        """Where the first entry begins."""
        return int(self._pack.offsets(self._column)[self._start])

    def joined(self) -> memoryview:
        """Return the bytes of all entries, one behind the other."""
        offsets = self._pack.offsets(self._column)
        return self._pack.texts(self._column)[int(offsets[self._start]) : int(offsets[self._end])]

    @staticmethod
    @abstractmethod
    def _entry(entry: memoryview) -> Entry: ...

    @staticmethod
    @abstractmethod
    def _entries(joined: bytes, offsets: list[int]) -> list[Entry]: ...


class TextColumn(_Column[str]):
    """A column of texts, in UTF-8."""

    __slots__ = ()

    @staticmethod
    def _entry(entry: memoryview) -> str:
        return str(entry, "utf-8")

    @staticmethod
    def _entries(joined: bytes, offsets: list[int]) -> list[str]:
        return cut_texts(joined, offsets)


class BytesColumn(_Column[bytes]):
    """A column of byte strings."""

    __slots__ = ()

    @staticmethod
    def _entry(entry: memoryview) -> bytes:
        return entry.tobytes()

    @staticmethod
    def _entries(joined: bytes, offsets: list[int]) -> list[bytes]:
        return cut_bytes(joined, offsets)


def cut_texts(joined: bytes, offsets: list[int]) -> list[str]:
    """Return the texts that lie in `joined` between each two neighbouring offsets."""
    if joined.isascii():
        text = joined.decode("ascii")
        return [text[start:end] for start, end in pairwise(offsets)]
    return [joined[start:end].decode() for start, end in pairwise(offsets)]


def cut_bytes(joined: bytes, offsets: list[int]) -> list[bytes]:
    """Return the byte strings that lie in `joined` between each two neighbouring offsets."""
    return [joined[start:end] for start, end in pairwise(offsets)]
