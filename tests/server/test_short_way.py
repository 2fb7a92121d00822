"""The short way of events: order, limits, lost connections, idle ones and the end, as on the long way."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tallystick.api_key import Scope
from tallystick.engine import Engine
from tallystick.errors import Overloaded
from tallystick.instant import NS_PER_S, Instant
from tallystick.testing import ManualClock
from tallystick_server.answer_mailbox import AnswerMailbox
from tests.server.wired_requests import EVENT, answered_one_by_one, open_store, request, run
from tests.server.wired_server import ManualTimes, WiredServer


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Engine]:
    with open_store(tmp_path / "data") as engine:
        yield engine


def test_a_key_is_asked_for_every_time(store: Engine) -> None:
    _, secret = store.create_api_key(name="short-lived", scopes=[Scope.INGEST], expires_at=None)
    each = request(EVENT, key=secret.encode())

    async def work(server: WiredServer) -> list[bytes]:
        wire = server.connect()
        wire.send(each)
        wire.send(b"")
        await wire.answers(1)
        for key in store.api_keys():
            if key.name == "short-lived":
                await asyncio.to_thread(store.delete_api_key, key.id)
        wire.send(each)
        return await wire.answers(2)

    first, second = run(store, work)
    assert first.startswith(b"HTTP/1.1 200 ")
    assert second.startswith(b"HTTP/1.1 401 ")


def test_a_key_that_expired_is_refused_though_its_head_is_known(tmp_path: Path) -> None:
    clock = ManualClock()
    expires_at = Instant(clock.now() + 10 * NS_PER_S)
    with open_store(tmp_path / "data", clock=clock) as engine:
        _, secret = engine.create_api_key(name="short-lived", scopes=[Scope.INGEST], expires_at=expires_at)
        each = request(EVENT, key=secret.encode())

        async def work(server: WiredServer) -> list[bytes]:
            wire = server.connect()
            wire.send(each)
            await wire.answers(1)
            clock.advance(11)
            wire.send(each)
            return await wire.answers(2)

        first, second = run(engine, work)
    assert first.startswith(b"HTTP/1.1 200 ")
    assert second.startswith(b"HTTP/1.1 401 ")


def test_what_is_sent_before_the_answer_waits_for_its_turn(store: Engine) -> None:
    async def work(server: WiredServer) -> tuple[bytes, bool, list[bytes], bool]:
        server.store.keeps_answers = True
        wire = server.connect()
        wire.send(request(EVENT, b"X-Request-Id: first"))
        wire.send(b"".join([request(b"", start=b"GET /health/live HTTP/1.1"), request(EVENT, b"X-Request-Id: third")]))
        await wire.rest()
        before, was_reading = wire.written, wire.transport.has_room
        server.store.answer_all()
        return before, was_reading, await wire.answers(3), wire.transport.has_room

    before, was_reading, answers, has_room = run(store, work)
    assert before == b""
    assert (was_reading, has_room) == (False, True)
    assert b"x-request-id: first" in answers[0]
    assert b'"accepted":1' in answers[0]
    assert b'"live"' in answers[1]
    assert b"x-request-id: third" in answers[2]
    assert b'"duplicates":1' in answers[2]


def test_a_body_in_several_pieces_is_the_long_ways_and_the_next_whole_one_is_not(store: Engine) -> None:
    each = request(b"[" + EVENT + b"]")

    async def work(server: WiredServer) -> tuple[int, list[bytes]]:
        wire = server.connect()
        for count, cut in enumerate((10, len(each) - 20, len(each) - 1), start=1):
            wire.send(each[:cut])
            await wire.rest() if cut == 10 else await asyncio.sleep(0)
            wire.send(each[cut:])
            await wire.answers(count)
        asgi = server.asgi_requests
        wire.send(each)
        return asgi, [*await wire.answers(4), b"%d" % server.asgi_requests]

    asgi, answers = run(store, work)
    # The first cut is within the head: the body still came together.
    assert asgi == 2
    assert answers[-1] == b"2"
    assert all(answer.startswith(b"HTTP/1.1 200 ") for answer in answers[:-1])


def test_a_connection_lost_before_its_answer_is_written_to_no_more(store: Engine) -> None:
    async def work(server: WiredServer) -> tuple[bytes, int, list[bytes]]:
        server.store.keeps_answers = True
        lost, kept = server.connect(), server.connect()
        lost.send(request(EVENT))
        kept.send(request(EVENT.replace(b'"a"', b'"b"')))
        lost.break_off()
        await lost.rest()
        assert server.appliance.short_way.budget.taken_bytes > 0
        server.store.answer_all()
        answers = await kept.answers(1)
        assert server.appliance.short_way.budget.taken_bytes == 0
        again = server.connect()
        again.send(request(EVENT))
        return lost.written, len(server.bounded.server_state.connections), answers + await again.answers(1)

    written, connections, answers = run(store, work)
    assert written == b""
    assert connections == 2
    assert b'"accepted":1' in answers[0]
    assert b'"duplicates":1' in answers[1]  # nobody heard that it was counted, and it was


def test_at_the_end_what_was_taken_is_answered_and_the_connection_closed(store: Engine) -> None:
    async def work(server: WiredServer) -> tuple[list[bytes], bytes, bytes, int]:
        server.store.keeps_answers = True
        waiting, piped, idle = server.connect(), server.connect(), server.connect()
        waiting.send(request(EVENT))
        piped.send(request(EVENT) + request(EVENT))
        for wire in (waiting, piped, idle):
            wire.protocol.shutdown()
        await waiting.rest()
        assert not waiting.transport.is_closing()
        assert idle.transport.is_closing()
        server.store.answer_all()
        answers = await waiting.answers(1)
        await piped.answers(2)
        await piped.rest()
        return answers, piped.written, idle.written, len(server.bounded.server_state.connections)

    answers, piped, idle, connections = run(store, work)
    assert answers[0].startswith(b"HTTP/1.1 200 ")
    assert b"\r\nconnection: close\r\n" in answers[0]
    assert piped.count(b"HTTP/1.1 200 ") == 2
    assert piped.count(b"\r\nconnection: close\r\n") == 1
    assert idle == b""
    assert connections == 0


@pytest.mark.parametrize("has_short_way", [True, False], ids=["short", "long"])
def test_an_idle_connection_is_closed_in_time_and_one_that_waits_is_not(has_short_way: bool, store: Engine) -> None:  # noqa: FBT001 - a parameter
    async def work(server: WiredServer) -> None:
        times = ManualTimes()
        idle, used, waiting = (server.connect(times) for _ in range(3))
        for wire in (idle, used, waiting):
            wire.send(request(EVENT))
            await wire.answers(1)
            await wire.rest()
        await times.advance(60)
        used.send(request(EVENT))
        await used.answers(2)
        await used.rest()
        server.store.keeps_answers = True
        waiting.send(request(EVENT))
        await asyncio.sleep(0)
        await times.advance(14.9)
        assert [wire.transport.is_closing() for wire in (idle, used, waiting)] == [False, False, False]
        await times.advance(0.2)
        assert [wire.transport.is_closing() for wire in (idle, used, waiting)] == [True, False, False]
        await times.advance(59.8)
        assert [wire.transport.is_closing() for wire in (used, waiting)] == [False, False]
        await times.advance(0.2)
        assert [wire.transport.is_closing() for wire in (used, waiting)] == [True, False]
        await times.advance(500)
        server.store.answer_all()
        await waiting.answers(2)
        await waiting.rest()
        await times.advance(74.9)
        assert not waiting.transport.is_closing()
        await times.advance(0.2)
        assert waiting.transport.is_closing()

    run(store, work, has_short_way=has_short_way, keep_alive_s=75)


def test_a_sender_that_reads_no_answers_is_not_written_more(store: Engine) -> None:
    async def work(server: WiredServer) -> tuple[bytes, int, list[bytes]]:
        wire = server.connect()
        wire.send(request(EVENT))
        await wire.answers(1)
        wire.written = b""
        wire.protocol.pause_writing()
        wire.send(request(EVENT))
        await asyncio.sleep(0.05)
        before = wire.written
        wire.protocol.resume_writing()
        return before, server.asgi_requests, await wire.answers(1)

    before, asgi, answers = run(store, work)
    assert before == b""
    assert asgi == 1
    assert len(answers) == 1


def test_bodies_that_wait_for_the_store_count_in_the_budget(store: Engine) -> None:
    async def work(server: WiredServer) -> list[bytes]:
        server.store.keeps_answers = True
        wires = [server.connect() for _ in range(3)]
        for wire in wires:
            wire.send(request(EVENT))
        refused = await wires[2].answers(1)
        server.store.answer_all()
        return [*await wires[0].answers(1), *await wires[1].answers(1), *refused]

    answers = run(store, work, bodies_in_flight_bytes_max=2 * len(EVENT) + 10)
    assert [answer[:13] for answer in answers] == [b"HTTP/1.1 200 ", b"HTTP/1.1 200 ", b"HTTP/1.1 503 "]
    assert b"\r\nretry-after: 1\r\n" in answers[2]


def test_all_answers_of_a_commit_come_in_one_wake_up(store: Engine) -> None:
    async def work(server: WiredServer) -> tuple[int, list[list[bytes]]]:
        server.store.keeps_answers = True
        wires = [server.connect() for _ in range(50)]
        for wire in wires:
            wire.send(request(EVENT))
        loop, woken = asyncio.get_running_loop(), 0
        wake = loop.call_soon_threadsafe

        def counted(callback: Callable[..., object], *arguments: object) -> asyncio.Handle:
            nonlocal woken
            woken += isinstance(getattr(callback, "__self__", None), AnswerMailbox)
            return wake(callback, *arguments)

        loop.call_soon_threadsafe = counted  # type: ignore[method-assign,assignment]  # pyright: ignore[reportAttributeAccessIssue] - counts calls
        kept = [done for _, done in server.store.taken]
        thread = threading.Thread(target=lambda: [done(Overloaded("x")) for done in kept])
        thread.start()
        thread.join()
        return woken, [await wire.answers(1) for wire in wires]

    woken, answers = run(store, work)
    assert woken == 1
    assert all(answer[0].startswith(b"HTTP/1.1 503 ") for answer in answers)


def test_requests_are_counted_by_either_way(store: Engine) -> None:
    async def work(server: WiredServer) -> dict[tuple[str, str, int], int]:
        await answered_one_by_one(server, [request(EVENT), request(EVENT), request(EVENT)])
        return dict(server.appliance.short_way.counts.requests)

    assert run(store, work) == run(store, work, has_short_way=False) == {("POST", "/v1/events", 200): 3}


def test_heads_are_learnt_from_what_was_let_in_alone_and_within_bounds(store: Engine) -> None:
    async def work(server: WiredServer) -> list[int]:
        heads = server.appliance.short_way.heads._heads  # pyright: ignore[reportPrivateUsage] - a test may look inside
        wire = server.connect()
        sizes: list[int] = []
        for number, each in enumerate(
            [request(EVENT, key=b"wrong"), request(EVENT, b"X-Request-Id: 1"), request(EVENT, b"X: " + b"y" * 3_000)],
            start=1,
        ):
            wire.send(each)
            await wire.answers(number)
        sizes.append(len(heads))
        for number in range(1_500):
            wire.written = b""
            wire.send(request(EVENT, b"X-Number: %d" % number))
            await wire.answers(1)
        sizes.append(len(heads))
        return sizes

    first, last = run(store, work)
    assert first == 0
    assert 0 < last <= 1_024
