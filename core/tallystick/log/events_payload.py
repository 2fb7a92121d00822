"""The payload of a block of events: its columns in MessagePack, then zstd.

Layout: an array of the columns of `EventColumns`, in the order of `_Columns`. A column of texts is all of them one behind the other, and
their lengths. Lengths and instants are stored as (smallest, unit, width, differences): ids and times are most of what zstd cannot guess,
and milliseconds within an hour need 3 bytes rather than 8.
Texts are not coded by a dictionary of our own: zstd finds the repeats as well, without the interpreter's lock.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, cast

import msgspec
import numpy as np
import numpy.typing as npt
import zstandard

from tallystick.event_columns import EventColumns, columns_of_pack
from tallystick.instant import NS_PER_MS, NS_PER_S
from tallystick.native.library import NATIVE
from tallystick.packed_events import encoded_texts, packed
from tallystick.text_column import BytesColumn, TextColumn, cut_bytes, cut_texts

Int64s = npt.NDArray[np.int64]

# Level 1: level 3 saved 4 % of the bytes and took twice the time of the writer's thread.
_LEVEL: Final = 1
_WIDTHS: Final = {1: np.dtype("<u1"), 2: np.dtype("<u2"), 4: np.dtype("<u4"), 8: np.dtype("<u8")}


class _Numbers(msgspec.Struct, array_like=True, frozen=True):
    """Numbers as `smallest + unit * difference`, differences little-endian in `width` bytes each; none when all are equal."""

    smallest: int
    unit: int
    width: int
    differences: bytes


class _Texts(msgspec.Struct, array_like=True, frozen=True):
    """Texts one behind the other, in UTF-8, and how many bytes each has."""

    lengths: _Numbers
    joined: bytes


class _Columns(msgspec.Struct, array_like=True, frozen=True):
    """The stored columns; `times_given` is bits, most significant first, or empty when all are given."""

    event_count: int
    sources: _Texts
    ids: _Texts
    types: _Texts
    customers: _Texts
    times: _Numbers
    times_given: bytes
    received_at: _Numbers
    values: _Texts
    properties: _Texts


_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(_Columns).decode


def encode_events(events: EventColumns) -> bytes:
    """Return the payload of a block that holds these events."""
    columns = _Columns(
        event_count=len(events),
        sources=_pack_texts(events.sources),
        ids=_pack_texts(events.ids),
        types=_pack_texts(events.types),
        customers=_pack_texts(events.customers),
        times=_pack_instants(events.times),
        times_given=b"" if events.times_given.all() else np.packbits(events.times_given).tobytes(),
        received_at=_pack_instants(events.received_at),
        values=_pack_texts(events.values),
        properties=_pack_texts(events.properties),
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
    times, received_at = _unpack(columns.times, count), _unpack(columns.received_at, count)
    texts = [
        (_unpack(column.lengths, count).astype(np.uint32), column.joined)
        for column in (
            columns.sources,
            columns.ids,
            columns.types,
            columns.customers,
            columns.values,
            columns.properties,
        )
    ]
    if NATIVE is not None:
        pack = packed(texts, times=times, received_at=received_at, times_given=given)
        return columns_of_pack(pack, first_position=first_position)
    sources, ids, types, customers, values, properties = [(joined, _offsets(lengths)) for lengths, joined in texts]
    return EventColumns(
        first_position=first_position,
        sources=cut_texts(*sources),
        ids=cut_texts(*ids),
        types=cut_texts(*types),
        customers=cut_texts(*customers),
        times=times,
        times_given=given,
        received_at=received_at,
        values=cut_texts(*values),
        properties=cut_bytes(*properties),
    )


def unpacked_size(payload: bytes) -> int:
    """Return how many bytes a payload's columns take before compression: about what its texts take in memory."""
    return max(0, zstandard.frame_content_size(payload))


def _pack_texts(column: Sequence[str] | Sequence[bytes]) -> _Texts:
    if isinstance(column, TextColumn | BytesColumn):
        # MessagePack takes any buffer for bytes.
        return _Texts(_pack(column.lengths().astype(np.int64), (1,)), cast("bytes", column.joined()))
    lengths, joined = encoded_texts(column)
    return _Texts(_pack(lengths.astype(np.int64), (1,)), joined)


def _pack_instants(instants: Int64s) -> _Numbers:
    return _pack(instants, (NS_PER_S, NS_PER_MS, 1_000, 1))


def _pack(numbers: Int64s, units: Sequence[int]) -> _Numbers:
    """Return the numbers in the largest of the units that keeps them."""
    smallest = int(numbers.min())
    differences = numbers - smallest
    largest = int(differences.max())
    if largest == 0:
        return _Numbers(smallest, 1, 1, b"")
    unit = next(unit for unit in units if unit == 1 or not (differences % unit).any())
    if unit > 1:
        differences //= unit
    width = next(width for width in _WIDTHS if largest // unit < 1 << (8 * width))
    return _Numbers(smallest, unit, width, differences.astype(_WIDTHS[width]).tobytes())


def _unpack(packed_numbers: _Numbers, count: int) -> Int64s:
    if not packed_numbers.differences:
        return np.full(count, packed_numbers.smallest, np.int64)
    differences = np.frombuffer(packed_numbers.differences, _WIDTHS[packed_numbers.width]).astype(np.int64)
    return differences * packed_numbers.unit + packed_numbers.smallest


def _offsets(lengths: npt.NDArray[np.uint32]) -> list[int]:
    return [0, *np.cumsum(lengths, dtype=np.int64).tolist()]
