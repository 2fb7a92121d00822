"""A client that sends at times fixed beforehand, and counts an answer's delay from the time its request was due.

wrk waits for an answer before it sends again, so that a pause of the server hides the requests that would have come meanwhile
("coordinated omission", Gil Tene). Here request `k` is due at `k / rate`, whether or not the server keeps up: one that finds all
connections busy waits, and its wait counts. Without a rate, everything is due at once: as fast as the server answers.
"""

from __future__ import annotations

import select
import socket
import time
from collections import deque
from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

POLL_S_MAX = 0.0005


class NotAnswered(Exception):
    """An answer without success, or none: the figure would mean nothing."""


class Paced(msgspec.Struct, frozen=True):
    """Delays in milliseconds, in the order of the answers, and how long it took from the first due time to the last answer."""

    delays_ms: npt.NDArray[np.float64]
    duration_s: float

    def percentile_ms(self, percent: float) -> float:
        """Return the delay that this share of the requests did not exceed."""
        return float(np.percentile(self.delays_ms, percent))


class _Connection:
    """One connection with at most one request under way."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.settimeout(0)
        self.due_ns = 0
        self._unsent = memoryview(b"")
        self._answer = b""

    def send(self, request: bytes, *, due_ns: int) -> bool:
        """Begin a request; False when the kernel did not take all of it yet."""
        self.due_ns, self._unsent, self._answer = due_ns, memoryview(request), b""
        return self.go_on()

    def go_on(self) -> bool:
        """Hand over more of the request; False when some of it is left."""
        while self._unsent:
            try:
                self._unsent = self._unsent[self.socket.send(self._unsent) :]
            except BlockingIOError:
                return False
        return True

    def receive(self) -> bool:
        """Take what came; True when the answer is complete. Raises `NotAnswered`."""
        received = self.socket.recv(65_536)
        if not received:
            raise NotAnswered("the server closed a connection in the middle of a request")
        self._answer += received
        head, separator, body = self._answer.partition(b"\r\n\r\n")
        if not separator:
            return False
        if not head.startswith(b"HTTP/1.1 200"):
            raise NotAnswered((head + separator + body)[:2_000].decode(errors="replace"))
        length = int(head.lower().split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
        return len(body) >= length


def http_request(body: bytes, headers: dict[str, str]) -> bytes:
    """Return the bytes of a request that sends events."""
    lines = ["POST /v1/events HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


class _Sender:
    """The requests of one run on their way."""

    def __init__(self, port: int, requests: Sequence[bytes], *, connections: int, rate_per_s: float | None) -> None:
        self._requests = requests
        self._interval_ns = 0 if rate_per_s is None else round(1e9 / rate_per_s)
        self._connections = {c.socket.fileno(): c for c in (_Connection(port) for _ in range(connections))}
        self._idle = deque(self._connections.values())
        self._poll = select.epoll()
        for number in self._connections:
            self._poll.register(number, select.EPOLLIN)
        self._delays_ns = np.empty(len(requests), np.int64)
        self._sent = self._answered = 0

    def run(self) -> Paced:
        start_ns = time.perf_counter_ns()
        while self._answered < len(self._requests):
            self._send_due(start_ns)
            self._wait(start_ns)
            for number, event in self._poll.poll(0):
                self._advance(self._connections[number], event)
        duration_s = (time.perf_counter_ns() - start_ns) / 1e9
        self._poll.close()
        for connection in self._connections.values():
            connection.socket.close()
        return Paced(self._delays_ns / 1e6, duration_s)

    def _send_due(self, start_ns: int) -> None:
        now_ns = time.perf_counter_ns()
        while self._idle and self._sent < len(self._requests):
            due_ns = start_ns + self._sent * self._interval_ns
            if due_ns > now_ns:
                return
            connection = self._idle.popleft()
            if not connection.send(self._requests[self._sent], due_ns=due_ns):
                self._poll.modify(connection.socket.fileno(), select.EPOLLIN | select.EPOLLOUT)
            self._sent += 1

    def _wait(self, start_ns: int) -> None:
        """Sleep until something can be received, but not past the next due time; `select` for its microseconds, which epoll has not."""
        wait_s = POLL_S_MAX
        if self._idle and self._sent < len(self._requests):
            wait_s = (start_ns + self._sent * self._interval_ns - time.perf_counter_ns()) / 1e9
        select.select([self._poll], [], [], min(max(wait_s, 0.0), POLL_S_MAX))

    def _advance(self, connection: _Connection, event: int) -> None:
        if event & select.EPOLLOUT and connection.go_on():
            self._poll.modify(connection.socket.fileno(), select.EPOLLIN)
        if event & ~select.EPOLLOUT and connection.receive():
            self._delays_ns[self._answered] = time.perf_counter_ns() - connection.due_ns
            self._answered += 1
            self._idle.append(connection)


def send(port: int, requests: Sequence[bytes], *, connections: int, rate_per_s: float | None = None) -> Paced:
    """Send every request and wait for every answer. Raises `NotAnswered`."""
    return _Sender(port, requests, connections=connections, rate_per_s=rate_per_s).run()
