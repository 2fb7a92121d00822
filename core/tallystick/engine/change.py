"""A change of the log: the block that says it, and what follows from it on disk and in memory.

Every change goes through this one door, whether it is new (`Ledger.commit`) or read back from the log (replay, rebuild, verify), so that
what a projection holds can never depend on anything that the log does not say.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import lmdb
import msgspec
import numpy as np
import numpy.typing as npt

from tallystick.catalog.catalog import Catalog
from tallystick.event_columns import EventColumns
from tallystick.failpoints import hit
from tallystick.log.block import Block, BlockKind
from tallystick.log.event_log import Draft
from tallystick.log.events_payload import decode_events, encode_events, unpacked_size
from tallystick.log.records import (
    CatalogRecord,
    QuarantineRecord,
    SignalsRecord,
    VoidRecord,
    decode_catalog,
    decode_duplicates,
    decode_quarantine,
    decode_signals,
    decode_void,
    encode_duplicates,
    encode_record,
)

from .folds import Folds
from .outbox_book import OutboxBook
from .signal_book import SignalBook


class Change(msgspec.Struct, frozen=True):
    """One block's worth. `apply` writes the tables within the log's transaction, `fold` lets memory follow once it is on disk.

    Both are told the block's position.
    """

    draft: Draft
    apply: Callable[[lmdb.Transaction, int], None]
    fold: Callable[[int], None]


def events_change(folds: Folds, columns: EventColumns, hashes: npt.NDArray[np.uint64]) -> Change:
    """Return the change that events enter the log, at the positions the columns say."""
    draft = Draft(BlockKind.EVENTS, encode_events(columns), len(columns))
    return _of_events(folds, draft, columns, hashes)


def duplicates_change(folds: Folds, positions: npt.NDArray[np.int64]) -> Change:
    """Return the change that events were sent again."""
    draft = Draft(BlockKind.DUPLICATES, encode_duplicates(positions), 1)
    return Change(draft, _nothing, lambda _position: folds.duplicates.add(positions))


def void_change(folds: Folds, record: VoidRecord) -> Change:
    """Return the change that events no longer count."""
    draft = Draft(BlockKind.VOIDS, encode_record(record), 1)
    return Change(
        draft,
        lambda txn, position: folds.void_index.apply(txn, record, position),
        lambda position: folds.void_index.fold(record, position),
    )


def catalog_change(folds: Folds, record: CatalogRecord) -> Change:
    """Return the change that something is defined, or no longer."""
    draft = Draft(BlockKind.CATALOG, encode_record(record), 1)
    return Change(
        draft,
        lambda txn, position: apply_catalog(txn, folds.catalog, folds.signal_book, record, position),
        lambda _position: folds.catalog.fold(record),
    )


def apply_catalog(
    txn: lmdb.Transaction, catalog: Catalog, signal_book: SignalBook, record: CatalogRecord, position: int
) -> None:
    """Write a definition, and forget what was noticed of a signal that watches something else now."""
    signal_book.redefine(txn, catalog, record)
    catalog.apply(txn, record, position)


def signals_change(folds: Folds, record: SignalsRecord) -> Change:
    """Return the change that signals took steps, or that messages were queued, tried, or given up."""
    draft = Draft(BlockKind.SIGNALS, encode_record(record), 1)
    return Change(
        draft,
        lambda txn, position: apply_signals(txn, folds.signal_book, folds.outbox_book, record, position),
        lambda position: folds.outbox_book.fold(record, position),
    )


def apply_signals(
    txn: lmdb.Transaction, signal_book: SignalBook, outbox_book: OutboxBook, record: SignalsRecord, position: int
) -> None:
    """Write the states and the outbox after the record at `position`."""
    signal_book.apply(txn, record, position)
    hit("signals.steps_written")
    outbox_book.apply(txn, record, position)


def quarantine_change(folds: Folds, record: QuarantineRecord) -> Change:
    """Return the change that events were refused, or entries taken out."""
    draft = Draft(BlockKind.QUARANTINE, encode_record(record), 1)
    return Change(draft, partial(_apply_quarantine, folds, record), _nothing_in_memory)


def change_of_block(folds: Folds, block: Block) -> Change:
    """Return the change that a block of the log says. Its draft is the block again."""
    match block.kind:
        case BlockKind.EVENTS:
            columns = decode_events(block.payload, first_position=block.position)
            change = events_change_of(folds, columns, block)
        case BlockKind.DUPLICATES:
            change = duplicates_change(folds, decode_duplicates(block.payload))
        case BlockKind.VOIDS:
            change = void_change(folds, decode_void(block.payload))
        case BlockKind.CATALOG:
            change = catalog_change(folds, decode_catalog(block.payload))
        case BlockKind.QUARANTINE:
            change = quarantine_change(folds, decode_quarantine(block.payload))
        case BlockKind.SIGNALS:
            change = signals_change(folds, decode_signals(block.payload))
    return change


def events_change_of(folds: Folds, columns: EventColumns, block: Block) -> Change:
    """Return the change of a block of events, without packing its payload again."""
    draft = Draft(BlockKind.EVENTS, block.payload, block.record_count)
    return _of_events(folds, draft, columns, folds.projections.hashes(columns))


def _of_events(folds: Folds, draft: Draft, columns: EventColumns, hashes: npt.NDArray[np.uint64]) -> Change:
    packed_bytes = unpacked_size(draft.payload)
    return Change(draft, _nothing, lambda _position: folds.projections.fold(columns, hashes, packed_bytes=packed_bytes))


def _apply_quarantine(folds: Folds, record: QuarantineRecord, txn: lmdb.Transaction, position: int) -> None:
    folds.quarantine.apply(txn, record, position)


def _nothing(_txn: lmdb.Transaction, _position: int) -> None:
    """Write nothing: a checkpoint does."""


def _nothing_in_memory(_position: int) -> None:
    """Keep nothing in memory: it is read from the table."""
