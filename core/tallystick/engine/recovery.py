"""From what is on disk to a store that can take writes: at a start, after a failed write, and when projections are made anew.

Promises: what was acknowledged is there again, exactly once, whatever was cut off: the tables of the log are of one transaction
with its head, the files are as the manifest says or are made again, and what came after the manifest is replayed from the log.
Cost: a replay of at most what the live tail held; a rebuild reads the whole log and reports its progress.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from tallystick.entropy import Entropy
from tallystick.errors import DamagedStore
from tallystick.log.block import Block, BlockKind
from tallystick.log.records import decode_catalog
from tallystick.log_head import LogHead
from tallystick.progress import Progress

from .change import Change, change_of_block
from .checkpoint import checkpoint
from .ledger import Ledger
from .manifest import Manifest, read_manifest, write_manifest

_log: Final = logging.getLogger("tallystick.recovery")
Report = Callable[[Progress], None]

# Tables that follow the log in its own transactions, and one that follows with the checkpoints.
_TABLES_OF_THE_LOG: Final = (
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
_TABLES_OF_CHECKPOINTS: Final = (b"duplicates",)
_CHANGES_PER_TRANSACTION: Final = 500
_KINDS_IN_MEMORY: Final = (BlockKind.EVENTS, BlockKind.DUPLICATES)


def recover(ledger: Ledger, *, entropy: Entropy, checkpoint_events: int, report: Report) -> None:
    """Bring memory to the head of the log. Files that are missing or not as written are made again from the log.

    Raises `DamagedStore` where the log itself is damaged, `Unavailable` if the disk fails.
    """
    ledger.log.reload()
    ledger.folds.reload()
    if not ledger.folds.catalog.meter_versions.has_all_of(ledger.folds.catalog.meters.values()):
        _fold_meter_versions(ledger)
    try:
        manifest = read_manifest(ledger.tables)
        if manifest is None:
            start_projections_anew(ledger, entropy=entropy)
        else:
            ledger.folds.projections.reset(manifest)
            ledger.keys_used.update(manifest.keys_used)
    except DamagedStore as damage:
        _log.warning("%s; its projections are made again from the log", damage)
        start_projections_anew(ledger, entropy=entropy)
    check_the_end_is_there(ledger.log.head, ledger.folds.projections.manifest)
    _replay(
        ledger, start=ledger.folds.projections.manifest.position + 1, checkpoint_events=checkpoint_events, report=report
    )


def check_the_end_is_there(head: LogHead, manifest: Manifest) -> None:
    """Raise `DamagedStore` if files were written of events that the log no longer has: making them anew would only hide the loss."""
    if manifest.position > head.position:
        raise DamagedStore(
            head.position + 1,
            f"the log ends at {head.position}, and files were written of it up to {manifest.position}",
        )


def rebuild(ledger: Ledger, *, entropy: Entropy, checkpoint_events: int, report: Report) -> None:
    """Drop every projection, tables and files, and make all of them again from the log."""
    ledger.log.reload()
    with ledger.tables.write() as txn:
        for name in _TABLES_OF_THE_LOG:
            ledger.tables.clear(txn, name)
    ledger.folds.reload()
    start_projections_anew(ledger, entropy=entropy)
    _fold_tables(ledger, report)
    ledger.folds.reload()
    _replay(ledger, start=1, checkpoint_events=checkpoint_events, report=report)
    checkpoint(ledger)
    # Their segments are gone, and the new ones have other content.
    ledger.partials.forget()


def start_projections_anew(ledger: Ledger, *, entropy: Entropy) -> None:
    """Forget the files and what follows with them, under a new manifest that names none."""
    manifest = _fresh_manifest(entropy)
    with ledger.tables.write() as txn:
        for name in _TABLES_OF_CHECKPOINTS:
            ledger.tables.clear(txn, name)
        write_manifest(txn, ledger.tables, manifest)
    ledger.folds.duplicates.reset()
    ledger.folds.projections.reset(manifest)


def _fresh_manifest(entropy: Entropy) -> Manifest:
    return Manifest(hash_seed=int.from_bytes(entropy.token_bytes(8)))


def _fold_meter_versions(ledger: Ledger) -> None:
    """Read the versions of meters from the log once, in a directory that was written before they were kept."""
    _log.warning("the versions of meters are read from the log, once: this reads all of it")
    with ledger.tables.write() as txn:
        for block in ledger.log.blocks():
            if block.kind != BlockKind.CATALOG:
                continue
            record = decode_catalog(block.payload)
            if record.kind == "meter" and record.definition is not None:
                ledger.folds.catalog.meter_versions.put(txn, record.definition, block.position)


def _replay(ledger: Ledger, *, start: int, checkpoint_events: int, report: Report) -> None:
    """Fold what came since the files were written; the tables have it already."""
    end = ledger.log.head.position
    for block in ledger.log.blocks(start=start):
        if block.kind in _KINDS_IN_MEMORY:
            change_of_block(ledger.folds, block).fold(block.position)
        if ledger.folds.projections.tail_weight >= 2 * checkpoint_events:
            checkpoint(ledger, position=block.last_position)
            report(Progress("replay", block.last_position, end))
    ledger.folds.publish()
    report(Progress("replay", end, end))


def _fold_tables(ledger: Ledger, report: Report) -> None:
    """Apply every change of the tables again, many to a transaction."""
    waiting: list[tuple[Change, Block]] = []
    end = ledger.log.head.position

    def write() -> None:
        with ledger.tables.write() as txn:
            for change, block in waiting:
                change.apply(txn, block.position)
        waiting.clear()

    for block in ledger.log.blocks():
        if block.kind not in _KINDS_IN_MEMORY:
            waiting.append((change_of_block(ledger.folds, block), block))
        if len(waiting) >= _CHANGES_PER_TRANSACTION:
            write()
            report(Progress("tables", block.last_position, end))
    write()
    report(Progress("tables", end, end))
