"""A checkpoint: what is in memory only becomes files, so that memory and the time of a recovery stay bounded.

Three steps, of which the long one is off the writer's thread: seal (new events go to a new tail), write the files, name them in the
manifest. A crash before the last step leaves files that nothing names, deleted at the next start, and the log to replay.
"""

from __future__ import annotations

from tallystick.failpoints import hit

from .ledger import Ledger
from .manifest import Manifest, write_manifest
from .projections import CheckpointFiles, SealedTail


def checkpoint(ledger: Ledger, *, position: int | None = None) -> bool:
    """Do all three steps on this thread, which has the write side; events up to `position` (the head) were folded.

    Publishes nothing: the view of before stays right, and while the log is replayed there is none yet that would be.
    """
    sealed = seal(ledger, position=position)
    if sealed is None:
        return False
    return commit_files(ledger, sealed, ledger.folds.projections.write_files(sealed))


def seal(ledger: Ledger, *, position: int | None = None) -> SealedTail | None:
    """Begin a checkpoint on the write side. The same stretch again if one was begun and not finished, None if there is nothing."""
    projections, duplicates = ledger.folds.projections, ledger.folds.duplicates
    if projections.sealed is None:
        if not projections.tail_events and not duplicates.has_pending:
            return None
        duplicates.seal()
        projections.seal(ledger.log.head.position if position is None else position)
    return projections.sealed


def commit_files(ledger: Ledger, sealed: SealedTail, files: CheckpointFiles) -> bool:
    """Name the files in the manifest, on the write side. False if the store was reopened since, and the files mean nothing."""
    projections = ledger.folds.projections
    if sealed is not projections.sealed or sealed.generation != projections.generation:
        return False
    manifest = projections.manifest_with(sealed, files, keys_used=ledger.keys_used)
    write_manifest_durably(ledger, manifest, with_duplicates=True)
    ledger.folds.duplicates.adopt_sealed()
    projections.adopt(manifest, sealed, files)
    ledger.counters.checkpoints += 1
    return True


def write_manifest_durably(ledger: Ledger, manifest: Manifest, *, with_duplicates: bool = False) -> None:
    """Write the manifest in a transaction of its own, with the sealed counts of duplicates where a checkpoint brings them."""
    hit("checkpoint.before_manifest")
    with ledger.tables.write() as txn:
        if with_duplicates:
            ledger.folds.duplicates.write_sealed(txn)
        write_manifest(txn, ledger.tables, manifest)
    hit("checkpoint.manifest_written")
