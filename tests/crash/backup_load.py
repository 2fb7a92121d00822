"""A process that feeds an engine, backs it up while it does, and restores what it backed up, until it is killed or has done enough.

Started as `python -m tests.crash.backup_load FOLDER ROUNDS`: the engine's directory is `data`, the backup `backup`, each restore goes to a
new `restored-N`, and `witness` has what was acknowledged (see `engine_load`).
"""

from __future__ import annotations

import sys
from itertools import count
from pathlib import Path
from typing import Final

from tallystick.backup.backup_folder import BackupFolder
from tallystick.backup.take_backup import take_backup
from tallystick.engine import restore_directory
from tallystick.engine.engine import ignore_progress
from tallystick.failpoints import arm_from_environment
from tallystick.testing import ManualClock, SeededEntropy
from tests.crash import small_engine
from tests.crash.engine_load import Load

# A new file of the backup every few rounds.
FILE_BYTES_MAX: Final = 2_000


def run(folder: Path, rounds: int) -> None:
    """Send, back up, send on, restore."""
    arm_from_environment()
    clock = ManualClock(small_engine.NOW)
    engine = small_engine.opened(folder / "data", clock=clock)
    load = Load(engine, folder / "witness", clock)
    load.send_again_the_last()
    for _ in range(rounds):
        load.send_wave()
        with BackupFolder.adding(folder / "backup", file_bytes_max=FILE_BYTES_MAX) as backup:
            take_backup(backup, engine, ignore_progress, clock=clock)
        target = next(path for number in count() if not (path := folder / f"restored-{number}").exists())
        restore_directory(
            BackupFolder.opened(folder / "backup"),
            target,
            ignore_progress,
            clock=clock,
            entropy=SeededEntropy(),
            settings=small_engine.SETTINGS,
        )
    engine.close()


if __name__ == "__main__":
    run(Path(sys.argv[1]), int(sys.argv[2]))
