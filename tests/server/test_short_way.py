"""The short way of events: the same answers as the long way, byte for byte, and the same order, limits and end."""

from __future__ import annotations

import asyncio
import gzip
import itertools
import threading
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.api_key import Scope
from tallystick.engine import Engine
from tallystick.errors import Overloaded, StoreFull, TallystickError
from tallystick.instant import NS_PER_S, Instant
from tallystick.testing import ManualClock, SeededEntropy
from tallystick_server.answer_mailbox import AnswerMailbox
from tests.server.wired_server import ManualTimes, WiredServer

KEY = "a-key-for-tests-0123456789abcdef0123456789abcdef"
EVENT = b'{"id":"a","type":"t","customer":"c","value":1.5}'
OTHER = b'{"id":"a","type":"t","customer":"c","value":2}'
WRONG = b'{"id":"a","type":"","customer":"c"}'

T = Any  # Any: what a test's coroutine returns is the test's


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Engine]:
    clock = ManualClock()
    engine = Engine.open(tmp_path / "data", clock=clock, entropy=SeededEntropy(2), with_background=False)
    engine.adopt_api_key(KEY, name="all", scopes=[Scope.ADMIN])
    engine.adopt_api_key(KEY + "r", name="reads", scopes=[Scope.READ])
    yield engine
    engine.close()


def request(
    body: bytes,
    *more: bytes,
    key: bytes = KEY.encode(),
    start: bytes = b"POST /v1/events HTTP/1.1",
    media_type: bytes = b"application/json",
) -> bytes:
    lines = [start, b"Host: t", b"Authorization: Bearer " + key, b"Content-Type: " + media_type, *more]
    return b"\r\n".join([*lines, b"Content-Length: %d" % len(body), b"", b""]) + body


def run(
    store: Engine, work: Callable[[WiredServer], Awaitable[T]], *, has_short_way: bool = True, **settings: Any
) -> T:
    async def within() -> T:
        server = WiredServer(store, has_short_way=has_short_way, **settings)
        try:
            return await work(server)
        finally:
            server.close()

    return asyncio.run(within())


PLAIN = {
    "one event": request(EVENT),
    "an array": request(b"[" + EVENT + b"," + EVENT.replace(b'"a"', b'"b"') + b"]"),
    "the other header": request(EVENT).replace(b"Authorization: Bearer", b"X-API-Key:"),
    "names in any case": request(EVENT).replace(b"Content-Type", b"cONTENT-tYPE"),
    "no media type": request(EVENT).replace(b"Content-Type: application/json\r\n", b""),
    "a request id": request(EVENT, b"X-Request-Id: mine-1"),
    "a request id that is none": request(EVENT, b"X-Request-Id: not mine!"),
    "keep-alive said": request(EVENT, b"Connection: Keep-Alive"),
}
UNUSUAL = {
    "wrong key": request(EVENT, key=b"wrong"),
    "no key": request(EVENT).replace(b"Authorization", b"Authorisation"),
    "wrong scope": request(EVENT, key=KEY.encode() + b"r"),
    "every event rejected": request(WRONG),
    "one of two rejected": request(b"[" + WRONG + b"," + EVENT + b"]"),
    "not JSON": request(b"{"),
    "nothing": request(b""),
    "unknown media type": request(EVENT, media_type=b"text/html"),
    "too large": request(b"[" + b" " * 2_000 + EVENT + b"]"),
    "too large, announced": request(b"").replace(b"Length: 0", b"Length: 5000000000"),
    "compressed": request(gzip.compress(EVENT, mtime=0), b"Content-Encoding: gzip"),
    "unknown encoding": request(EVENT, b"Content-Encoding: br"),
    "the connection ends with it": request(EVENT, b"Connection: close"),
    "an old version": request(EVENT, start=b"POST /v1/events HTTP/1.0"),
    "a query": request(EVENT, start=b"POST /v1/events?x=1 HTTP/1.1"),
    "a slash": request(EVENT, start=b"POST /v1/events/ HTTP/1.1"),
    "an absolute address": request(EVENT, start=b"POST http://t/v1/events HTTP/1.1"),
    "another method": request(EVENT, start=b"GET /v1/events HTTP/1.1"),
    "in chunks": request(EVENT)
        .replace(b"Content-Length: 48", b"Transfer-Encoding: chunked")
        .replace(EVENT, b"30\r\n" + EVENT + b"\r\n0\r\n\r\n"),
    "waits to be asked": request(EVENT, b"Expect: 100-continue"),
    "another protocol wanted": request(EVENT, b"Connection: Upgrade", b"Upgrade: h2c"),
    "no HTTP": b"POST /v1/events HTTP/1.1\r\nno header\r\n\r\n",
}  # fmt: skip


