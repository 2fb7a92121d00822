"""Zeros that stand where the log will write: ahead of it, never on it, and nobody's trouble."""

from __future__ import annotations

import resource
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tallystick.instant import Instant
from tallystick.log.block import BlockKind
from tallystick.log.event_log import Draft, EventLog
from tallystick.log.room_ahead import RoomAhead, planned_room
from tallystick.log.tables import Tables


@given(used=st.integers(0, 2**40), size=st.integers(0, 2**40))
def test_nothing_in_use_is_ever_written_and_there_is_room_afterwards(used: int, size: int) -> None:
    start, end = planned_room(used, size_bytes=size)
    assert used <= start <= end
    assert max(size, end) - used >= 65_536
    assert end - used <= 65_536 + max(65_536, min(used // 8, 4 * 1024 * 1024)) or start == end


def test_the_log_reads_as_written_though_its_file_is_longer_than_it(tmp_path: Path) -> None:
    tables = Tables(tmp_path, map_bytes_max=1 << 30)
    log = EventLog(tables)
    for number in range(300):
        with tables.write() as txn:
            blocks = log.append(txn, [Draft(BlockKind.EVENTS, b"%d" % number * 400, 1)], written_at=Instant(number))
        log.advance(blocks)
        assert (tmp_path / "data.mdb").stat().st_size > tables.used_bytes() or number == 0
    tables.close()
    tables = Tables(tmp_path, map_bytes_max=1 << 30, may_create=False)
    assert [block.payload for block in EventLog(tables).blocks()] == [b"%d" % number * 400 for number in range(300)]
    tables.close()


def test_a_large_commit_is_not_written_twice(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(bytes(4_096))
    room = RoomAhead(file)
    assert room.keep(4_096)
    assert not room.keep(4_096 + 1_000_000)
    assert room.keep(4_096 + 1_000_000)
    room.close()


def test_without_room_on_the_disk_it_gives_up_quietly(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(bytes(4_096))
    room = RoomAhead(file)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8_192, before[1]))
    try:
        room.keep(4_096)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert file.stat().st_size == 8_192
    assert room.keep(4_096)
    assert file.stat().st_size > 65_536
    room.close()
