"""The tables that follow the log, made again elsewhere by the same code, to be compared with the stored ones."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Final

import lmdb

from tallystick.catalog.catalog import Catalog
from tallystick.engine_settings import EngineSettings
from tallystick.errors import DamagedStore
from tallystick.log.block import Block, BlockKind
from tallystick.log.records import decode_catalog, decode_duplicates, decode_quarantine, decode_signals, decode_void
from tallystick.log.tables import Tables

from .change import apply_catalog, apply_signals
from .duplicate_counts import DuplicateCounts, same_counts
from .outbox_book import OutboxBook
from .quarantine import Quarantine
from .signal_book import SignalBook
from .void_index import VoidIndex

_COMPARED: Final = (
    b"catalog",
    b"voids",
    b"remembered",
    b"quarantine",
    b"quarantine_hashes",
    b"signal_states",
    b"signal_steps",
    b"steps_by_signal",
    b"signals_fired",
    b"deliveries",
    b"outbox",
)
_DUPLICATES: Final = b"duplicates"
_BLOCKS_PER_TRANSACTION: Final = 500


class ScratchTables:
    """Tables in a folder of their own, folded from blocks in the order of the log."""

    def __init__(self, folder: Path, settings: EngineSettings) -> None:
        self._tables = Tables(folder, map_bytes_max=settings.map_bytes_max)
        self._catalog = Catalog(self._tables)
        self._void_index = VoidIndex(self._tables)
        self._quarantine = Quarantine(self._tables, entries_max=settings.quarantine_entries_max)
        self._signal_book = SignalBook(self._tables)
        self._outbox_book = OutboxBook(self._tables)
        self._duplicates = DuplicateCounts(self._tables)
        self._waiting: list[Block] = []
        # How far duplicates count is known at the end only: by then a checkpoint may have written more of them.
        self._duplicate_blocks: list[Block] = []

    def apply(self, block: Block) -> None:
        """Take the next block that holds no events."""
        if block.kind == BlockKind.DUPLICATES:
            self._duplicate_blocks.append(block)
            return
        self._waiting.append(block)
        if len(self._waiting) >= _BLOCKS_PER_TRANSACTION:
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        with self._tables.write() as txn:
            for block in self._waiting:
                self._apply(txn, block)
        self._waiting.clear()

    def finish(self, *, duplicates_until: int) -> None:
        """Write the rest, with the duplicates that a checkpoint up to that position has written."""
        self.flush()
        for block in self._duplicate_blocks:
            if block.position <= duplicates_until:
                self._duplicates.add(decode_duplicates(block.payload))
        self._duplicates.seal()
        with self._tables.write() as txn:
            self._duplicates.write_sealed(txn)

    def differing_tables(self, txn: lmdb.Transaction, stored: Tables) -> list[str]:
        """Return the names of the stored tables, as `txn` sees them, that are not as they should be."""
        with self._tables.read() as own:
            differing = [
                name
                for name in (*_COMPARED, _DUPLICATES)
                if not _same(self._tables.rows(own, name), stored.rows(txn, name), counts=name == _DUPLICATES)
            ]
        return [name.decode() for name in differing]

    def close(self) -> None:
        """Release the folder."""
        self._tables.close()

    def _apply(self, txn: lmdb.Transaction, block: Block) -> None:
        match block.kind:
            case BlockKind.VOIDS:
                self._void_index.apply(txn, decode_void(block.payload), block.position)
            case BlockKind.CATALOG:
                record = decode_catalog(block.payload)
                apply_catalog(txn, self._catalog, self._signal_book, record, block.position)
            case BlockKind.QUARANTINE:
                self._quarantine.apply(txn, decode_quarantine(block.payload), block.position)
            case BlockKind.SIGNALS:
                apply_signals(txn, self._signal_book, self._outbox_book, decode_signals(block.payload), block.position)
            case BlockKind.EVENTS | BlockKind.DUPLICATES:
                raise AssertionError("events have no table, and duplicates wait for the end")


def _same(left: Iterator[tuple[bytes, bytes]], right: Iterator[tuple[bytes, bytes]], *, counts: bool) -> bool:
    """Whether two tables say the same; rows of counts may be packed in different ways."""
    try:
        return all(
            ours == theirs
            or (
                counts
                and ours is not None
                and theirs is not None
                and ours[0] == theirs[0]
                and same_counts(ours[1], theirs[1])
            )
            for ours, theirs in zip_longest(left, right)
        )
    except DamagedStore:
        return False
