"""Take a backup: copy the blocks that a folder does not have yet, from a log that may be written meanwhile.

Cost: what came since the last time, in pieces of some MiB; the log is read in short looks and nobody waits for it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from tallystick.errors import OtherLog
from tallystick.instant import NS_PER_MS, Clock
from tallystick.log_head import LogHead
from tallystick.progress import Progress

from .backup_folder import BackupFolder, BackupHead

# So much may have to be copied again after a crash.
_KEEP_EVERY_BYTES: Final = 64 * 1024 * 1024


class BlockSource(Protocol):
    """A log to be copied: an open store, a directory that another process has open, or an appliance that is asked by HTTP."""

    def log_head(self) -> LogHead:
        """Return where it ends now."""
        ...

    def stored_blocks(self, *, after: int) -> list[bytes]:
        """Return some blocks behind block number `after`, as they are stored; none if there are none."""
        ...


def take_backup(
    folder: BackupFolder, source: BlockSource, report: Callable[[Progress], None], *, clock: Clock
) -> BackupHead:
    """Add what the log has up to its head of this moment, or a little more, and return what the backup has now.

    Raises `OtherLog` if the folder holds blocks that are not of this log, `DamagedStore` if the log is damaged, `OSError`.
    """
    end = source.log_head()
    if folder.head.block > end.block or (folder.head.block == end.block and folder.head.hash != end.hash):
        raise OtherLog(str(folder.path), block=folder.head.block)
    while folder.head.block < end.block:
        blocks = source.stored_blocks(after=folder.head.block)
        if not blocks:
            raise OtherLog(str(folder.path), block=folder.head.block)
        folder.add(blocks)
        report(Progress("copy", folder.head.position, end.position))
        if folder.unkept_bytes >= _KEEP_EVERY_BYTES:
            folder.keep(at_ms=clock.now() // NS_PER_MS)
    kept = folder.keep(at_ms=clock.now() // NS_PER_MS)
    report(Progress("copy", kept.position, kept.position))
    return kept
