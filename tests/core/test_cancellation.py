"""Work that nobody waits for ends early."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from time import sleep

import polars as pl
import pytest

from tallystick.cancellation import Cancellation, Cancelled, check_cancelled, collected, while_wanted


class CountedPieces:
    """Frames that count how many of them were read, and wait at one of them until they are let through.

    From there on each takes a millisecond, so that all of them take far longer than a stop takes to arrive.
    """

    def __init__(self, count: int, *, wait_at: int | None = None) -> None:
        self.read = 0
        self.is_at = Event()
        self.may_go_on = Event()
        self._wait_at = wait_at
        pieces = [pl.LazyFrame({"n": [number]}).map_batches(self._count) for number in range(count)]
        self.frame = pl.concat(pieces).group_by("n").agg(pl.len())

    def _count(self, piece: pl.DataFrame) -> pl.DataFrame:
        self.read += 1
        if self._wait_at is not None and self.read >= self._wait_at:
            self.is_at.set()
            assert self.may_go_on.wait(30)
            sleep(0.001)
        return piece


@pytest.fixture
def thread() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1)


def test_a_scan_that_is_given_up_ends_before_it_has_read_everything(thread: ThreadPoolExecutor) -> None:
    pieces = CountedPieces(400, wait_at=2)
    cancellation = Cancellation()
    scan = thread.submit(cancellation.run, lambda: collected(pieces.frame))
    assert pieces.is_at.wait(30)
    cancellation.cancel()
    pieces.may_go_on.set()
    with pytest.raises(Cancelled):
        scan.result(30)
    assert pieces.read < 400
    assert cancellation.is_cancelled


def test_work_that_was_given_up_before_it_began_reads_nothing() -> None:
    pieces = CountedPieces(3)
    cancellation = Cancellation()
    cancellation.cancel()
    with pytest.raises(Cancelled):
        cancellation.run(lambda: collected(pieces.frame))
    assert pieces.read == 0


def alone(call: Callable[[], pl.DataFrame]) -> pl.DataFrame:
    return call()


@pytest.mark.parametrize("runner", [alone, Cancellation().run], ids=["alone", "within"])
def test_a_scan_that_is_not_given_up_answers_the_same(
    runner: Callable[[Callable[[], pl.DataFrame]], pl.DataFrame],
) -> None:
    pieces = CountedPieces(20)
    assert sorted(runner(lambda: collected(pieces.frame))["n"].to_list()) == list(range(20))
    assert pieces.read == 20


def test_an_error_of_a_scan_stays_what_it_is() -> None:
    wrong = pl.LazyFrame({"n": ["x"]}).select(pl.col("n").cast(pl.Int64))
    for runner in (alone, Cancellation().run):
        with pytest.raises(pl.exceptions.InvalidOperationError):
            runner(lambda: collected(wrong))


def test_a_loop_asks_whether_to_go_on() -> None:
    check_cancelled()
    cancellation = Cancellation()

    def loop() -> int:
        for step in range(10):
            check_cancelled()
            if step == 3:
                cancellation.cancel()
        return 10

    with pytest.raises(Cancelled):
        cancellation.run(loop)
    check_cancelled()


def test_cancelling_what_is_done_changes_nothing() -> None:
    cancellation = Cancellation()
    assert cancellation.run(lambda: collected(pl.LazyFrame({"n": [1]}))).height == 1
    cancellation.cancel()
    cancellation.cancel()


def test_work_on_other_threads_is_given_up_with_the_one_that_asked_for_it(thread: ThreadPoolExecutor) -> None:
    begun, waiting = CountedPieces(400, wait_at=2), CountedPieces(3)
    folder = ThreadPoolExecutor(1)
    cancellation = Cancellation()

    def ask() -> list[Future[pl.DataFrame]]:
        return [
            folder.submit(while_wanted(lambda: collected(begun.frame))),
            folder.submit(while_wanted(lambda: collected(waiting.frame))),
        ]

    parts = thread.submit(cancellation.run, ask).result(30)
    assert begun.is_at.wait(30)
    cancellation.cancel()
    begun.may_go_on.set()
    for part in parts:
        with pytest.raises(Cancelled):
            part.result(30)
    assert begun.read < 400
    assert waiting.read == 0


def test_what_nobody_can_give_up_runs_on_other_threads_as_it_is() -> None:
    pieces = CountedPieces(3)
    assert while_wanted(lambda: collected(pieces.frame))().height == 3
