"""The server's protocol without sockets: a test hands bytes in, sees what is written, and counts what goes through ASGI."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any, cast

from tallystick.api_key import ApiKey
from tallystick.errors import TallystickError
from tallystick.event_batch import EventBatch
from tallystick.store import IngestAnswer, Store
from tallystick.testing import ManualClock, SeededEntropy
from tallystick_server.app import Appliance
from tallystick_server.asgi import Receive, Scope, Send
from tallystick_server.bounded_server import BoundedProtocol, BoundedServer
from tallystick_server.settings import Settings

Done = Callable[[IngestAnswer | TallystickError], None]
_LENGTH = re.compile(rb"content-length: (\d+)\r\n")


class GatedStore:
    """A store that passes everything on, and can keep answers, or refuse batches, until it is told otherwise."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.keeps_answers = False
        self.refusal: TallystickError | None = None
        self.failure: TallystickError | None = None
        self.taken: list[tuple[EventBatch, Done]] = []

    def __getattr__(self, name: str) -> Any:  # Any: the store's own methods
        return getattr(self._store, name)

    def authenticate(self, secret: str) -> ApiKey | None:
        return self._store.authenticate(secret)

    def submit(self, batch: EventBatch, done: Done) -> None:
        if self.refusal is not None:
            raise self.refusal
        if self.failure is not None:
            done(self.failure)
        elif self.keeps_answers:
            self.taken.append((batch, done))
        else:
            self._store.submit(batch, done)

    def answer_all(self) -> None:
        """Commit what was kept, and answer it."""
        self.keeps_answers = False
        for batch, done in self.taken:
            self._store.submit(batch, done)
        self.taken.clear()


class RecordedTransport(asyncio.Transport):
    """What the protocol does to its connection."""

    def __init__(self, wire: Wire) -> None:
        super().__init__({"peername": ("127.0.0.1", 40_000), "sockname": ("127.0.0.1", 7_070)})
        self._wire = wire
        self._is_closing = False
        self.has_room = True

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self._is_closing, "written after the end"
        self._wire.written += bytes(data)
        self._wire.has_changed.set()

    def is_closing(self) -> bool:
        return self._is_closing

    def close(self) -> None:
        if not self._is_closing:
            self._is_closing = True
            self._wire.has_changed.set()
            asyncio.get_running_loop().call_soon(self._wire.protocol.connection_lost, None)

    def pause_reading(self) -> None:
        self.has_room = False

    def resume_reading(self) -> None:
        self.has_room = True


class ManualTimes:
    """The running event loop, whose time stands still until a test moves it."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._now_s = 0.0
        self._timers: list[tuple[float, asyncio.Handle]] = []

    def __getattr__(self, name: str) -> Any:  # Any: the loop's own methods
        return getattr(self._loop, name)

    def time(self) -> float:
        return self._now_s

    def call_later(self, delay_s: float, callback: Callable[..., object], *arguments: object) -> asyncio.Handle:
        handle = asyncio.Handle(callback, arguments, self._loop)
        self._timers.append((self._now_s + delay_s, handle))
        return handle

    async def advance(self, seconds: float) -> None:
        """Let time go by, and everything happen that is due meanwhile."""
        end_s = self._now_s + seconds
        while due := [timer for timer in self._timers if timer[0] <= end_s]:
            timer = min(due, key=lambda each: each[0])
            self._timers.remove(timer)
            self._now_s = timer[0]
            if not timer[1].cancelled():
                self._loop.call_soon(timer[1]._run)
                await asyncio.sleep(0)
        self._now_s = end_s
        await asyncio.sleep(0)


class Wire:
    """One connection."""

    def __init__(self, server: WiredServer, loop: asyncio.AbstractEventLoop) -> None:
        self.written = b""
        self.has_changed = asyncio.Event()
        self._server = server
        config = server.bounded.config
        protocol_class = cast("type[BoundedProtocol]", config.http_protocol_class)
        self.protocol = protocol_class(
            config=config, server_state=server.bounded.server_state, app_state={}, _loop=loop
        )
        self.transport = RecordedTransport(self)
        self.protocol.connection_made(self.transport)

    def send(self, data: bytes) -> None:
        """Let bytes arrive together."""
        if not self.transport.is_closing():
            self.protocol.data_received(data)

    def break_off(self) -> None:
        """Let the other side vanish."""
        self.transport.close()

    async def answers(self, count: int = 1) -> list[bytes]:
        """Return that many whole answers as they were written, fewer if the connection ended before."""
        async with asyncio.timeout(60):
            while len(self._whole()) < count and not self.transport.is_closing():
                self.has_changed.clear()
                await self.has_changed.wait()
        return self._whole()

    async def rest(self) -> None:
        """Let everything run that is due."""
        for _ in range(20):
            await asyncio.sleep(0)
        while tasks := list(self._server.bounded.server_state.tasks):
            await asyncio.wait(tasks)

    def _whole(self) -> list[bytes]:
        found: list[bytes] = []
        left = self.written
        while b"\r\n\r\n" in left:
            start = left.index(b"\r\n\r\n") + 4
            length = _LENGTH.search(left[:start])
            end = start + (int(length.group(1)) if length else 0)
            if end > len(left):
                break
            found.append(left[:end])
            left = left[end:]
        return found


class WiredServer:
    """The appliance's server over a store; `asgi_requests` counts what took the long way. Make it inside the event loop."""

    def __init__(self, store: Store, *, has_short_way: bool = True, **settings: Any) -> None:  # Any: any setting
        self.store = GatedStore(store)
        self.appliance = Appliance(Settings(**settings), clock=ManualClock(), entropy=SeededEntropy(1))
        self.appliance.access.open(cast("Store", self.store))
        self.asgi_requests = 0
        if not has_short_way:
            self.appliance.short_way.head = lambda _headers, /: None  # type: ignore[method-assign,assignment,misc]  # pyright: ignore[reportAttributeAccessIssue] - as if there was none
        self.bounded = BoundedServer(
            self,
            Settings(**settings),
            short_way=self.appliance.short_way,
            begin_drain=self.appliance.access.drain,
        )
        self.bounded.config.load()
        self.bounded.server_state.default_headers = [(b"date", b"Sun, 01 Nov 2026 12:00:00 GMT")]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count a request, and let the appliance answer it."""
        self.asgi_requests += 1
        await self.appliance.asgi(scope, receive, send)

    def connect(self, times: ManualTimes | None = None) -> Wire:
        """Open a connection."""
        return Wire(self, cast("asyncio.AbstractEventLoop", times or asyncio.get_running_loop()))

    def close(self) -> None:
        """Release the threads; the store is its owner's."""
        self.appliance.close()
