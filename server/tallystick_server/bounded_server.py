"""The HTTP server in our own process: uvicorn's, with bounds on what a connection may hold, and an orderly end.

Promises: past `connections_max` a further connection is told 503 and closed; a connection that sends no whole head within
`head_timeout_s`, or a head larger than 64 KiB, is closed; after SIGTERM nothing new is taken, what was taken is answered, streams end,
and the process ends with 0. A second signal ends it at once.
Does not: parse HTTP; that is httptools', in C.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager
from time import monotonic
from types import FrameType
from typing import Any, ClassVar, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from .settings import Settings
from .short_connection import ShortConnection
from .short_way import ShortWay

HEAD_BYTES_MAX = 65_536
_SWEEP_EVERY_S = 1.0
_FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/problem+json\r\nretry-after: 2\r\nconnection: close\r\n"
    b"content-length: 147\r\n\r\n"
)
_FULL_BODY = (
    b'{"type":"urn:tallystick:problem:too_many_connections","title":"Service Unavailable","status":503,'
    b'"detail":"too many connections are open"}'
)
_REFUSAL = _FULL.replace(b"147", b"%d" % len(_FULL_BODY)) + _FULL_BODY


class BoundedProtocol(ShortConnection):
    """One connection, within its bounds."""

    connections_max: ClassVar[int]
    _is_in_head = False
    _head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride] - as its parent
        """Take the connection, or tell it that there are too many."""
        if len(self.connections) >= self.connections_max:
            self.transport = transport
            transport.write(_REFUSAL)
            transport.close()
            return
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection, if it was taken."""
        if self in self.connections:
            super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what came, and count it while a head has no end."""
        if self.transport.is_closing():
            return
        was_in_head = self._is_in_head
        super().data_received(data)
        # The piece in which a head begins may be the end of the body before it: only what follows counts.
        if was_in_head and self._is_in_head:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES_MAX and not self.transport.is_closing():
                self.send_400_response("The head of the request is too large.")

    def on_message_begin(self) -> None:
        """Begin to count a head."""
        self._is_in_head, self._head_bytes = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Start the request."""
        self._is_in_head = False
        super().on_headers_complete()


def bounded_protocol(connections_max: int, short_way: ShortWay) -> type[BoundedProtocol]:
    """Return the protocol with its limit: uvicorn makes one for each connection, and passes nothing of ours."""
    return type("BoundedProtocol", (BoundedProtocol,), {"connections_max": connections_max, "short_way": short_way})


class BoundedServer(uvicorn.Server):
    """uvicorn's server, ended in our order: drain, then close, then exit code 0."""

    def __init__(
        self, app: Any, settings: Settings, *, short_way: ShortWay, begin_drain: Callable[[], None]
    ) -> None:  # Any: uvicorn's types for ASGI are its own
        super().__init__(
            uvicorn.Config(
                app,
                loop="none",
                http=bounded_protocol(settings.connections_max, short_way),
                ws="none",
                lifespan="on",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                backlog=2_048,
                timeout_keep_alive=settings.keep_alive_s,
                timeout_graceful_shutdown=settings.drain_timeout_s,
            )
        )
        self._head_timeout_s = settings.head_timeout_s
        self._begin_drain = begin_drain

    @property
    def connection_count(self) -> int:
        """How many connections are open."""
        return len(self.server_state.connections)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - the signature of a signal handler
        """Begin the end; the second signal ends at once."""
        if self.should_exit:
            self.force_exit = True
        self.should_exit = True
        self._begin_drain()

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Handle SIGTERM and SIGINT while serving; unlike uvicorn's, do not raise them again afterwards: a drained end is no failure."""
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    async def sweep(self) -> None:
        """Close connections whose head does not come; runs until cancelled.

        One look at each connection a second, instead of a timer for each request on the hot path.
        """
        waiting: dict[HttpToolsProtocol, float] = {}
        while True:
            await asyncio.sleep(_SWEEP_EVERY_S)
            waiting = self._swept(waiting, monotonic())

    def _swept(self, waiting: dict[HttpToolsProtocol, float], now: float) -> dict[HttpToolsProtocol, float]:
        still: dict[HttpToolsProtocol, float] = {}
        for connection in cast("list[HttpToolsProtocol]", list(self.server_state.connections)):
            is_between_requests = not connection.cycle or connection.cycle.response_complete
            is_idle = connection.timeout_keep_alive_task is not None  # its own timer ends it
            if not is_between_requests or is_idle:
                continue
            since = waiting.get(connection, now)
            if now - since >= self._head_timeout_s:
                connection.transport.close()
            else:
                still[connection] = since
        return still
