"""A data directory made from a backup answers as the one did that the backup was taken of."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tallystick.backup.backup_folder import BackupFolder
from tallystick.backup.take_backup import take_backup
from tallystick.engine import Engine, restore_directory, verify_directory
from tallystick.errors import DamagedBackup, StoreRefused
from tallystick.identity import Identity
from tallystick.instant import parse_instant
from tallystick.meter import Meter
from tallystick.testing import ManualClock, SeededEntropy
from tallystick.usage.question import UsageQuestion
from tests.core.engine.conftest import EngineHouse, call, house, ignore

__all__ = ["house"]

METER = Meter(key="calls", name="Calls", event_type="call", aggregation="count")
OCTOBER_ON = UsageQuestion(start=parse_instant("2026-10-01T00:00:00Z"), end=parse_instant("2026-12-01T00:00:00Z"))


def fill(house: EngineHouse) -> None:
    engine = house.engine
    engine.put_meter(METER, create=True)
    for start in range(0, 200, 40):
        engine.ingest(house.batch(*(call(f"e{number}") for number in range(start, start + 40))))
    engine.ingest(house.batch(call("e1"), call("e1"), call("e7", customer="other"), {"id": "bad"}))
    engine.void_events([Identity("", "e3")], reason="a test", remember_missing=False)
    engine.checkpoint()


def restored(backup: Path, target: Path, house: EngineHouse) -> None:
    restore_directory(
        BackupFolder.opened(backup), target, ignore, clock=house.clock, entropy=SeededEntropy(), settings=house.settings
    )


def back_up(house: EngineHouse, folder: Path) -> None:
    with BackupFolder.adding(folder) as backup:
        take_backup(backup, house.engine, ignore, clock=house.clock)


def test_figures_receipts_meters_and_what_was_refused_are_as_they_were(house: EngineHouse, tmp_path: Path) -> None:
    fill(house)
    back_up(house, tmp_path / "backup")
    head = house.engine.log_head()
    # What comes after the backup is not in it.
    house.engine.ingest(house.batch(call("late")))
    restored(tmp_path / "backup", tmp_path / "restored", house)

    report = verify_directory(tmp_path / "restored", ignore, settings=house.settings)
    assert (report.first_bad_position, report.problems, report.head) == (None, [], head)
    other = EngineHouse(tmp_path / "restored", settings=house.settings, clock=house.clock)
    try:
        then = msgspec.structs.replace(OCTOBER_ON, as_of=head.position)
        assert other.engine.usage("calls", then).totals == house.engine.usage("calls", then).totals
        assert [meter.key for meter in other.engine.meters(include_archived=True)] == ["calls"]
        assert other.engine.quarantine_reasons() == house.engine.quarantine_reasons()
        assert other.engine.receipt(Identity("", "e1")) == house.engine.receipt(Identity("", "e1"))
        # Nothing is counted twice after it, and the log goes on where it was.
        answer = other.engine.ingest(house.batch(call("e1"), call("late")))
        assert (answer.accepted, answer.duplicates) == (1, 1)
        assert other.engine.log_head().position > head.position
        counted = other.engine.usage("calls", OCTOBER_ON).totals[0].value
        assert counted == house.engine.usage("calls", OCTOBER_ON).totals[0].value
    finally:
        other.engine.close()


def test_an_empty_log_is_restored_as_an_empty_one(house: EngineHouse, tmp_path: Path) -> None:
    back_up(house, tmp_path / "backup")
    restored(tmp_path / "backup", tmp_path / "restored", house)
    EngineHouse(tmp_path / "restored", settings=house.settings).engine.close()


def test_a_target_that_is_not_empty_is_refused_and_left_alone(house: EngineHouse, tmp_path: Path) -> None:
    back_up(house, tmp_path / "backup")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("dear")
    for target in (house.directory, tmp_path / "full"):
        before = sorted(entry.name for entry in target.iterdir())
        with pytest.raises(StoreRefused, match="not empty"):
            restored(tmp_path / "backup", target, house)
        assert sorted(entry.name for entry in target.iterdir()) == before


def test_a_damaged_backup_leaves_the_target_empty(house: EngineHouse, tmp_path: Path) -> None:
    fill(house)
    back_up(house, tmp_path / "backup")
    file = tmp_path / "backup" / "00000001.blocks"
    content = bytearray(file.read_bytes())
    content[-5] ^= 1
    file.write_bytes(content)
    with pytest.raises(DamagedBackup):
        restored(tmp_path / "backup", tmp_path / "restored", house)
    assert list((tmp_path / "restored").iterdir()) == []


def test_a_restore_that_did_not_come_to_its_end_is_not_taken_for_a_directory(tmp_path: Path) -> None:
    (tmp_path / "RESTORING").touch()
    with pytest.raises(StoreRefused, match="did not come to its end: remove the directory"):
        Engine.open(tmp_path, clock=ManualClock(), entropy=SeededEntropy())
