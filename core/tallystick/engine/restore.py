"""Restore: a new data directory from a backup, with everything that follows from the log made again.

Promises: until all of it is on disk the directory is not taken for one (see `RESTORING`), so that no part of a log passes for the whole;
what fails leaves the directory empty.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

from tallystick.backup.backup_folder import BackupFolder
from tallystick.data_directory import RESTORING, DataDirectory
from tallystick.durable_files import sync_directory, write_durably
from tallystick.engine_settings import EngineSettings
from tallystick.entropy import Entropy
from tallystick.errors import StoreRefused
from tallystick.failpoints import hit
from tallystick.instant import Clock
from tallystick.log.block import Block
from tallystick.log.event_log import EventLog
from tallystick.log.tables import Tables
from tallystick.log_head import LogHead
from tallystick.progress import Progress

from .ledger import Ledger
from .offline import Report
from .recovery import rebuild

_BYTES_PER_TRANSACTION: Final = 32 * 1024 * 1024


def restore_directory(
    backup: BackupFolder,
    directory: Path,
    report: Report,
    *,
    clock: Clock,
    entropy: Entropy,
    settings: EngineSettings | None = None,
) -> LogHead:
    """Make the data directory from a backup; it must be missing or empty. Returns where its log ends.

    Raises `StoreRefused`, `DamagedBackup`, `StoreFull`, `StoreFailed`.
    """
    settings = settings or EngineSettings()
    _begin(directory)
    try:
        return _restore(backup, directory, report, clock=clock, entropy=entropy, settings=settings)
    except Exception:
        # All in it was made here.
        for entry in directory.iterdir():
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        raise


def _restore(
    backup: BackupFolder, directory: Path, report: Report, *, clock: Clock, entropy: Entropy, settings: EngineSettings
) -> LogHead:
    with closing(DataDirectory(directory, is_restored=True)) as opened:
        with closing(Tables(opened.log_path, map_bytes_max=settings.map_bytes_max)) as tables:
            ledger = Ledger(opened, tables, clock=clock, settings=settings)
            with closing(ledger.partials):
                _copy(backup, tables, ledger.log, report)
                hit("restore.copied")
                rebuild(ledger, entropy=entropy, checkpoint_events=settings.checkpoint_events, report=report)
                hit("restore.rebuilt")
        opened.stamp()
        hit("restore.stamped")
        (directory / RESTORING).unlink()
        sync_directory(directory)
    return ledger.log.head


def _begin(directory: Path) -> None:
    try:
        if directory.exists() and any(directory.iterdir()):
            raise StoreRefused(f"{directory} is not empty: a backup is restored into a new or an empty directory")
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_durably(directory / RESTORING, b"")
    except OSError as error:
        raise StoreRefused(f"{directory} cannot be used as a data directory: {error.strerror}") from error


def _copy(backup: BackupFolder, tables: Tables, log: EventLog, report: Report) -> None:
    for blocks in _batches(backup):
        with tables.write() as txn:
            log.append_stored(txn, blocks)
        log.advance([block for block, _ in blocks])
        report(Progress("copy", log.head.position, backup.head.position))


def _batches(backup: BackupFolder) -> Iterator[list[tuple[Block, bytes]]]:
    waiting: list[tuple[Block, bytes]] = []
    size = 0
    for block, stored in backup.blocks():
        waiting.append((block, stored))
        size += len(stored)
        if size >= _BYTES_PER_TRANSACTION:
            yield waiting
            waiting, size = [], 0
    if waiting:
        yield waiting
