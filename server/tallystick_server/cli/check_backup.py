"""Whether a backup is what was written, with its progress on a bar. Reads plain files, and so needs no child process."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .failure import Failure

if TYPE_CHECKING:
    from tallystick.progress import Progress

    from .offline_walk import Finding
    from .terminal import Terminal


def check_backup(path: Path, terminal: Terminal) -> Finding:
    """Return what was found. Raises `Failure` if this is no backup."""
    from tallystick.backup import check_backup as use_case
    from tallystick.backup.backup_folder import BackupFolder
    from tallystick.errors import TallystickError

    from .offline_walk import Finding

    with terminal.progress() as bar:

        def show(progress: Progress) -> None:
            bar.show(progress.done, progress.total or None, f"{progress.step} {progress.done:,}")

        try:
            folder = BackupFolder.opened(path)
            report = use_case.check_backup(folder, show)
        except TallystickError as error:
            raise Failure(str(error)) from error
    if report.first_bad_position is not None:
        return Finding(events=report.events, first_bad_position=report.first_bad_position, problems=[report.problem])
    head = folder.head
    return Finding(position=head.position, blocks=head.block, events=report.events, head_hash=head.hash.hex())
