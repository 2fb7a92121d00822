"""Requests with events, byte by byte, for the server without sockets (`wired_server`), and a store behind it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tallystick.api_key import Scope
from tallystick.engine import Engine
from tallystick.testing import ManualClock, SeededEntropy
from tests.server.wired_server import WiredServer

KEY = "a-key-for-tests-0123456789abcdef0123456789abcdef"
EVENT = b'{"id":"a","type":"t","customer":"c","value":1.5}'
WRONG = b'{"id":"a","type":"","customer":"c"}'

T = Any  # Any: what a test's coroutine returns is the test's


@contextmanager
def open_store(folder: Path, *, clock: ManualClock | None = None) -> Generator[Engine]:
    """Open a store with two keys: one may do everything, the same with an `r` at its end may only read."""
    engine = Engine.open(folder, clock=clock or ManualClock(), entropy=SeededEntropy(2), with_background=False)
    try:
        engine.adopt_api_key(KEY, name="all", scopes=[Scope.ADMIN])
        engine.adopt_api_key(KEY + "r", name="reads", scopes=[Scope.READ])
        yield engine
    finally:
        engine.close()


def request(
    body: bytes,
    *more: bytes,
    key: bytes = KEY.encode(),
    start: bytes = b"POST /v1/events HTTP/1.1",
    media_type: bytes = b"application/json",
) -> bytes:
    """Return a request; `more` are lines of its head."""
    lines = [start, b"Host: t", b"Authorization: Bearer " + key, b"Content-Type: " + media_type, *more]
    return b"\r\n".join([*lines, b"Content-Length: %d" % len(body), b"", b""]) + body


def run(
    store: Engine, work: Callable[[WiredServer], Awaitable[T]], *, has_short_way: bool = True, **settings: Any
) -> T:
    """Let a server run in an event loop of its own for as long as the work takes."""

    async def within() -> T:
        server = WiredServer(store, has_short_way=has_short_way, **settings)
        try:
            return await work(server)
        finally:
            server.close()

    return asyncio.run(within())


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
