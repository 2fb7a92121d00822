"""A backup folder: what was kept is one chain from the first block, whatever else a crash or a hand left in it."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.backup.backup_folder import BackupFolder
from tallystick.backup.check_backup import check_backup
from tallystick.backup.take_backup import take_backup
from tallystick.errors import DamagedBackup, OtherLog, StoreRefused
from tallystick.log_head import LogHead
from tallystick.progress import Progress
from tallystick.testing import ManualClock

from .conftest import GrowingLog

PAYLOADS = st.lists(st.binary(max_size=40), max_size=12)
SMALL = 100


def ignore(_progress: Progress) -> None:
    """Report to nobody."""


def back_up(folder: Path, log: GrowingLog, *, file_bytes_max: int = SMALL) -> LogHead:
    with BackupFolder.adding(folder, file_bytes_max=file_bytes_max) as backup:
        take_backup(backup, log, ignore, clock=ManualClock())
        return backup.head


def kept(folder: Path) -> list[bytes]:
    return [stored for _, stored in BackupFolder.opened(folder).blocks()]


@settings(max_examples=50)
@given(st.lists(PAYLOADS, max_size=4), st.integers(1, 5))
def test_taken_again_and_again_it_has_all_blocks_as_the_log_stores_them(
    growths: list[list[bytes]], blocks_at_once: int
) -> None:
    log = GrowingLog(blocks_at_once)
    with TemporaryDirectory() as name:
        folder = Path(name) / "backup"
        assert back_up(folder, log) == log.head
        for payloads in growths:
            log.grow(*payloads)
            assert back_up(folder, log) == log.head
            assert kept(folder) == log.blocks
        assert check_backup(BackupFolder.opened(folder), ignore).first_bad_position is None


def test_only_what_came_since_is_asked_for(tmp_path: Path) -> None:
    class Counted(GrowingLog):
        asked: list[int] = []  # noqa: RUF012 - of this one test

        def stored_blocks(self, *, after: int) -> list[bytes]:
            self.asked.append(after)
            return super().stored_blocks(after=after)

    log = Counted()
    log.grow(b"a", b"b")
    back_up(tmp_path / "backup", log)
    log.grow(b"c")
    back_up(tmp_path / "backup", log)
    back_up(tmp_path / "backup", log)
    assert log.asked == [0, 2]


@pytest.mark.parametrize("rubbish", [b"\x00", b"\x00\x00\x00\x09half", b"\x00" * 4096], ids=["a byte", "half", "zeros"])
def test_what_a_crash_left_behind_the_kept_end_is_dropped(tmp_path: Path, rubbish: bytes) -> None:
    log = GrowingLog()
    log.grow(b"abc", b"d")
    back_up(tmp_path, log, file_bytes_max=1 << 20)
    with (tmp_path / "00000001.blocks").open("ab") as file:
        file.write(rubbish)
    (tmp_path / "00000002.blocks").write_bytes(rubbish)
    (tmp_path / "HEAD.tmp").write_bytes(rubbish)
    assert kept(tmp_path) == log.blocks
    log.grow(b"e")
    assert back_up(tmp_path, log, file_bytes_max=1 << 20) == log.head
    assert kept(tmp_path) == log.blocks
    assert not (tmp_path / "00000002.blocks").exists()


@settings(max_examples=60)
@given(st.data())
def test_any_bit_that_turned_is_found_and_never_another_block(data: st.DataObject) -> None:
    log = GrowingLog()
    log.grow(b"some payload", b"", b"another one", b"x" * 50)
    with TemporaryDirectory() as name:
        folder = Path(name)
        back_up(folder, log)
        files = sorted(folder.glob("*.blocks"))
        file = data.draw(st.sampled_from(files), "file")
        content = bytearray(file.read_bytes())
        place = data.draw(st.integers(0, len(content) - 1), "byte")
        content[place] ^= 1 << data.draw(st.integers(0, 7), "bit")
        file.write_bytes(content)
        report = check_backup(BackupFolder.opened(folder), ignore)
        assert report.first_bad_position is not None
        assert 1 <= report.first_bad_position <= log.head.position
        assert "use another backup" in report.problem


def test_a_file_that_is_missing_or_cut_is_named(tmp_path: Path) -> None:
    log = GrowingLog()
    log.grow(*[b"x" * 60] * 6)
    back_up(tmp_path, log)
    first, *_, last = sorted(tmp_path.glob("*.blocks"))
    content = last.read_bytes()
    last.write_bytes(content[:-1])
    for read in (lambda: kept(tmp_path), lambda: back_up(tmp_path, log)):
        with pytest.raises(DamagedBackup, match=last.name):
            read()
    last.write_bytes(content)
    first.unlink()
    with pytest.raises(DamagedBackup, match=first.name):
        kept(tmp_path)
    (tmp_path / "HEAD").write_text("{")
    with pytest.raises(DamagedBackup, match="HEAD"):
        kept(tmp_path)


def test_blocks_of_another_log_are_refused_and_the_folder_stays_as_it_was(tmp_path: Path) -> None:
    log, other, shorter, elsewhere = GrowingLog(), GrowingLog(), GrowingLog(), GrowingLog()
    log.grow(b"a", b"b")
    other.grow(b"a", b"B", b"c")
    shorter.grow(b"a")
    # As many blocks, and more records in them: the next block is for another position.
    elsewhere.grow(b"aaa", b"bbb", b"c")
    same_length = GrowingLog()
    same_length.grow(b"a", b"B")
    back_up(tmp_path, log)
    for stranger in (other, shorter, same_length, elsewhere):
        with pytest.raises(OtherLog, match="into an empty folder"):
            back_up(tmp_path, stranger)
        assert kept(tmp_path) == log.blocks


def test_a_folder_of_other_things_one_in_use_and_one_of_a_newer_format_are_refused(tmp_path: Path) -> None:
    log = GrowingLog()
    strange = tmp_path / "strange"
    strange.mkdir()
    (strange / "letter.txt").write_text("dear")
    with pytest.raises(StoreRefused, match=r"other things \(letter\.txt\)"):
        back_up(strange, log)
    with pytest.raises(StoreRefused, match="cannot hold a backup"):
        back_up(strange / "letter.txt", log)
    with pytest.raises(StoreRefused, match="no backup"):
        BackupFolder.opened(strange)
    used = tmp_path / "used"
    with BackupFolder.adding(used), pytest.raises(StoreRefused, match="another process"):
        back_up(used, log)
    log.grow(b"a")
    back_up(used, log)
    head = (used / "HEAD").read_text()
    (used / "HEAD").write_text(head.replace('"format":1', '"format":2'))
    with pytest.raises(StoreRefused, match="format 2"):
        back_up(used, log)


def test_nobody_else_may_read_it(tmp_path: Path) -> None:
    log = GrowingLog()
    log.grow(b"a")
    back_up(tmp_path / "backup", log)
    assert (tmp_path / "backup").stat().st_mode & 0o777 == 0o700
    assert {entry.stat().st_mode & 0o777 for entry in (tmp_path / "backup").iterdir()} == {0o600}
