"""A block: the unit of the log, records of one kind that were written together, bound to the block before by its hash.

Promises: `hash` is SHA-256 over the header (which holds the previous hash) and the payload, so that no byte of either can change
without every later block showing it. `open_block` refuses bytes that do not hash to what they say.
Does not: know what a payload means (see `events_payload` and `records`).
Source of the idea: Haber and Stornetta, "How to time-stamp a digital document", 1991.
"""

from __future__ import annotations

import hashlib
import struct
from enum import IntEnum
from typing import Final

import msgspec

from tallystick.errors import BrokenChain, DamagedStore
from tallystick.event import Position
from tallystick.instant import Instant
from tallystick.log_head import EMPTY_HEAD, LogHead

GENESIS_HASH: Final = EMPTY_HEAD.hash
# Fewer would waste half a page of the map for each block, more would make one receipt decode more than a millisecond of events.
EVENTS_PER_BLOCK_MAX: Final = 4_096

_HEADER: Final = struct.Struct(">BBHQQIqI32s")
_VERSION: Final = 1
_HASH_BYTES: Final = 32


class BlockKind(IntEnum):
    """What the records of a block are."""

    EVENTS = 1
    VOIDS = 2
    CATALOG = 3
    QUARANTINE = 4
    DUPLICATES = 5
    SIGNALS = 6


class BlockHeader(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in front of a block's payload; nothing here says that the payload hashes to it."""

    number: int
    kind: BlockKind
    position: Position
    record_count: int
    written_at: Instant
    payload_bytes: int
    previous_hash: bytes
    hash: bytes

    @property
    def last_position(self) -> Position:
        """The position of its last record."""
        return Position(self.position + self.record_count - 1)


class Block(msgspec.Struct, frozen=True, kw_only=True):
    """Records at `[position, position + record_count)` of the log; `number` counts blocks from 1."""

    number: int
    kind: BlockKind
    position: Position
    record_count: int
    written_at: Instant
    previous_hash: bytes
    payload: bytes
    hash: bytes

    @property
    def last_position(self) -> Position:
        """The position of the block's last record."""
        return Position(self.position + self.record_count - 1)

    @property
    def head(self) -> LogHead:
        """Where a log ends that ends with this block."""
        return LogHead(position=self.last_position, block=self.number, hash=self.hash)

    def follows(self, head: LogHead) -> bool:
        """Whether it is the next block of a log that ends there."""
        return self.number == head.block + 1 and self.previous_hash == head.hash

    @property
    def header(self) -> BlockHeader:
        """What stands in front of the payload."""
        return BlockHeader(
            number=self.number,
            kind=self.kind,
            position=self.position,
            record_count=self.record_count,
            written_at=self.written_at,
            payload_bytes=len(self.payload),
            previous_hash=self.previous_hash,
            hash=self.hash,
        )


def seal_block(
    *,
    number: int,
    kind: BlockKind,
    position: Position,
    record_count: int,
    written_at: Instant,
    previous_hash: bytes,
    payload: bytes,
) -> tuple[Block, bytes]:
    """Return the block with its hash, and the bytes to store: header, hash, payload."""
    header = _HEADER.pack(_VERSION, kind, 0, number, position, record_count, written_at, len(payload), previous_hash)
    digest = hashlib.sha256(header)
    digest.update(payload)
    block = Block(
        number=number,
        kind=kind,
        position=position,
        record_count=record_count,
        written_at=written_at,
        previous_hash=previous_hash,
        payload=payload,
        hash=digest.digest(),
    )
    return block, b"".join((header, block.hash, payload))


def open_block(stored: bytes, *, position: int) -> Block:
    """Return the block of these bytes, found under `position`.

    Raises `BrokenChain` if they do not hash to what they say, `DamagedStore` if they are no block of this place at all.
    """
    payload_start = _HEADER.size + _HASH_BYTES
    if len(stored) < payload_start:
        raise DamagedStore(position, f"a block of {len(stored)} bytes is shorter than a header")
    version, kind, _reserved, number, own_position, record_count, written_at, payload_bytes, previous_hash = (
        _HEADER.unpack_from(stored)
    )
    payload = stored[payload_start:]
    digest = hashlib.sha256(stored[: _HEADER.size])
    digest.update(payload)
    expected = stored[_HEADER.size : payload_start]
    if digest.digest() != expected:
        raise BrokenChain(position, expected=expected, found=digest.digest())
    if version != _VERSION or own_position != position or len(payload) != payload_bytes or record_count < 1:
        raise DamagedStore(position, "a block hashes well but its header does not belong here")
    return Block(
        number=number,
        kind=BlockKind(kind),
        position=Position(own_position),
        record_count=record_count,
        written_at=Instant(written_at),
        previous_hash=previous_hash,
        payload=payload,
        hash=expected,
    )


def read_header(stored: bytes | memoryview, *, position: int) -> BlockHeader:
    """Return what stands in front of the payload of the block found under `position`, without looking at the payload.

    Raises `DamagedStore` where this is no header of this place; that it hashes to what it says is for `open_block` to find.
    """
    head = bytes(stored[: _HEADER.size + _HASH_BYTES])
    if len(head) < _HEADER.size + _HASH_BYTES:
        raise DamagedStore(position, f"a block of {len(head)} bytes is shorter than a header")
    version, kind, _reserved, number, own_position, record_count, written_at, payload_bytes, previous_hash = (
        _HEADER.unpack_from(head)
    )
    is_kind = kind in BlockKind.__members__.values()
    if version != _VERSION or own_position != position or record_count < 1 or not is_kind:
        raise DamagedStore(position, "the header of a block does not belong here")
    return BlockHeader(
        number=number,
        kind=BlockKind(kind),
        position=Position(own_position),
        record_count=record_count,
        written_at=Instant(written_at),
        payload_bytes=payload_bytes,
        previous_hash=previous_hash,
        hash=head[_HEADER.size :],
    )
