"""Files that are written beside the writer: what two checkpoints at once, a recovery meanwhile, or a full disk must not do to them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

import pytest

from tallystick import failpoints
from tallystick.engine import Engine
from tallystick.errors import StoreFull, TallystickError, Unavailable
from tallystick.instant import EARLIEST, LATEST, Instant
from tallystick.meter import Meter
from tallystick.usage.question import UsageQuestion

from .conftest import EngineHouse, call

COUNT = Meter(key="calls", name="Calls", event_type="call", aggregation="count")
EVERYTHING = UsageQuestion(start=EARLIEST, end=Instant(LATEST - 1))
_PATIENCE_S = 20


def counted(engine: Engine) -> int:
    return engine.preview(COUNT, EVERYTHING).totals[0].events


class Bystander:
    """A thread that does one thing to an engine, and stays at a failpoint until it is released."""

    def __init__(self, failpoint: str, work: Callable[[], object]) -> None:
        self._failpoint, self._work = failpoint, work
        self._is_there, self._may_go_on = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.failure: Exception | None = None

    @contextmanager
    def held(self) -> Generator[None]:
        with failpoints.armed(self._failpoint, self._wait):
            self._thread.start()
            assert self._is_there.wait(_PATIENCE_S)
            try:
                yield
            finally:
                self._may_go_on.set()
                self._thread.join(_PATIENCE_S)

    def _run(self) -> None:
        try:
            self._work()
        except (TallystickError, OSError) as error:
            self.failure = error

    def _wait(self) -> None:
        if threading.current_thread() is self._thread:
            self._is_there.set()
            assert self._may_go_on.wait(_PATIENCE_S)


def lose_a_write(house: EngineHouse, event_id: str) -> None:
    """Fail a commit, and wait until the store was recovered."""
    with failpoints.armed("log.before_commit", failpoints.after(1, failpoints.fail)), pytest.raises(Unavailable):
        house.engine.ingest(house.batch(call(event_id)))
    deadline = monotonic() + _PATIENCE_S
    while not house.engine.health().ready:
        assert monotonic() < deadline, "the store did not recover"


def test_two_checkpoints_at_once_count_no_event_twice(house: EngineHouse) -> None:
    house.engine.ingest(house.batch(*(call(f"e{number}") for number in range(10))))
    with Bystander("checkpoint.sealed", house.engine.checkpoint).held():
        second = threading.Thread(target=house.engine.checkpoint)
        second.start()
        second.join(0.5)
    second.join(_PATIENCE_S)
    assert counted(house.engine) == 10
    assert house.engine.health().event_count == 10
    house.restart()
    assert counted(house.engine) == 10


def test_a_checkpoint_begun_before_a_recovery_overwrites_no_file_written_after_it(house: EngineHouse) -> None:
    house.engine.ingest(house.batch(call("a")))
    late = Bystander("segments.begin", house.engine.merge)
    for number in range(8):
        house.engine.ingest(house.batch(call(f"m{number}")))
        house.engine.checkpoint()
    while len(list((house.directory / "dedupe").iterdir())) > 3:
        assert house.engine.merge()
    with late.held():
        lose_a_write(house, "lost")
        house.engine.ingest(house.batch(*(call(f"n{number}") for number in range(30))))
        assert house.engine.checkpoint()
    assert counted(house.engine) == 39
    house.restart()
    assert counted(house.engine) == 39


def test_checkpoints_that_fail_for_want_of_room_leave_no_files_behind(house: EngineHouse) -> None:
    house.engine.ingest(house.batch(call("a")))

    def refuse() -> None:
        raise StoreFull("no room")

    for name in ("checkpoint.before_manifest", "checkpoint.run_written", "dedupe.run_written"):
        for _ in range(3):
            with failpoints.armed(name, refuse), pytest.raises(StoreFull):
                house.engine.checkpoint()
    assert files(house.directory) == set()
    assert house.engine.checkpoint()
    assert len(files(house.directory)) == 2
    assert counted(house.engine) == 1


def test_merges_that_fail_for_want_of_room_leave_no_files_behind(house: EngineHouse) -> None:
    for number in range(8):
        house.engine.ingest(house.batch(call(f"m{number}")))
        house.engine.checkpoint()

    def refuse() -> None:
        raise StoreFull("no room")

    merges = 0
    is_done = False
    while not is_done:
        before = files(house.directory)
        for name in ("checkpoint.before_manifest", "segments.renamed"):
            with failpoints.armed(name, refuse):
                try:
                    house.engine.merge()
                except StoreFull:
                    assert files(house.directory) == before
        is_done = not house.engine.merge()
        merges += not is_done
    assert counted(house.engine) == 8
    assert house.engine.ingest(house.batch(call("m3"))).duplicates == 1


def files(directory: Path) -> set[str]:
    return {path.name for folder in ("segments", "dedupe") for path in (directory / folder).iterdir()}
