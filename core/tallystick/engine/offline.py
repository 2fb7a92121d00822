"""Verify and rebuild of a directory that no appliance has open; and a backup of one, which an appliance may have open."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from pathlib import Path

from tallystick.backup.backup_folder import BackupFolder, BackupHead
from tallystick.backup.take_backup import take_backup
from tallystick.data_directory import DataDirectory
from tallystick.engine_settings import EngineSettings
from tallystick.entropy import Entropy
from tallystick.errors import DamagedStore, StoreRefused
from tallystick.event import Position
from tallystick.instant import Clock
from tallystick.log.event_log import EventLog
from tallystick.log.shared_log import SharedLog
from tallystick.log.tables import Tables
from tallystick.log_head import EMPTY_HEAD, LogHead
from tallystick.progress import Progress
from tallystick.store import VerifyReport

from .ledger import Ledger
from .recovery import rebuild
from .verify import VerifiedFiles, verify

Report = Callable[[Progress], None]


def verify_directory(directory: Path, report: Report, *, settings: EngineSettings | None = None) -> VerifyReport:
    """Verify a data directory; see `Store.verify`. A log that cannot even be opened is a finding.

    Raises `DirectoryInUse`, `StoreRefused`.
    """
    settings = settings or EngineSettings()
    try:
        with _opened(directory, settings) as (opened, tables):
            files = VerifiedFiles(segments_path=opened.segments_path, dedupe_path=opened.dedupe_path)
            return verify(tables, EventLog(tables), files, settings=settings, report=report)
    except DamagedStore as damage:
        return VerifyReport(
            head=EMPTY_HEAD,
            blocks=0,
            events=0,
            first_bad_position=Position(damage.position),
            problems=[str(damage)],
        )


def rebuild_directory(
    directory: Path, report: Report, *, clock: Clock, entropy: Entropy, settings: EngineSettings | None = None
) -> LogHead:
    """Drop every projection of a data directory and make it again from the log. Raises as `verify_directory` does."""
    settings = settings or EngineSettings()
    with _opened(directory, settings) as (opened, tables):
        ledger = Ledger(opened, tables, clock=clock, settings=settings)
        with closing(ledger.partials):
            rebuild(ledger, entropy=entropy, checkpoint_events=settings.checkpoint_events, report=report)
        return ledger.log.head


def back_up_directory(directory: Path, backup: Path, report: Report, *, clock: Clock) -> BackupHead:
    """Add to a backup what it does not have of the directory's log; see `take_backup`. Raises `StoreRefused` too."""
    with SharedLog(directory) as log, BackupFolder.adding(backup) as folder:
        return take_backup(folder, log, report, clock=clock)


@contextmanager
def _opened(directory: Path, settings: EngineSettings) -> Generator[tuple[DataDirectory, Tables]]:
    if not (directory / "FORMAT").exists():
        raise StoreRefused(f"{directory} is no data directory: it has no file FORMAT")
    with closing(DataDirectory(directory)) as opened:
        tables = Tables(opened.log_path, map_bytes_max=settings.map_bytes_max, may_create=False)
        with closing(tables):
            yield opened, tables
