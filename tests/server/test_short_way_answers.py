"""Both ways of a request with events, the short one and the one through ASGI, answer alike: byte for byte, however it was sent."""

from __future__ import annotations

import asyncio
import gzip
import itertools
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.engine import Engine
from tallystick.errors import Overloaded, StoreFull, TallystickError
from tests.server.wired_requests import EVENT, KEY, WRONG, answered_one_by_one, open_store, request, run
from tests.server.wired_server import WiredServer


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Engine]:
    with open_store(tmp_path / "data") as engine:
        yield engine


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


@pytest.mark.parametrize("name", [*PLAIN, *UNUSUAL])
@pytest.mark.parametrize("origins", [(), ("https://page.example",)], ids=["", "cors"])
def test_both_ways_answer_alike(name: str, origins: tuple[str, ...], tmp_path: Path) -> None:
    seen: list[list[bytes]] = []
    for has_short_way in (True, False):
        with open_store(tmp_path / str(has_short_way)) as engine:
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
        self._stack = ExitStack()
        self._engine = self._stack.enter_context(open_store(folder))
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
        self._stack.close()


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
