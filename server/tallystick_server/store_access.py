"""How routes reach the store: once it is open, in a thread, within bounds.

The engine opens while the port already answers; until then every call is refused with 503 and the reason. Short calls and scans have
a pool each, so that a slow question never keeps a customer from being described.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from litestar.types import Receive

from tallystick.cancellation import Cancellation
from tallystick.store import Store

from .large_answers import LargeAnswers
from .problem import CLIENT_GONE, Refusal, busy
from .settings import Settings
from .work_pool import WorkPool

T = TypeVar("T")


async def _until_gone(receive: Receive) -> None:
    """Return once the client has gone away; its whole request has come before."""
    while (await receive())["type"] != "http.disconnect":
        pass


class StoreAccess:
    """The store, or why it is not there yet, and the threads that ask it."""

    def __init__(self, settings: Settings) -> None:
        self._store: Store | None = None
        self._reason = "the store is being opened"
        self.is_draining = False
        self.reads = WorkPool(
            "reads", threads=settings.read_threads, queue_max=settings.read_queue_max, timeout_s=settings.scan_timeout_s
        )
        self.scans = WorkPool(
            "scans", threads=settings.scan_threads, queue_max=settings.scan_queue_max, timeout_s=settings.scan_timeout_s
        )
        self.scans_cancelled = 0
        self.large = LargeAnswers(places_max=settings.large_answers_max)
        self.long = WorkPool("verifications", threads=1, queue_max=0, timeout_s=None)
        self.streams_max = settings.streams_max
        self.streams_open = 0
        self.waits = ThreadPoolExecutor(max_workers=settings.streams_max, thread_name_prefix="tallystick-streams")

    @property
    def store(self) -> Store:
        """The open store. Raises `Refusal` (503) while there is none."""
        if self._store is None:
            raise self.not_open()
        return self._store

    @property
    def opened(self) -> Store | None:
        """The store if it is open."""
        return self._store

    @property
    def reason(self) -> str:
        """Why there is no store."""
        return self._reason

    def not_open(self) -> Refusal:
        """Return the refusal while there is no store."""
        return busy(self._reason, retry_after_s=2, code="starting")

    def open(self, store: Store) -> None:
        """Let calls through."""
        self._store = store

    def fail(self, reason: str) -> None:
        """Keep the reason why the store cannot be opened."""
        self._reason = reason

    async def read(self, call: Callable[[Store], T]) -> T:
        """Ask something that takes microseconds to milliseconds."""
        store = self.store
        return await self.reads.run(lambda: call(store))

    async def scan(self, call: Callable[[Store], T], receive: Receive | None = None) -> T:
        """Ask something that takes milliseconds to seconds, for as long as the client whose messages are given waits for it.

        Raises `Refusal` (499) when it went away: the scan is told to stop then.
        """
        store, work = self.store, Cancellation()
        running = self.scans.run(lambda: work.run(lambda: call(store)), cancel=work.cancel)
        if receive is None:
            return await running
        scan = asyncio.ensure_future(running)
        gone = asyncio.ensure_future(_until_gone(receive))
        try:
            await asyncio.wait({scan, gone}, return_when=asyncio.FIRST_COMPLETED)
            if scan.done():
                return scan.result()
        finally:
            scan.cancel()
            gone.cancel()
        self.scans_cancelled += 1
        raise Refusal(CLIENT_GONE, "client_gone", "the client went away before its answer was there")

    def drain(self) -> None:
        """Tell streams and long work to end."""
        self.is_draining = True

    def close(self) -> None:
        """Release the threads; the store is closed by whoever opened it."""
        self.drain()
        for pool in (self.reads, self.scans, self.long):
            pool.close()
        self.large.close()
        self.waits.shutdown(wait=False, cancel_futures=True)
