"""Events as columns in one piece of memory, as the compiled library makes and reads them (layout: `native/packed_events.h`).

Promises: a pack never changes once somebody else sees it; its columns are sequences like lists of texts, made when they are asked for.
Joined, compared, hashed and stored without an object an event, and mostly without the interpreter.
Does not: exist where the library does not (`native.library`); there, columns are lists.
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Sequence
from typing import Final, cast

import numpy as np
import numpy.typing as npt
from xxhash import xxh3_64_intdigest

from .native.library import NATIVE, NativeLibrary
from .text_column import BytesColumn, TextColumn

SOURCES, IDS, TYPES, CUSTOMERS, VALUES, PROPERTIES = range(6)
TEXT_COLUMNS: Final = 6

_HEADER: Final = struct.Struct("<16Q")
_MAGIC: Final = int.from_bytes(b"TPACKS01", "little")
_ROWS_AT: Final = slice(8, 16)
# Below this the other threads' turn is not worth giving away.
_SHORT_BYTES: Final = 16_384

Int64s = npt.NDArray[np.int64]


class PackedEvents:
    """A pack of events; all columns have `rows` entries."""

    __slots__ = ("_offsets", "_texts", "buffer", "rows")

    def __init__(self, buffer: bytes) -> None:
        self.buffer = buffer
        self.rows = int.from_bytes(buffer[_ROWS_AT], "little")
        self._offsets: npt.NDArray[np.uint32] | None = None
        self._texts: tuple[memoryview, ...] | None = None

    def __len__(self) -> int:
        return self.rows

    def offsets(self, column: int) -> npt.NDArray[np.uint32]:
        """Return where each text of a column begins, and the last ends, within `texts`."""
        if self._offsets is None:
            count = TEXT_COLUMNS * (self.rows + 1)
            all_columns = np.frombuffer(self.buffer, np.uint32, count, _HEADER.size + 16 * self.rows)
            self._offsets = all_columns.reshape(TEXT_COLUMNS, self.rows + 1)
        return self._offsets[column]

    def texts(self, column: int) -> memoryview:
        """Return the bytes of a column."""
        if self._texts is None:
            header = _HEADER.unpack_from(self.buffer)
            whole = memoryview(self.buffer)
            self._texts = tuple(
                whole[start : start + size]
                for start, size in zip(header[4 : 4 + TEXT_COLUMNS], header[4 + TEXT_COLUMNS :], strict=True)
            )
        return self._texts[column]

    def text_column(self, column: int) -> TextColumn:
        """Return a column of texts."""
        return TextColumn(self, column, 0, self.rows)

    @property
    def sources(self) -> TextColumn:
        """See `EventBatch`."""
        return self.text_column(SOURCES)

    @property
    def ids(self) -> TextColumn:
        """See `EventBatch`."""
        return self.text_column(IDS)

    @property
    def types(self) -> TextColumn:
        """See `EventBatch`."""
        return self.text_column(TYPES)

    @property
    def customers(self) -> TextColumn:
        """See `EventBatch`."""
        return self.text_column(CUSTOMERS)

    @property
    def values(self) -> TextColumn:
        """See `EventBatch`."""
        return self.text_column(VALUES)

    @property
    def properties(self) -> BytesColumn:
        """See `EventBatch`."""
        return BytesColumn(self, PROPERTIES, 0, self.rows)

    @property
    def times(self) -> Int64s:
        """See `EventBatch`."""
        return np.frombuffer(self.buffer, np.int64, self.rows, _HEADER.size)

    @property
    def received_at(self) -> Int64s:
        """The arrival of each event."""
        return np.frombuffer(self.buffer, np.int64, self.rows, _HEADER.size + 8 * self.rows)

    @property
    def times_given(self) -> npt.NDArray[np.bool_]:
        """See `EventBatch`."""
        start = _HEADER.size + 16 * self.rows + 4 * TEXT_COLUMNS * (self.rows + 1)
        return np.frombuffer(self.buffer, np.bool_, self.rows, start)

    def taken(self, rows: Int64s) -> PackedEvents:
        """Return these rows as a pack of their own."""
        library = _library()
        rows = np.ascontiguousarray(rows, np.int64)
        size = library.long.taken_size(self.buffer, rows.ctypes.data, len(rows))
        made = library.new_bytes(None, _checked(size))
        library.long.take(self.buffer, rows.ctypes.data, len(rows), made)
        return PackedEvents(made)

    def identity_hashes(self, seed: int) -> npt.NDArray[np.uint64]:
        """Return what `dedupe.identity_hash` says of each row."""
        hashes = np.empty(self.rows, np.uint64)
        functions = _functions(_library(), len(self.buffer))
        if functions.identity_hashes(self.buffer, seed, hashes.ctypes.data):
            return hashes
        seeds = [xxh3_64_intdigest(source.encode(), seed) if source else seed for source in self.sources]
        ids = [event_id.encode() for event_id in self.ids]
        return np.fromiter(map(xxh3_64_intdigest, ids, seeds), np.uint64, self.rows)


class PackedRows:
    """The rows `[start, end)` of a pack: what a piece of larger columns is."""

    __slots__ = ("end", "pack", "start")

    def __init__(self, pack: PackedEvents, start: int, end: int) -> None:
        self.pack, self.start, self.end = pack, start, end

    def __len__(self) -> int:
        return self.end - self.start

    def compared(self, rows: Int64s, other: PackedRows, other_rows: Int64s) -> npt.NDArray[np.uint8]:
        """Return how each of these rows relates to the other beside it, as `native/row_compare.c` numbers it."""
        left = np.ascontiguousarray(rows + self.start, np.int64)
        right = np.ascontiguousarray(other_rows + other.start, np.int64)
        relations = np.empty(len(left), np.uint8)
        _functions(_library(), len(left) * 64).compare_rows(
            self.pack.buffer, left.ctypes.data, other.pack.buffer, right.ctypes.data, len(left), relations.ctypes.data
        )
        return relations

    def same_from(self, start: int, end: int, other: PackedRows, other_start: int) -> int:
        """Return how many of the rows `[start, end)` are the very same events as the others from `other_start` on."""
        left, right = self.start + start, other.start + other_start
        count = min(end - start, len(other) - other_start)
        return int(_library().long.same_rows(self.pack.buffer, left, other.pack.buffer, right, count))


def joined(packs: Sequence[bytes]) -> PackedEvents:
    """Return the packs, one behind the other, as one."""
    if len(packs) == 1:
        return PackedEvents(packs[0])
    library = _library()
    row = b"".join(packs)
    functions = _functions(library, len(row))
    made = library.new_bytes(None, _checked(functions.joined_size(row, len(packs))))
    functions.join(row, len(packs), made)
    return PackedEvents(made)


def packed(
    texts: Sequence[tuple[npt.NDArray[np.unsignedinteger], bytes]],
    *,
    times: Int64s,
    received_at: Int64s,
    times_given: npt.NDArray[np.bool_],
) -> PackedEvents:
    """Return a pack of columns that come from elsewhere; for each column of texts, how many bytes each has, and the bytes of all."""
    rows = len(times)
    offsets = np.zeros((TEXT_COLUMNS, rows + 1), np.uint32)
    for column, (lengths, _) in enumerate(texts):
        np.cumsum(lengths, out=offsets[column, 1:])
    start = _HEADER.size + 17 * rows + 4 * TEXT_COLUMNS * (rows + 1)
    sizes = [len(joined_texts) for _, joined_texts in texts]
    starts = [start + sum(sizes[:column]) for column in range(TEXT_COLUMNS)]
    end = start + sum(sizes)
    header = _HEADER.pack(_MAGIC, rows, (end + 7) & ~7, 0, *starts, *sizes)
    parts = [header, times.tobytes(), received_at.tobytes(), offsets.tobytes(), times_given.tobytes()]
    return PackedEvents(b"".join([*parts, *(joined_texts for _, joined_texts in texts), bytes(-end % 8)]))


def packed_lists(
    texts: Sequence[Sequence[str] | Sequence[bytes]],
    *,
    times: Int64s,
    received_at: Int64s,
    times_given: npt.NDArray[np.bool_],
) -> PackedEvents:
    """Return a pack of columns that are lists of texts, the last of them of bytes."""
    columns = [encoded_texts(column) for column in texts]
    return packed(columns, times=times, received_at=received_at, times_given=times_given)


def encoded_texts(column: Sequence[str] | Sequence[bytes]) -> tuple[npt.NDArray[np.uint32], bytes]:
    """Return how many bytes each entry has, and the bytes of all."""
    entries = [entry.encode() if isinstance(entry, str) else entry for entry in column]
    return np.fromiter(map(len, entries), np.uint32, len(entries)), b"".join(entries)


def _library() -> NativeLibrary:
    if NATIVE is None:
        raise RuntimeError("events are packed only where the compiled library is")
    return NATIVE


def _functions(library: NativeLibrary, work_bytes: int) -> ctypes.CDLL:
    return library.short if work_bytes < _SHORT_BYTES else library.long


def _checked(size: object) -> int:
    if not size:
        raise OverflowError("a column of events would have 4 GiB or more")
    return cast("int", size)
