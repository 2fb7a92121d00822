"""Whether a backup is what was written: each block hashes to what it says, and follows the one before."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .failure import Failure

if TYPE_CHECKING:
    from .offline_walk import Finding
    from .terminal import Terminal

_SHOWN_EVERY = 1_000


def check_backup(path: Path, terminal: Terminal) -> Finding:
    """Return what was found. `events` counts those of blocks of events, voided ones too. Raises `Failure` if this is no backup."""
    from tallystick.backup.backup_folder import BackupFolder
    from tallystick.errors import DamagedBackup, StoreRefused
    from tallystick.log.block import BlockKind

    from .offline_walk import Finding

    events = reached = 0
    try:
        folder = BackupFolder.opened(path)
        with terminal.progress() as bar:
            for block, _ in folder.blocks():
                reached = block.last_position
                events += block.record_count if block.kind == BlockKind.EVENTS else 0
                if block.number % _SHOWN_EVERY == 0:
                    bar.show(block.number, folder.head.block, f"block {block.number:,}")
    except StoreRefused as error:
        raise Failure(str(error)) from error
    except DamagedBackup as damage:
        return Finding(events=events, first_bad_position=damage.position or reached + 1, problems=[str(damage)])
    head = folder.head
    return Finding(position=head.position, blocks=head.block, events=events, head_hash=head.hash.hex())
