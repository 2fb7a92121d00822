"""The log on a real disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import lmdb
import pytest

from tallystick import failpoints
from tallystick.errors import DamagedStore, NotFound, StoreFailed, StoreFull
from tallystick.event import Position
from tallystick.instant import Instant
from tallystick.log.block import BlockKind, read_header, seal_block
from tallystick.log.event_log import Draft, EventLog
from tallystick.log.tables import Tables


@pytest.fixture
def tables(tmp_path: Path) -> Iterator[Tables]:
    tables = Tables(tmp_path, map_bytes_max=1 << 30)
    yield tables
    tables.close()


def write(tables: Tables, log: EventLog, *drafts: tuple[bytes, int]) -> None:
    with tables.write() as txn:
        blocks = log.append(
            txn,
            [Draft(BlockKind.EVENTS, payload, count) for payload, count in drafts],
            written_at=Instant(5),
        )
    log.advance(blocks)


def test_positions_go_on_where_the_last_block_ended(tables: Tables) -> None:
    log = EventLog(tables)
    write(tables, log, (b"a", 3), (b"b", 2))
    write(tables, log, (b"c", 4))
    assert [(block.number, block.position, block.last_position) for block in log.blocks()] == [
        (1, 1, 3),
        (2, 4, 5),
        (3, 6, 9),
    ]
    assert log.head.position == 9


def test_every_block_carries_the_hash_of_the_one_before(tables: Tables) -> None:
    log = EventLog(tables)
    write(tables, log, (b"a", 3), (b"b", 2), (b"c", 1))
    blocks = list(log.blocks())
    assert [block.previous_hash for block in blocks[1:]] == [block.hash for block in blocks[:-1]]
    assert log.head.hash == blocks[-1].hash


def test_a_block_is_found_by_any_of_its_positions_and_by_its_number(tables: Tables) -> None:
    log = EventLog(tables)
    write(tables, log, (b"a", 3), (b"b", 2))
    assert [log.block_at(position).payload for position in (1, 2, 3, 4, 5)] == [b"a", b"a", b"a", b"b", b"b"]
    assert log.block_numbered(2).payload == b"b"
    for position in (0, 6, 1 << 40):
        with pytest.raises(NotFound):
            log.block_at(position)
    for number in (0, 3, 1 << 64):
        with pytest.raises(NotFound):
            log.block_numbered(number)


def test_reading_from_within_a_block_begins_with_that_block(tables: Tables) -> None:
    log = EventLog(tables)
    write(tables, log, (b"a", 3), (b"b", 2))
    assert [block.payload for block in log.blocks(start=2)] == [b"a", b"b"]
    assert [block.payload for block in log.blocks(start=4)] == [b"b"]
    assert list(log.blocks(start=6)) == []


def test_a_transaction_that_fails_leaves_the_log_as_it_was(tables: Tables) -> None:
    log = EventLog(tables)
    write(tables, log, (b"a", 3))
    with failpoints.armed("log.before_commit", failpoints.fail), pytest.raises(StoreFailed):
        write(tables, log, (b"lost", 2))
    write(tables, log, (b"b", 2))
    assert [block.payload for block in log.blocks()] == [b"a", b"b"]


def test_the_head_is_the_same_after_the_file_was_opened_again(tables: Tables) -> None:
    log = EventLog(tables)
    write(tables, log, (b"a", 3))
    head = log.head
    tables.reopen()
    assert EventLog(tables).head == head


def test_a_block_that_was_changed_on_the_disk_is_named_and_not_served(tables: Tables) -> None:
    log = EventLog(tables)
    write(tables, log, (b"aaaa", 3), (b"bbbb", 2), (b"cccc", 1))
    with tables.write() as txn:
        key = (4).to_bytes(8)
        stored = txn.get(key, db=tables.tables[b"blocks"])
        assert stored is not None
        txn.put(key, bytes(stored)[:-1] + b"X", db=tables.tables[b"blocks"])
    with pytest.raises(DamagedStore) as damage:
        list(log.blocks())
    assert damage.value.position == 4
    assert log.block_at(1).payload == b"aaaa"


def test_a_block_that_is_missing_is_named_by_the_place_where_the_chain_breaks(tables: Tables) -> None:
    log = EventLog(tables)
    write(tables, log, (b"a", 3), (b"b", 2), (b"c", 1))
    with tables.write() as txn:
        txn.delete((4).to_bytes(8), db=tables.tables[b"blocks"])
    with pytest.raises(DamagedStore) as damage:
        list(log.blocks())
    assert damage.value.position == 6


def test_a_full_map_is_refused_with_nothing_written_and_smaller_writes_go_on(tmp_path: Path) -> None:
    (tmp_path / "small").mkdir()
    tables = Tables(tmp_path / "small", map_bytes_max=1 << 20)
    log = EventLog(tables)
    with pytest.raises(StoreFull, match="no room"):
        write(tables, log, (b"x" * (2 << 20), 1))
    write(tables, log, (b"small", 1))
    assert [block.payload for block in log.blocks()] == [b"small"]
    tables.close()


def test_a_file_that_is_no_log_is_refused_as_damaged(tmp_path: Path) -> None:
    (tmp_path / "data.mdb").write_bytes(b"this is no log" * 1_000)
    with pytest.raises(DamagedStore):
        Tables(tmp_path, map_bytes_max=1 << 20)


def test_a_read_never_outlives_a_reopening(tables: Tables) -> None:
    with tables.read() as txn:
        assert txn.get(b"nothing", db=tables.tables[b"blocks"]) is None
    tables.reopen()
    with tables.read() as txn:
        assert isinstance(txn, lmdb.Transaction)


def test_headers_are_read_backwards_and_are_those_of_the_blocks(tables: Tables) -> None:
    log = EventLog(tables)
    write(tables, log, (b"a", 3), (b"b", 2), (b"c", 1), (b"d", 7))
    blocks = list(log.blocks())
    assert log.headers(newest=4, limit=10) == [block.header for block in reversed(blocks)]
    assert log.headers(newest=3, limit=2) == [blocks[2].header, blocks[1].header]
    assert log.headers(newest=0, limit=2) == log.headers(newest=5, limit=2) == []


def test_a_header_that_belongs_elsewhere_is_refused() -> None:
    _, stored = seal_block(
        number=1,
        kind=BlockKind.EVENTS,
        position=Position(1),
        record_count=1,
        written_at=Instant(5),
        previous_hash=bytes(32),
        payload=b"a",
    )
    assert read_header(stored, position=1).payload_bytes == 1
    for damaged, position in ((stored, 2), (stored[:40], 1), (b"\x09" + stored[1:], 1), (b"\x01\x63" + stored[2:], 1)):
        with pytest.raises(DamagedStore):
            read_header(damaged, position=position)
