"""A store, a post office and a courier in the test's own process, on a clock that the test moves, sending to real receivers."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from msgspec import structs

from tallystick.engine import Engine
from tallystick.engine_settings import EngineSettings
from tallystick.instant import Instant, format_instant
from tallystick.signal_store import DeliveriesQuestion
from tallystick.signals.channel import ChannelKind
from tallystick.signals.delivery import Delivery
from tallystick.signals.signal import Signal
from tallystick.signals.step import Step
from tallystick.testing import ManualClock, SeededEntropy
from tallystick_server.channels.making import made_channel
from tallystick_server.channels.schemas import ChannelCreate
from tallystick_server.outgoing.courier import Courier
from tallystick_server.outgoing.networks import Networks
from tallystick_server.outgoing.payload import Payloads
from tallystick_server.outgoing.post_office import PostOffice
from tallystick_server.outgoing.seal import Seal
from tests.core.engine.watching import CAP, METER, fired
from tests.server.outgoing.receiver import SECRET

LOOPBACK = ("127.0.0.0/8",)
CHILD = (sys.executable, "-m", "tallystick_server", "outgoing-child")


class Post:
    """Everything from a step to a receiver. Made by `posting`."""

    def __init__(
        self,
        directory: Path,
        *,
        allowed: Sequence[str] = LOOPBACK,
        child: Sequence[str] = CHILD,
    ) -> None:
        # Signatures carry the time, and receivers look at it: the clock begins at the real present.
        self.clock = ManualClock(format_instant(Instant(time.time_ns())))
        self.entropy = SeededEntropy()
        self.engine = Engine.open(
            directory / "data",
            clock=self.clock,
            entropy=self.entropy,
            settings=EngineSettings(disk_free_min_bytes=0),
            with_background=False,
        )
        self.office = PostOffice(
            Networks(allowed),
            Seal(directory / "secrets.key", entropy=self.entropy),
            Payloads("https://usage.example.com"),
            clock=self.clock,
            entropy=self.entropy,
            user_agent="Tallystick/test",
            child_command=child,
        )
        self.courier = Courier(
            self.engine,
            self.office,
            clock=self.clock,
            entropy=self.entropy,
            in_thread=asyncio.to_thread,
        )

    async def channel(self, key: str, url: str, *, kind: ChannelKind = ChannelKind.WEBHOOK) -> None:
        """Make a channel."""
        secret = SECRET if kind is ChannelKind.WEBHOOK else None
        made, _ = await made_channel(ChannelCreate(key=key, kind=kind, url=url, secret=secret), self.office)
        self.engine.outbox.put_channel(made, create=True)

    def watch(self, *channels: str, key: str = "cap", signal: Signal = CAP) -> None:
        """Define a signal that tells these channels."""
        if not self.engine.meters(include_archived=True):
            self.engine.put_meter(METER, create=True)
        self.engine.signals.put(structs.replace(signal, key=key, channels=channels), create=True)

    def fire(self, *customers: str, key: str = "cap") -> None:
        """Record a crossing of each customer."""
        self.record(
            [structs.replace(fired(customer=customer, signal=key), at=self.clock.now()) for customer in customers]
        )

    def record(self, steps: Sequence[Step]) -> None:
        """Record steps, all of which follow."""
        assert len(self.engine.signals.record_steps(steps)) == len(steps)

    def deliveries(self, *, channel: str | None = None) -> list[Delivery]:
        """Return deliveries, oldest first."""
        return self.engine.outbox.deliveries(DeliveriesQuestion(channel=channel, limit=1_000)).items[::-1]

    async def until(self, is_so: Callable[[], bool], *, timeout_s: float = 20.0) -> None:
        """Let the courier work until something is so; fails when the time is over."""
        async with asyncio.timeout(timeout_s):
            while not is_so():  # noqa: ASYNC110 - what is awaited has no event
                await asyncio.sleep(0.01)

    async def after_a_look(self) -> None:
        """Wait for longer than the courier lets pass between two looks: for what must not happen."""
        await asyncio.sleep(1.3)

    async def until_over(self, count: int, *, timeout_s: float = 20.0) -> list[Delivery]:
        """Return the deliveries once so many of them are over."""
        await self.until(lambda: sum(each.is_over for each in self.deliveries()) >= count, timeout_s=timeout_s)
        return self.deliveries()


@asynccontextmanager
async def posting(directory: Path, **options: object) -> AsyncGenerator[Post]:
    """Run a courier for the length of a `with`."""
    post = Post(directory, **options)  # pyright: ignore[reportArgumentType] - the constructor's own, by name
    running = asyncio.create_task(post.courier.run())
    try:
        yield post
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await post.office.close()
        post.engine.close()


def run(test: Callable[[], Coroutine[None, None, None]]) -> None:
    """Run a test's coroutine."""
    asyncio.run(test())
