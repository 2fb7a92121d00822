"""A webhook receiver on loopback that behaves as it is told: answers slowly, refuses, hangs, closes, redirects, or never stops talking.

It verifies each message with the `standardwebhooks` package, which knows nothing of our code.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

import msgspec
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 - of these tests alone


@dataclass(frozen=True)
class Received:
    """One request, and whether its signature holds."""

    path: str
    headers: dict[str, str]
    body: bytes
    is_verified: bool
    at_s: float = field(default_factory=time.monotonic)

    @property
    def id(self) -> str:
        return self.headers.get("webhook-id", "")

    @property
    def message(self) -> dict[str, Any]:  # Any: JSON
        return msgspec.json.decode(self.body)


Behaviour = Callable[[BaseHTTPRequestHandler], None]


def answering(status: int, *, body: bytes = b"", **headers: str) -> Behaviour:
    """Answer with this status."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("content-length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def closing(handler: BaseHTTPRequestHandler) -> None:
    """Close without an answer."""
    handler.close_connection = True


class Receiver:
    """A receiver with a behaviour that a test may change; `received` is what came, in order."""

    def __init__(self, behaviour: Behaviour | None = None, *, secret: str = SECRET) -> None:
        self.behaviour = behaviour or answering(200)
        self.secret = secret
        self.is_clock_moved = False
        self.received: list[Received] = []
        self._arrived = threading.Condition()
        self.released = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", "0")))
                receiver._take(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
                try:
                    receiver.behaviour(self)
                except OSError:
                    self.close_connection = True  # the sender had enough

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def hanging(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer nothing until the test is over."""
        self.released.wait(60)
        handler.close_connection = True

    def talking(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer a gigabyte, or as much of it as the sender takes."""
        handler.send_response(200)
        handler.send_header("content-length", str(1 << 30))
        handler.end_headers()
        piece = b"x" * (1 << 20)
        for _ in range(1 << 10):
            handler.wfile.write(piece)

    def wait_for(self, count: int, timeout_s: float = 20.0) -> list[Received]:
        """Return what came once there are so many; fails when the time is over."""
        with self._arrived:
            assert self._arrived.wait_for(lambda: len(self.received) >= count, timeout_s), (
                f"{len(self.received)} of {count} messages came"
            )
            return list(self.received)

    def _take(self, path: str, headers: dict[str, str], body: bytes) -> None:
        with self._arrived:
            self.received.append(Received(path, headers, body, self._is_verified(headers, body)))
            self._arrived.notify_all()

    def _is_verified(self, headers: dict[str, str], body: bytes) -> bool:
        webhook = Webhook(self.secret)
        if self.is_clock_moved:
            # `verify` asks the real clock how old a message is; what it signs does not.
            sent_at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
            signature = webhook.sign(headers["webhook-id"], sent_at, body.decode())
            return signature in headers["webhook-signature"].split(" ")
        try:
            webhook.verify(body, headers)
        except WebhookVerificationError:
            return False
        return True