async def answered_one_by_one(server: WiredServer, requests: list[bytes]) -> list[bytes]:
    """Return what was written for each request, nothing once the connection has ended."""
    wire = server.connect()
    answers: list[bytes] = []
    for each in requests:
        wire.written = b""
        wire.send(each)
        await wire.answers(1)
        await wire.rest()
        answers.append(wire.written)
    wire.break_off()
    await wire.rest()
    return answers


@pytest.mark.parametrize("name", [*PLAIN, *UNUSUAL])
@pytest.mark.parametrize("origins", [(), ("https://page.example",)], ids=["", "cors"])
def test_both_ways_answer_alike(name: str, origins: tuple[str, ...], tmp_path: Path) -> None:
    seen: list[list[bytes]] = []
    for has_short_way in (True, False):
        engine = Engine.open(
            tmp_path / str(has_short_way), clock=ManualClock(), entropy=SeededEntropy(2), with_background=False
        )
        try:
            engine.adopt_api_key(KEY, name="all", scopes=[Scope.ADMIN])
            engine.adopt_api_key(KEY + "r", name="reads", scopes=[Scope.READ])
            each = {**PLAIN, **UNUSUAL}[name]
            # Twice, so that the head is known the second time; and then with another value, which is a conflict.
            requests = [each, each, each.replace(b"1.5", b"2.5")]

            async def work(server: WiredServer, requests: list[bytes] = requests) -> tuple[list[bytes], int]:
                return await answered_one_by_one(server, requests), server.asgi_requests

            answers, asgi_requests = run(
                engine, work, has_short_way=has_short_way, cors_origins=origins, body_bytes_max=2_000
            )
            seen.append(answers)
            if name in PLAIN:
                assert asgi_requests == (0 if has_short_way else 3)
        finally:
            engine.close()
    assert seen[0] == seen[1]
    assert seen[0][0]


def test_a_page_of_another_origin_is_answered_alike(store: Engine) -> None:
    each = request(EVENT, b"Origin: https://page.example")

    async def work(server: WiredServer) -> list[bytes]:
        return await answered_one_by_one(server, [each, each])

    short = run(store, work, cors_origins=("https://page.example",))
    long = run(store, work, cors_origins=("https://page.example",), has_short_way=False)
    assert b"access-control-allow-origin: https://page.example\r\n" in short[1]
    assert short[1] == long[1]


