"""Parts of the server on their own: what bounds it, and how answers come back from the writer."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import TypeVar

import httpx
import pytest

from tallystick.errors import Overloaded, TallystickError
from tallystick.event_batch import EventBatch, empty_batch
from tallystick.store import IngestAnswer
from tallystick.testing import ManualClock, SeededEntropy
from tallystick_server.answer_mailbox import AnswerMailbox
from tallystick_server.app import Appliance
from tallystick_server.auth import WrongKeys
from tallystick_server.body_budget import ArrivingBody, BodyBudget, SenderGone
from tallystick_server.problem import Refusal, refusal_of
from tallystick_server.request_ids import RequestIds
from tallystick_server.settings import Settings
from tallystick_server.work_pool import WorkPool

T = TypeVar("T")
Done = Callable[[IngestAnswer | TallystickError], None]


def test_while_the_store_opens_the_process_is_alive_and_everything_else_waits() -> None:
    async def ask() -> dict[str, httpx.Response]:
        appliance = Appliance(Settings(), clock=ManualClock(), entropy=SeededEntropy())
        transport = httpx.ASGITransport(app=appliance.asgi)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - httpx's own ASGI types
        async with httpx.AsyncClient(transport=transport, base_url="http://t") as client:
            answers = {
                path: await client.get(path) for path in ("/health/live", "/health/ready", "/v1/meters", "/docs")
            }
            answers["ingest"] = await client.post("/v1/events", json={})
        appliance.close()
        return answers

    answers = asyncio.run(ask())
    assert answers["/health/live"].status_code == answers["/docs"].status_code == 200
    for path in ("/health/ready", "/v1/meters", "ingest"):
        assert answers[path].status_code == 503
        assert answers[path].json()["type"] == "urn:tallystick:problem:starting"
        assert answers[path].headers["retry-after"]


class WriterOfOneGroup:
    """A store that answers all that was submitted at once, on another thread, as the writer does after a commit."""

    def __init__(self, answer: IngestAnswer | TallystickError) -> None:
        self._answer = answer
        self._waiting: list[Done] = []

    def submit(self, batch: EventBatch, done: Done) -> None:
        assert len(batch) == 0
        self._waiting.append(done)

    def commit(self) -> None:
        thread = threading.Thread(target=lambda: [done(self._answer) for done in self._waiting])
        thread.start()
        thread.join()


def answers_of(writer: WriterOfOneGroup, count: int) -> tuple[list[IngestAnswer | BaseException], int]:
    """Return what that many requests are answered, and how often the loop was woken for it."""

    async def run() -> tuple[list[IngestAnswer | BaseException], int]:
        loop = asyncio.get_running_loop()
        woken = 0
        wake = loop.call_soon_threadsafe

        def counted(callback: Callable[..., object], *arguments: object) -> asyncio.Handle:
            nonlocal woken
            woken += 1
            return wake(callback, *arguments)

        loop.call_soon_threadsafe = counted  # type: ignore[method-assign,assignment]  # pyright: ignore[reportAttributeAccessIssue] - counts calls
        mailbox = AnswerMailbox()
        waiting: list[Awaitable[IngestAnswer]] = [
            asyncio.ensure_future(mailbox.ask(writer, empty_batch(0)))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - half a store
            for _ in range(count)
        ]
        await asyncio.sleep(0)
        writer.commit()
        return await asyncio.gather(*waiting, return_exceptions=True), woken

    return asyncio.run(run())


def test_all_answers_of_a_commit_reach_the_event_loop_in_one_call() -> None:
    answer = IngestAnswer(1, 0, 0, [])
    answers, woken = answers_of(WriterOfOneGroup(answer), 300)
    assert answers == [answer] * 300
    assert woken == 1


def test_a_commit_that_fails_fails_every_request_of_it() -> None:
    answers, _ = answers_of(WriterOfOneGroup(Overloaded("full")), 3)
    assert [type(answer) for answer in answers] == [Overloaded] * 3


def test_every_unavailable_is_a_503_with_retry_after() -> None:
    refusal = refusal_of(Overloaded("the queue is full"))
    assert refusal is not None
    assert (refusal.status, refusal.code, refusal.headers["retry-after"]) == (503, "overloaded", "1")


def test_an_error_that_is_nobodys_fault_is_no_refusal() -> None:
    assert refusal_of(TallystickError("inside")) is None


def test_wrong_keys_are_free_at_first_then_slower_and_forgiven_after_a_minute() -> None:
    now = 0.0
    wrong_keys = WrongKeys(lambda: now)
    delays = [wrong_keys.delay_s("a") for _ in range(20)]
    assert delays[:10] == [0.0] * 10
    assert delays[10:] == sorted(delays[10:])
    assert delays[-1] == 2.0
    assert wrong_keys.delay_s("b") == 0.0
    now = 61.0
    assert wrong_keys.delay_s("a") == 0.0


def test_the_table_of_wrong_keys_is_bounded() -> None:
    wrong_keys = WrongKeys(lambda: 0.0)
    for number in range(10_000):
        wrong_keys.delay_s(f"address-{number}")
    assert len(wrong_keys._tries) <= 4_096  # pyright: ignore[reportPrivateUsage] - a test may look inside


def messages(*pieces: bytes, gone: bool = False) -> Callable[[], Awaitable[dict[str, object]]]:
    left: list[dict[str, object]] = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    if not gone:
        left[-1]["more_body"] = False
    left.append({"type": "http.disconnect"})

    async def receive() -> dict[str, object]:
        return left.pop(0)

    return receive


def test_a_body_is_counted_while_it_arrives_and_given_back() -> None:
    budget = BodyBudget(100)
    body = ArrivingBody(budget, bytes_max=50)
    assert asyncio.run(body.read(messages(b"a" * 20, b"b" * 20))) == b"a" * 20 + b"b" * 20
    assert budget.taken_bytes == 40
    body.release()
    body.release()
    assert budget.taken_bytes == 0


@pytest.mark.parametrize(("pieces", "status"), [((b"a" * 51,), 413), ((b"a" * 30, b"a" * 30), 413)])
def test_a_body_over_its_limit_is_refused_as_soon_as_it_is(pieces: tuple[bytes, ...], status: int) -> None:
    with pytest.raises(Refusal) as refused:
        asyncio.run(ArrivingBody(BodyBudget(1_000), bytes_max=50).read(messages(*pieces)))
    assert refused.value.status == status


def test_a_body_past_the_budget_of_all_is_refused_and_takes_nothing() -> None:
    budget = BodyBudget(40)
    with pytest.raises(Refusal) as refused:
        asyncio.run(ArrivingBody(budget, bytes_max=100).read(messages(b"a" * 41)))
    assert refused.value.status == 503
    assert budget.taken_bytes == 0


def test_a_sender_that_leaves_midway_is_noticed() -> None:
    with pytest.raises(SenderGone):
        asyncio.run(ArrivingBody(BodyBudget(100), bytes_max=100).read(messages(b"a", gone=True)))


def test_a_pool_refuses_what_it_has_no_place_for_and_takes_it_again_later() -> None:
    async def run() -> tuple[int, int]:
        gate = threading.Event()
        pool = WorkPool("questions", threads=1, queue_max=1, timeout_s=20)
        waiting = [asyncio.ensure_future(pool.run(gate.wait)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(Refusal) as refused:
            await pool.run(lambda: None)
        gate.set()
        await asyncio.gather(*waiting)
        await asyncio.sleep(0)
        answer = await pool.run(lambda: 7)
        pool.close()
        return refused.value.status, answer

    assert asyncio.run(run()) == (503, 7)


def test_a_caller_that_lost_patience_leaves_its_place_taken_until_the_thread_is_done() -> None:
    async def run() -> tuple[str, int]:
        gate = threading.Event()
        pool = WorkPool("questions", threads=1, queue_max=0, timeout_s=0.01)
        with pytest.raises(Refusal) as refused:
            await pool.run(gate.wait)
        taken = pool.taken
        gate.set()
        pool.close()
        return refused.value.code, taken

    assert asyncio.run(run()) == ("timeout", 1)


def test_request_ids_are_unique_and_a_senders_plain_one_is_kept() -> None:
    ids = RequestIds(SeededEntropy())
    assert len({ids.of({}) for _ in range(1_000)}) == 1_000
    assert ids.of({b"x-request-id": b"abc-1"}) == b"abc-1"
    assert ids.of({b"x-request-id": b"a\r\nb"}) != b"a\r\nb"


def test_a_request_is_let_through_without_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Litestar sends plain functions to threads: four guards, four turns that a request waited for beside ingest."""
    asked: list[object] = []

    def note(_executor: object, function: object, *_given: object) -> None:
        asked.append(function)

    async def ask() -> httpx.Response:
        appliance = Appliance(Settings(), clock=ManualClock(), entropy=SeededEntropy())
        monkeypatch.setattr(asyncio.get_running_loop(), "run_in_executor", note)
        transport = httpx.ASGITransport(app=appliance.asgi)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - httpx's own ASGI types
        async with httpx.AsyncClient(transport=transport, base_url="http://t") as client:
            answer = await client.get("/health/live")
        appliance.close()
        return answer

    assert asyncio.run(ask()).status_code == 200
    assert asked == []
