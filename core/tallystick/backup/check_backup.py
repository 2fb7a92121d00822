"""Check a backup: each block hashes to what it says, and follows the one before, up to the head."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from tallystick.errors import DamagedBackup
from tallystick.event import Position
from tallystick.log.block import BlockKind
from tallystick.progress import Progress

from .backup_folder import BackupFolder

_REPORT_EVERY_BLOCKS: Final = 1_000


class BackupReport(msgspec.Struct, frozen=True, kw_only=True):
    """What was found; `events` counts all in the blocks that are whole, voided ones too. `first_bad_position` is None if all are."""

    events: int
    first_bad_position: Position | None = None
    problem: str = ""


def check_backup(folder: BackupFolder, report: Callable[[Progress], None]) -> BackupReport:
    """Read all of it."""
    events = reached = 0
    try:
        for block, _ in folder.blocks():
            reached = block.last_position
            events += block.record_count if block.kind == BlockKind.EVENTS else 0
            if block.number % _REPORT_EVERY_BLOCKS == 0:
                report(Progress("check", reached, folder.head.position))
    except DamagedBackup as damage:
        return BackupReport(events=events, first_bad_position=Position(reached + 1), problem=str(damage))
    return BackupReport(events=events)
