"""The append-only log: one or more blocks for each commit group, keyed by position, chained by hash.

Promises: a position once given is never reused; a block once written is never rewritten; when the transaction that `append` was part of
has committed, its blocks are on disk.
Does not: decide what is a duplicate (see `engine.admission`), nor look into payloads.
Layout: table `blocks`, key = position of the block's first record, 8 bytes big-endian, value = header, hash, payload (see `block`);
table `block_numbers`, key = number, value = position.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import Final

import lmdb
import msgspec

from tallystick.errors import BrokenChain, DamagedStore, NotFound
from tallystick.event import Position
from tallystick.instant import Instant
from tallystick.log_head import EMPTY_HEAD, LogHead

from .block import GENESIS_HASH, Block, BlockHeader, BlockKind, open_block, read_header, seal_block
from .tables import Tables

_KEY: Final = struct.Struct(">Q")
_HEADS_AT_ONCE: Final = 1_000


class Draft(msgspec.Struct, frozen=True):
    """What a block is to hold; its place is given when it is appended."""

    kind: BlockKind
    payload: bytes
    record_count: int


class EventLog:
    """The log of one data directory. `append` and `advance` belong to the writer's thread; reads to any."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self.head = self._stored_head()

    def reload(self) -> None:
        """Read the head again after the tables were reopened."""
        self.head = self._stored_head()

    def append(self, txn: lmdb.Transaction, drafts: list[Draft], *, written_at: Instant) -> list[Block]:
        """Write the drafts as the next blocks within a transaction; call `advance` once it has committed."""
        blocks: list[Block] = []
        number, position, previous_hash = self.head.block, self.head.position, self.head.hash
        for draft in drafts:
            block, stored = seal_block(
                number=number + 1,
                kind=draft.kind,
                position=Position(position + 1),
                record_count=draft.record_count,
                written_at=written_at,
                previous_hash=previous_hash,
                payload=draft.payload,
            )
            self._put(txn, block, stored)
            number, position, previous_hash = block.number, block.last_position, block.hash
            blocks.append(block)
        return blocks

    def append_stored(self, txn: lmdb.Transaction, blocks: Sequence[tuple[Block, bytes]]) -> None:
        """Write blocks behind the head as another log stored them; call `advance` once it has committed.

        Raises `BrokenChain` if they do not continue it.
        """
        head = self.head
        for block, stored in blocks:
            if not block.follows(head):
                raise BrokenChain(block.position, expected=head.hash, found=block.previous_hash)
            self._put(txn, block, stored)
            head = block.head

    def _put(self, txn: lmdb.Transaction, block: Block, stored: bytes) -> None:
        key = _KEY.pack(block.position)
        txn.put(key, stored, db=self._tables.tables[b"blocks"], overwrite=False, append=True)
        self._tables.put(txn, b"block_numbers", _KEY.pack(block.number), key, overwrite=False, append=True)

    def advance(self, blocks: list[Block]) -> None:
        """Move the head past blocks that are on disk."""
        if blocks:
            self.head = blocks[-1].head

    def block_at(self, position: int) -> Block:
        """Return the block that holds the position. Raises `NotFound`, `BrokenChain`, `DamagedStore`."""
        with self._tables.read() as txn:
            found = self._at_or_before(txn, position)
        if found is None:
            raise NotFound("block", str(position))
        own_position, stored = found
        block = open_block(stored, position=own_position)
        if block.last_position < position:
            raise NotFound("block", str(position))
        return block

    def block_numbered(self, number: int) -> Block:
        """Return the block of this number, the first is 1. Raises `NotFound`, `BrokenChain`, `DamagedStore`."""
        key = self._tables.get(b"block_numbers", _KEY.pack(number)) if 0 < number < 1 << 63 else None
        if key is None:
            raise NotFound("block", str(number))
        return self.block_at(_KEY.unpack(key)[0])

    def headers(self, *, newest: int, limit: int) -> list[BlockHeader]:
        """Return what stands in front of at most so many blocks, from number `newest` backwards. Raises `DamagedStore`.

        Reads a page a block, whatever the size of the payloads, and does not hash them.
        """
        found: list[BlockHeader] = []
        with self._tables.read() as txn:
            key = self._tables.get_within(txn, b"block_numbers", _KEY.pack(newest)) if newest > 0 else None
            with txn.cursor(db=self._tables.tables[b"blocks"]) as cursor:
                is_there = key is not None and cursor.set_key(key)
                while is_there and len(found) < limit:
                    found.append(read_header(cursor.value(), position=_position_of(cursor.key())))
                    is_there = cursor.prev()
        return found

    def blocks(self, *, start: int = 1) -> Iterator[Block]:
        """Yield the blocks from the one that holds or follows `start`, up to the head at the time of each step.

        Holds no transaction between two blocks. Raises `BrokenChain` where a block does not carry the hash of the one before.
        """
        with self._tables.read() as txn:
            found = self._at_or_before(txn, start) or self._from(txn, start)
        previous: Block | None = None
        while found is not None:
            position, stored = found
            block = open_block(stored, position=position)
            if previous is None and start == 1 and block.number != 1:
                raise DamagedStore(1, f"the log begins with block {block.number}: what was before is gone")
            _check_link(previous, block)
            if block.last_position >= start:
                yield block
            previous = block
            with self._tables.read() as txn:
                found = self._from(txn, block.last_position + 1)

    def heads(self, *, after: int, until: int) -> Iterator[BlockHeader]:
        """Yield the heads of the blocks that begin past `after` and not past `until`; some microseconds each, whatever they hold."""
        start = after + 1
        while start <= until:
            with self._tables.read() as txn, txn.cursor(db=self._tables.tables[b"blocks"]) as cursor:
                is_at = cursor.set_range(_KEY.pack(start))
                heads: list[BlockHeader] = []
                while is_at and len(heads) < _HEADS_AT_ONCE:
                    head = read_header(cursor.value(), position=_position_of(cursor.key()))
                    if head.position > until:
                        break
                    heads.append(head)
                    is_at = cursor.next()
            if not heads:
                return
            yield from heads
            start = heads[-1].last_position + 1

    def blocks_within(self, txn: lmdb.Transaction, *, start: int) -> Iterator[Block]:
        """Yield the blocks from position `start`, the first of a block, as one transaction sees them."""
        while (found := self._from(txn, start)) is not None:
            block = open_block(found[1], position=found[0])
            yield block
            start = block.last_position + 1

    def _at_or_before(self, txn: lmdb.Transaction, position: int) -> tuple[int, bytes] | None:
        with txn.cursor(db=self._tables.tables[b"blocks"]) as cursor:
            key = _KEY.pack(position)
            is_found = cursor.set_range(key)
            if not (is_found and bytes(cursor.key()) == key):
                is_found = cursor.prev() if is_found else cursor.last()
            return (_position_of(cursor.key()), bytes(cursor.value())) if is_found else None

    def _from(self, txn: lmdb.Transaction, position: int) -> tuple[int, bytes] | None:
        with txn.cursor(db=self._tables.tables[b"blocks"]) as cursor:
            if not cursor.set_range(_KEY.pack(position)):
                return None
            return _position_of(cursor.key()), bytes(cursor.value())

    def _stored_head(self) -> LogHead:
        with self._tables.read() as txn, txn.cursor(db=self._tables.tables[b"blocks"]) as cursor:
            if not cursor.last():
                return EMPTY_HEAD
            position, stored = _position_of(cursor.key()), bytes(cursor.value())
        return open_block(stored, position=position).head


def _position_of(key: bytes | memoryview) -> int:
    if len(key) != _KEY.size:
        raise DamagedStore(0, f"a block is kept under a key of {len(key)} bytes")
    return _KEY.unpack(key)[0]


def _check_link(previous: Block | None, block: Block) -> None:
    if previous is None:
        if block.number == 1 and block.previous_hash != GENESIS_HASH:
            raise DamagedStore(block.position, "the first block does not begin the chain")
        return
    if block.previous_hash != previous.hash or block.number != previous.number + 1:
        raise DamagedStore(
            block.position,
            f"block {block.number} names {block.previous_hash.hex()} as the block before, which is {previous.hash.hex()}",
        )
    if block.position != previous.last_position + 1:
        raise DamagedStore(block.position, f"positions leave a gap after {previous.last_position}")