@pytest.mark.parametrize("error", [Overloaded("5 events wait"), StoreFull("no room"), TallystickError("inside")])
@pytest.mark.parametrize("moment", ["at once", "after the write"])
def test_what_the_store_refuses_is_answered_alike(error: TallystickError, moment: str, store: Engine) -> None:
    async def work(server: WiredServer) -> tuple[list[bytes], int]:
        server.store.refusal, server.store.failure = (error, None) if moment == "at once" else (None, error)
        return await answered_one_by_one(server, [request(EVENT), request(EVENT)]), server.asgi_requests

    (short, asgi), (long, _) = run(store, work), run(store, work, has_short_way=False)
    assert asgi == 0
    assert short == long
    is_ours = type(error) is TallystickError
    assert short[1].startswith(b"HTTP/1.1 500 " if is_ours else b"HTTP/1.1 503 ")
    assert is_ours or b"\r\nretry-after: " in short[1]


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
    engine = Engine.open(tmp_path / "data", clock=clock, entropy=SeededEntropy(2), with_background=False)
    expires_at = Instant(clock.now() + 10 * NS_PER_S)
    _, secret = engine.create_api_key(name="short-lived", scopes=[Scope.INGEST], expires_at=expires_at)
    each = request(EVENT, key=secret.encode())

    async def work(server: WiredServer) -> list[bytes]:
        wire = server.connect()
        wire.send(each)
        await wire.answers(1)
        clock.advance(11)
        wire.send(each)
        return await wire.answers(2)

    try:
        first, second = run(engine, work)
    finally:
        engine.close()
    assert first.startswith(b"HTTP/1.1 200 ")
    assert second.startswith(b"HTTP/1.1 401 ")


STREAM = [
    request(EVENT, b"X-Request-Id: 1"),
    request(EVENT, b"X-Request-Id: 2"),
    request(b"", start=b"GET /health/live HTTP/1.1"),
    request(EVENT),
    request(WRONG, b"X-Request-Id: 5"),
    request(EVENT),
]


class BothWays:
    """Two servers over one store in one event loop, of which one has no short way."""

    def __init__(self, folder: Path) -> None:
        self._runner = asyncio.Runner()
        self._engine = Engine.open(folder, clock=ManualClock(), entropy=SeededEntropy(2), with_background=False)
        self._engine.adopt_api_key(KEY, name="all", scopes=[Scope.ADMIN])
        self._servers = self._runner.run(self._open())
        self.written([request(EVENT)], count=1, turns=0)  # from now on it is a duplicate

    async def _open(self) -> list[WiredServer]:
        return [WiredServer(self._engine, has_short_way=has_short_way) for has_short_way in (True, False)]

    def written(self, pieces: list[bytes], *, count: int, turns: int) -> list[bytes]:
        """Send pieces to both, with so many turns of the loop between them, and return what each wrote."""
        return [self._runner.run(self._send(server, pieces, count, turns)) for server in self._servers]

    async def _send(self, server: WiredServer, pieces: list[bytes], count: int, turns: int) -> bytes:
        wire = server.connect()
        for piece in pieces:
            wire.send(piece)
            for _ in range(turns):
                await asyncio.sleep(0)
        await wire.answers(count)
        await wire.rest()
        written = wire.written
        wire.break_off()
        await wire.rest()
        return written

    def close(self) -> None:
        """End both, and the store."""
        for server in self._servers:
            server.close()
        self._runner.close()
        self._engine.close()


@pytest.fixture(scope="module")
def both_ways(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BothWays]:
    both = BothWays(tmp_path_factory.mktemp("both"))
    yield both
    both.close()


@given(cuts=st.lists(st.integers(0, sum(map(len, STREAM))), max_size=12), turns=st.integers(0, 3))
@settings(max_examples=100, deadline=None)
def test_however_the_bytes_are_cut_the_answers_are_the_same_and_in_order(
    cuts: list[int], turns: int, both_ways: BothWays
) -> None:
    whole = b"".join(STREAM)
    pieces = [whole[start:end] for start, end in itertools.pairwise(sorted({0, len(whole), *cuts}))]
    short, long = both_ways.written(pieces, count=len(STREAM), turns=turns)
    assert _without_own_ids(short) == _without_own_ids(long)
    assert short.count(b"HTTP/1.1 ") == len(STREAM)


def _without_own_ids(written: bytes) -> bytes:
    """Return the answers without the ids that the server counts: a request that is read later may be counted later."""
    lines = written.split(b"\r\n")
    return b"\r\n".join(line for line in lines if not line.startswith(b"x-request-id: ") or len(line) < 20)


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
        kept.send(request(OTHER.replace(b'"a"', b'"b"')))
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
