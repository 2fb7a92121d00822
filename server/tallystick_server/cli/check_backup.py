"""Whether a backup is what was written, with its progress on a bar. Reads plain files, and so needs no child process."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from .failure import Failure
from .terminal import show_progress

if TYPE_CHECKING:
    from .offline_walk import Finding
    from .terminal import Terminal


def check_backup(path: Path, terminal: Terminal) -> Finding:
    """Return what was found. Raises `Failure` if this is no backup."""
    from tallystick.backup import check_backup as use_case
    from tallystick.backup.backup_folder import BackupFolder
    from tallystick.errors import TallystickError

    from .offline_walk import Finding

    with terminal.progress() as bar:
        try:
            folder = BackupFolder.opened(path)
            report = use_case.check_backup(folder, partial(show_progress, bar))
        except TallystickError as error:
            raise Failure(str(error)) from error
    if report.first_bad_position is not None:
        return Finding(events=report.events, first_bad_position=report.first_bad_position, problems=[report.problem])
    head = folder.head
    return Finding(position=head.position, blocks=head.block, events=report.events, head_hash=head.hash.hex())
