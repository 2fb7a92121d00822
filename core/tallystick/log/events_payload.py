"""The payload of a block of events: its columns in MessagePack, then zstd.

Layout: an array of the columns of `EventColumns`, in the order of `_Columns`. A text column whose entries are all equal is stored as one
entry. Times are stored as (smallest, unit, width, differences): ids and times are most of what zstd cannot guess, and
milliseconds within an hour need 3 bytes rather than 8.
Strings are not coded by a dictionary of our own: zstd finds the repeats as well, without the interpreter's lock.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeVar

import msgspec
import numpy as np
import numpy.typing as npt
import zstandard

from tallystick.event_columns import EventColumns
from tallystick.instant import NS_PER_MS, NS_PER_S

Int64s = npt.NDArray[np.int64]
Entry = TypeVar("Entry", str, bytes)

# Level 1: level 3 saved 4 % of the bytes and took twice the time of the writer's thread.
_LEVEL: Final = 1
_WIDTHS: Final = {1: np.dtype("<u1"), 2: np.dtype("<u2"), 4: np.dtype("<u4"), 8: np.dtype("<u8")}


class _Instants(msgspec.Struct, array_like=True, frozen=True):
    """Instants as `smallest + unit_ns * difference`, differences little-endian in `width` bytes each; none when all are equal."""

    smallest: int
    unit_ns: int
    width: int
    differences: bytes


class _Columns(msgspec.Struct, array_like=True, frozen=True):
    """The stored columns; `times_given` is bits, most significant first, or empty when all are given."""

    event_count: int
    sources: list[str]
    ids: list[str]
    types: list[str]
    customers: list[str]
    times: _Instants
    times_given: bytes
    received_at: _Instants
    values: list[str]
    properties: list[bytes]


_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(_Columns).decode


def encode_events(events: EventColumns) -> bytes:
    """Return the payload of a block that holds these events."""
    columns = _Columns(
        event_count=len(events),
        sources=_folded(events.sources),
        ids=_listed(events.ids),
        types=_folded(events.types),
        customers=_folded(events.customers),
        times=_pack_instants(events.times),
        times_given=b"" if events.times_given.all() else np.packbits(events.times_given).tobytes(),
        received_at=_pack_instants(events.received_at),
        values=_folded(events.values),
        properties=_folded(events.properties),
    )
    # A compressor is not safe to share between threads, and making one costs a microsecond.
    return zstandard.ZstdCompressor(level=_LEVEL).compress(_encode(columns))


def decode_events(payload: bytes, *, first_position: int) -> EventColumns:
    """Return the events of a payload whose block's hash was checked."""
    columns = _decode(zstandard.ZstdDecompressor().decompress(payload))
    count = columns.event_count
    if columns.times_given:
        given = np.unpackbits(np.frombuffer(columns.times_given, np.uint8), count=count).astype(np.bool_)
    else:
        given = np.ones(count, np.bool_)
    return EventColumns(
        first_position=first_position,
        sources=_unfolded(columns.sources, count),
        ids=columns.ids,
        types=_unfolded(columns.types, count),
        customers=_unfolded(columns.customers, count),
        times=_unpack_instants(columns.times, count),
        times_given=given,
        received_at=_unpack_instants(columns.received_at, count),
        values=_unfolded(columns.values, count),
        properties=_unfolded(columns.properties, count),
    )


def unpacked_size(payload: bytes) -> int:
    """Return how many bytes a payload's columns take before compression: about what its texts take in memory."""
    return max(0, zstandard.frame_content_size(payload))


def _listed(column: Sequence[Entry]) -> list[Entry]:
    return column if isinstance(column, list) else list(column)


def _folded(column: Sequence[Entry]) -> list[Entry]:
    """Return the column, or its one entry when all are equal."""
    listed = _listed(column)
    first = listed[0]
    # Most columns that vary do so between these two already, which spares the comparison of the others.
    if listed[-1] != first or listed[len(listed) // 2] != first:
        return listed
    return listed[:1] if listed.count(first) == len(listed) else listed


def _unfolded(column: list[Entry], count: int) -> list[Entry]:
    return column * count if len(column) == 1 else column


def _pack_instants(instants: Int64s) -> _Instants:
    smallest = int(instants.min())
    differences = instants - smallest
    largest = int(differences.max())
    if largest == 0:
        return _Instants(smallest, 1, 1, b"")
    unit_ns = next(unit for unit in (NS_PER_S, NS_PER_MS, 1_000, 1) if not (differences % unit).any())
    width = next(width for width in _WIDTHS if largest // unit_ns < 1 << (8 * width))
    return _Instants(smallest, unit_ns, width, (differences // unit_ns).astype(_WIDTHS[width]).tobytes())


def _unpack_instants(packed: _Instants, count: int) -> Int64s:
    if not packed.differences:
        return np.full(count, packed.smallest, np.int64)
    differences = np.frombuffer(packed.differences, _WIDTHS[packed.width]).astype(np.int64)
    return differences * packed.unit_ns + packed.smallest
