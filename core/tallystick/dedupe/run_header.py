"""The layout of a run file: where each part lies, and the header that proves them.

    header      4,096 bytes: the fields of `RunHeader`, then the xxh3_128 of them, then zeros
    pages       1,024 bytes each: 85 hashes (u64), then 85 positions (u32, less the run's first), then 4 zero bytes;
                hashes ascend over the whole file; only the last page may hold fewer, its unused places are zero
    fences      the first hash of each page (u64)
    checksums   the xxh3_64 of each page (u64)
    filter      the words of the run's `block_filter` (u64)

Little-endian throughout. The checksums form a tree: the manifest proves the header, the header proves fences, checksums and filter (read
and proved when the file is opened), the checksums prove each page (proved whenever a page is read). So no flipped bit goes unseen.
"""

from __future__ import annotations

import struct
from typing import Final

import msgspec
from xxhash import xxh3_128_digest

from .block_filter import filter_word_count

PAGE_BYTES: Final = 1_024
HEADER_BYTES: Final = 4_096
KEY_BYTES: Final = 12
KEYS_PER_PAGE: Final = PAGE_BYTES // KEY_BYTES
FORMAT_VERSION: Final = 1
POSITION_SPAN_MAX: Final = 1 << 32

_MAGIC: Final = b"tallyrun"
_FIELDS: Final = struct.Struct("<8sIIQqqqqQQ16s16s")
_DIGEST_BYTES: Final = 16


class RunHeader(msgspec.Struct, frozen=True, kw_only=True):
    """What the first bytes of a run file say."""

    version: int
    count: int
    first_position: int
    last_position: int
    first_received_at: int
    last_received_at: int
    tables_checksum: bytes
    filter_checksum: bytes

    @property
    def layout(self) -> RunLayout:
        """Where the parts of the file lie."""
        return RunLayout(self.count)


class RunLayout:
    """The places of the parts of a run file of `count` keys, in bytes from the start."""

    def __init__(self, count: int) -> None:
        self.page_count = -(-count // KEYS_PER_PAGE)
        self.filter_words = filter_word_count(count)
        self.tables_at = HEADER_BYTES + self.page_count * PAGE_BYTES
        self.filter_at = self.tables_at + self.page_count * 16
        self.file_bytes = self.filter_at + self.filter_words * 8


class InvalidHeader(ValueError):
    """The first bytes of a file are not those of a whole run header."""


def encode_header(header: RunHeader) -> bytes:
    """Return the header as it stands in the file, `HEADER_BYTES` long."""
    fields = _FIELDS.pack(
        _MAGIC,
        header.version,
        PAGE_BYTES,
        header.count,
        header.first_position,
        header.last_position,
        header.first_received_at,
        header.last_received_at,
        header.layout.page_count,
        header.layout.filter_words,
        header.tables_checksum,
        header.filter_checksum,
    )
    return (fields + xxh3_128_digest(fields)).ljust(HEADER_BYTES, b"\0")


def header_checksum(encoded: bytes) -> bytes:
    """Return the xxh3_128 that the manifest keeps of an encoded header."""
    return xxh3_128_digest(encoded)


def decode_header(encoded: bytes) -> RunHeader:
    """Return the header that `encode_header` wrote; raises `InvalidHeader` when a bit of it differs.

    A header of a newer version is returned if its own checksum holds: the caller says which versions it knows.
    """
    fields = encoded[: _FIELDS.size]
    digest = encoded[_FIELDS.size : _FIELDS.size + _DIGEST_BYTES]
    if len(encoded) != HEADER_BYTES or xxh3_128_digest(fields) != digest:
        raise InvalidHeader("its header is cut short or was changed")
    magic, version, _page_bytes, count, first, last, received_first, received_last, _pages, _words, tables, filtered = (
        _FIELDS.unpack(fields)
    )
    if magic != _MAGIC:
        raise InvalidHeader("it is no run of the dedupe index")
    return RunHeader(
        version=version,
        count=count,
        first_position=first,
        last_position=last,
        first_received_at=received_first,
        last_received_at=received_last,
        tables_checksum=tables,
        filter_checksum=filtered,
    )
