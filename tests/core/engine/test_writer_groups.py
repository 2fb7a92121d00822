"""Which requests the writer commits together, and what wakes it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

import pytest

from tallystick.engine import writer as writer_file
from tallystick.engine.ledger import Ledger
from tallystick.engine.writer import Writer
from tallystick.engine_settings import EngineSettings
from tallystick.errors import TallystickError
from tallystick.event_batch import EventBatch, RejectedEvent, empty_batch
from tallystick.store import IngestAnswer

from .conftest import EngineHouse, call

PATIENCE_S = 20
# How long a test looks on before it believes that nothing happens.
LOOK_S = 0.15


class RecordingLedger:
    """Commits nothing, and keeps the size of each group; the first waits for `may_go_on`."""

    def __init__(self) -> None:
        self.groups: list[int] = []
        self.begun, self.may_go_on = threading.Event(), threading.Event()

    def commit_events(self, batches: Sequence[EventBatch]) -> list[IngestAnswer]:
        self.groups.append(len(batches))
        self.begun.set()
        assert self.may_go_on.wait(PATIENCE_S)
        return [IngestAnswer(0, 0, 0, [])] * len(batches)


class House:
    """A writer over a ledger that records; every batch counts as one event."""

    def __init__(self, one: EventBatch) -> None:
        self._one = one
        self.ledger = RecordingLedger()
        self.writer = Writer(
            cast("Ledger", self.ledger),
            EngineSettings(),
            recover=lambda: None,
            after_group=lambda: None,
            tail_events_max=None,
        )
        self.writer.start()

    def send(self, batch: EventBatch | None = None) -> Callable[[float], bool]:
        """Submit a batch and return what waits for its answer."""
        answered = threading.Event()

        def done(answer: IngestAnswer | TallystickError) -> None:
            assert isinstance(answer, IngestAnswer)
            answered.set()

        self.writer.submit(self._one if batch is None else batch, done)
        return answered.wait

    def commit_three_together(self) -> None:
        """Make a group with company: one alone, and three that come while it is written."""
        waits = [self.send()]
        assert self.ledger.begun.wait(PATIENCE_S)
        waits += [self.send() for _ in range(3)]
        self.ledger.may_go_on.set()
        assert all(wait(PATIENCE_S) for wait in waits)
        assert self.ledger.groups == [1, 3]


@pytest.fixture
def writing(house: EngineHouse, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.setattr(writer_file, "_GATHER_S", 3_600.0)  # so that nothing but what is under test ends a pause
    made = House(house.batch(call("one")))
    yield made
    made.ledger.may_go_on.set()
    made.writer.close()


def test_a_group_waits_for_as_many_as_the_last_had_and_for_no_more(writing: House) -> None:
    writing.commit_three_together()
    first, second = writing.send(), writing.send()
    assert not first(LOOK_S)
    third = writing.send()
    assert all(wait(PATIENCE_S) for wait in (first, second, third))
    assert writing.ledger.groups == [1, 3, 3]


def test_who_comes_alone_waits_for_nobody(writing: House) -> None:
    writing.ledger.may_go_on.set()
    for _ in range(5):
        assert writing.send()(PATIENCE_S)
    assert writing.ledger.groups == [1] * 5


def test_a_request_without_events_wakes_the_writer_too(writing: House) -> None:
    writing.ledger.may_go_on.set()
    assert writing.send(empty_batch(0, rejected=cast("list[RejectedEvent]", [])))(PATIENCE_S)
    assert writing.ledger.groups == [1]


def test_a_command_does_not_wait_for_a_group(writing: House) -> None:
    writing.commit_three_together()
    wait = writing.send()
    assert not wait(LOOK_S)
    done: list[Any] = []  # Any: what a command returns is its caller's
    thread = threading.Thread(target=lambda: done.append(writing.writer.perform(lambda: "done")))
    thread.start()
    thread.join(PATIENCE_S)
    assert done == ["done"]


def test_the_end_does_not_wait_for_a_group(writing: House) -> None:
    writing.commit_three_together()
    wait = writing.send()
    assert not wait(LOOK_S)
    writing.writer.close()
    assert wait(0)
    assert writing.ledger.groups == [1, 3, 1]
