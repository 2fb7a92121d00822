"""SIGKILL at every named step of a backup and of a restore: copies stay whole, and no part of a log passes for all of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tallystick.backup.backup_folder import BackupFolder
from tallystick.backup.check_backup import check_backup
from tallystick.backup.take_backup import take_backup
from tallystick.engine import restore_directory
from tallystick.engine.engine import ignore_progress
from tallystick.errors import StoreRefused
from tallystick.event import Position
from tallystick.testing import ManualClock, SeededEntropy
from tests.crash import backup_load, small_engine
from tests.crash.child_process import run_module
from tests.crash.judgement import judge
from tests.crash.test_kill_at_failpoints import STEPS_OF_BACKUPS, failpoints, told

ROUNDS_MAX = 40
STEPS = [name for name in failpoints() if name.startswith(STEPS_OF_BACKUPS)]


def kill_at(name: str, *, nth: int, folder: Path) -> None:
    armed = {"TALLYSTICK_FAILPOINTS": f"{name}=kill:{nth}"}
    ended = run_module(backup_load.__name__, folder, ROUNDS_MAX, variables=armed)
    assert ended.returncode == -9, f"{name} was never reached" if ended.returncode == 0 else ended.stderr


def log_and_figures(directory: Path, *, at: Position | None = None) -> tuple[object, ...]:
    engine = small_engine.opened(directory, with_background=False)
    try:
        position = engine.log_head().position if at is None else at
        events = [(stored.position, stored.event.id) for stored in engine.scan_log() if stored.position <= position]
        return position, events
    finally:
        engine.close()


def test_the_steps_are_found_in_the_source() -> None:
    assert {"backup.synced", "backup.kept", "restore.copied", "restore.stamped"} <= set(STEPS)


@pytest.mark.slow
@pytest.mark.parametrize("name", STEPS)
def test_a_kill_at_a_step_and_again_in_the_next_life_leaves_whole_copies_only(name: str, memory_folder: Path) -> None:
    for nth in (1, 2):
        kill_at(name, nth=nth, folder=memory_folder)
    judge(memory_folder / "data", told(memory_folder))
    if (memory_folder / "backup" / "HEAD").exists():
        assert check_backup(BackupFolder.opened(memory_folder / "backup"), ignore_progress).first_bad_position is None
    for target in memory_folder.glob("restored-*"):
        try:
            position, events = log_and_figures(target)
        except StoreRefused as refused:
            assert "did not come to its end" in str(refused)  # noqa: PT017 - either is right, and nothing else
        else:
            assert (position, events) == log_and_figures(memory_folder / "data", at=Position(int(str(position))))

    # And the next ones go on: the backup where it was, the restore in a new place.
    engine = small_engine.opened(memory_folder / "data", with_background=False)
    with BackupFolder.adding(memory_folder / "backup") as backup:
        take_backup(backup, engine, ignore_progress, clock=ManualClock())
    engine.close()
    backup = BackupFolder.opened(memory_folder / "backup")
    clock, entropy, end = ManualClock(), SeededEntropy(), memory_folder / "end"
    restore_directory(backup, end, ignore_progress, clock=clock, entropy=entropy, settings=small_engine.SETTINGS)
    assert log_and_figures(end) == log_and_figures(memory_folder / "data")
