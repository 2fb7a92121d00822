"""The writer answers everybody, whatever goes wrong at once."""

from __future__ import annotations

import errno
import os
import threading
from concurrent.futures import Future
from time import monotonic

import lmdb
import pytest

from tallystick import failpoints
from tallystick.errors import DamagedStore, StoreFailed, StoreFull, TallystickError
from tallystick.store import IngestAnswer

from .conftest import EngineHouse, call

_PATIENCE_S = 5
Answer = Future[IngestAnswer | TallystickError]


def damage_the_first_block(house: EngineHouse) -> None:
    """Wipe the hash of a block on the disk, while the engine is closed; what the next block says of it stays."""
    house.engine.checkpoint()
    digest, following = house.engine.block(1).hash, house.engine.block(2).hash
    house.engine.close()
    path = house.directory / "log" / "data.mdb"
    said, kept = digest + following, b"kept" * 16
    content = path.read_bytes().replace(said, kept).replace(digest, bytes(32)).replace(kept, said)
    path.write_bytes(content)
    house.engine = house.open()


def test_a_write_that_fails_beside_a_damaged_block_leaves_no_request_without_an_answer(house: EngineHouse) -> None:
    house.engine.ingest(house.batch(call("old")))
    house.engine.ingest(house.batch(call("newer")))
    damage_the_first_block(house)
    is_held, may_go_on = threading.Event(), threading.Event()
    commits = 0

    def hold_the_first_and_fail_the_second() -> None:
        nonlocal commits
        commits += 1
        if commits == 1:
            is_held.set()
            assert may_go_on.wait(_PATIENCE_S)
        elif commits == 2:
            failpoints.fail()

    answers: list[Answer] = [Future() for _ in range(3)]
    with failpoints.armed("log.before_commit", hold_the_first_and_fail_the_second):
        house.engine.submit(house.batch(call("first")), answers[0].set_result)
        assert is_held.wait(_PATIENCE_S)
        house.engine.submit(house.batch(call("fresh")), answers[1].set_result)
        house.engine.submit(house.batch(call("old")), answers[2].set_result)
        may_go_on.set()
        found = [answer.result(_PATIENCE_S) for answer in answers]
    assert isinstance(found[0], IngestAnswer)
    assert isinstance(found[1], StoreFailed)
    assert isinstance(found[2], DamagedStore | StoreFailed)


def test_a_recovery_that_fails_by_a_mistake_of_ours_is_tried_again(house: EngineHouse) -> None:
    def stumble() -> None:
        raise RuntimeError("a mistake")

    with (
        failpoints.armed("log.before_commit", failpoints.after(1, failpoints.fail)),
        failpoints.armed("checkpoint.before_manifest", failpoints.after(1, stumble)),
    ):
        with pytest.raises(StoreFailed):
            house.engine.ingest(house.batch(call("a")))
        deadline = monotonic() + _PATIENCE_S
        while not house.engine.health().ready:
            assert monotonic() < deadline, "the store did not recover"
    assert house.engine.ingest(house.batch(call("a"))).accepted == 1


def test_a_store_that_had_no_room_says_so_even_where_it_must_be_opened_anew(house: EngineHouse) -> None:
    """LMDB cannot be used after a commit that failed in its last page, and then says no more than that."""

    def use_up_the_quota() -> None:
        raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))

    def panic() -> None:
        raise lmdb.PanicError("mdb_txn_begin: MDB_PANIC: Update of meta page failed or environment had fatal error")

    for refusal in (use_up_the_quota, panic):
        with (
            failpoints.armed("log.before_commit", failpoints.after(1, refusal)),
            pytest.raises(StoreFull, match=r"no room to write.*quota"),
        ):
            house.engine.ingest(house.batch(call("a")))
    deadline = monotonic() + _PATIENCE_S
    while not house.engine.health().ready:
        assert monotonic() < deadline, "the store did not recover"
    with failpoints.armed("log.before_commit", failpoints.after(1, panic)), pytest.raises(StoreFailed, match="PANIC"):
        house.engine.ingest(house.batch(call("b")))
