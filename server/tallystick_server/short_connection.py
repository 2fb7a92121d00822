"""One HTTP connection on which whole requests with events go the short way, and everything else the general one.

A request goes the short way if the bytes that came together are all of it, if nothing before it waits for an answer, and if `short_way`
takes it. In every other case it is uvicorn's, as if this file were not there: the parser's callbacks that were held back are made up for.
"""

from __future__ import annotations

from typing import Any, ClassVar, Final, cast

from httptools import HttpRequestParser
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from .ingest_lane import NOT_PLAIN, ROUTE
from .plain_head import PlainHead
from .short_way import ShortExchange, ShortWay

_PATH: Final = ROUTE.encode()
_CLOSE: Final = b"connection: close\r\n"


class ShortConnection(HttpToolsProtocol):
    """uvicorn's connection with the short way in front of it."""

    short_way: ClassVar[ShortWay]
    # Whether the parser stands between two requests, so that what comes next is the start of one.
    _is_between = True
    _is_long = False
    _head: PlainHead | None = None
    _received = b""
    _answered_at_s = 0.0
    _server_headers: tuple[object, bytes] = (None, b"")

    def __init__(self, *arguments: Any, **named: Any) -> None:  # Any: uvicorn's, handed on
        super().__init__(*arguments, **named)
        self._body: list[bytes] = []

    # What came

    def data_received(self, data: bytes) -> None:
        """Take a whole request whose head is known; let the parser see everything else."""
        self._is_long = False
        if self._is_between and not self._is_busy:
            known = self.short_way.heads.of(data)
            if known is not None:
                if self._take(*known):
                    return
                self._is_long = True
        self._received = data if self._is_between else b""
        super().data_received(data)
        self._received = b""
        if self._head is not None and not self.transport.is_closing():  # the rest of its body is still to come
            self._go_long_way()

    def on_message_begin(self) -> None:
        """Begin a request."""
        self._is_between = False
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Hold back a request that may go the short way until its body is there; start any other."""
        self._head = None if self._is_long else self._plain_head()
        if self._head is None:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Keep a piece of a body."""
        if self._head is None:
            super().on_body(body)
        else:
            self._body.append(body)

    def on_message_complete(self) -> None:
        """Take the request if it can go the short way."""
        self._is_between = not self._parser.should_upgrade()
        head = self._head
        if head is not None:
            if self._take(head, b"".join(self._body)):
                self._head = None
                self._body.clear()
                self.short_way.heads.learn(self._received, head)
                return
            self._go_long_way()
            cast("dict[str, Any]", self.scope)["state"][NOT_PLAIN] = True  # Any: ASGI's mapping
        super().on_message_complete()

    @property
    def _parser(self) -> HttpRequestParser:
        return cast("HttpRequestParser", self.parser)  # None only once the connection is lost

    @property
    def _is_busy(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete  # pyright: ignore[reportUnnecessaryComparison] - None at first

    def _plain_head(self) -> PlainHead | None:
        parser = self._parser
        if self.url != _PATH or self._is_busy or self.flow.write_paused or parser.get_method() != b"POST":
            return None
        if parser.get_http_version() != "1.1" or not parser.should_keep_alive() or parser.should_upgrade():
            return None
        return self.short_way.head(self.headers)

    def _take(self, head: PlainHead, body: bytes) -> bool:
        if self.flow.write_paused:
            return False
        exchange = self.short_way.take(head, body, self)
        if exchange is None:
            return False
        self.cycle = cast("Any", exchange)  # Any: it has what uvicorn asks of a cycle that runs by itself
        return True

    def _go_long_way(self) -> None:
        self._head = None
        super().on_headers_complete()
        if self._body:
            super().on_body(b"".join(self._body))
            self._body.clear()

    # What is answered

    def write_answer(self, exchange: ShortExchange, status: int, headers: bytes, body: bytes) -> None:
        """Write the whole answer, and go on with what came meanwhile."""
        exchange.response_complete = True
        if exchange.disconnected or self.transport.is_closing():
            return
        end = b"\r\n" if exchange.keep_alive else _CLOSE + b"\r\n"
        self.transport.write(b"".join((STATUS_LINE[status], self._server_lines(), headers, end, body)))
        if not exchange.keep_alive:
            self.transport.close()
        if self.pipeline or self.timeout_keep_alive_task is None:
            self.on_response_complete()
        else:
            self.server_state.total_requests += 1
        self._answered_at_s = self.loop.time()

    def _server_lines(self) -> bytes:
        # uvicorn makes a new list every second, with the date in it.
        pairs = self.server_state.default_headers
        if self._server_headers[0] is not pairs:
            ShortConnection._server_headers = (pairs, b"".join(b"%b: %b\r\n" % pair for pair in pairs))
        return self._server_headers[1]

    def timeout_keep_alive_handler(self) -> None:
        """Close the connection if nothing came for long enough.

        One timer goes on while requests are answered the short way, and looks only when it ends: one for each would cost a twentieth of it.
        """
        self.timeout_keep_alive_task = None
        if self._is_busy:
            return  # its answer starts the timer
        left_s = self._answered_at_s + self.timeout_keep_alive - self.loop.time()
        if left_s > 0:
            self.timeout_keep_alive_task = self.loop.call_later(left_s, self.timeout_keep_alive_handler)
        else:
            super().timeout_keep_alive_handler()
