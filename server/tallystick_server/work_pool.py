"""A bounded pool of threads for what may not run on the event loop.

Promises: at most `threads` calls run and `queue_max` wait; past that a call is refused at once with 503 and `Retry-After`. A caller
waits `timeout_s` at most; its thread keeps its place until it ends, so that impatient clients cannot pile up work. A call that nobody waits
for any more does not begin, and one that has begun is told by its `cancel`.
Does not: stop a thread. What runs in it must be finite.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from .problem import busy

T = TypeVar("T")


class WorkPool:
    """Threads for one kind of work, named in its refusals."""

    def __init__(self, name: str, *, threads: int, queue_max: int, timeout_s: float | None) -> None:
        self._name = name
        self._timeout_s = timeout_s
        self._places = threads + queue_max
        self._taken = 0
        self._executor = ThreadPoolExecutor(max_workers=threads, thread_name_prefix=f"tallystick-{name}")

    @property
    def taken(self) -> int:
        """How many calls run or wait."""
        return self._taken

    async def run(self, call: Callable[[], T], *, cancel: Callable[[], None] | None = None) -> T:
        """Run the call in a thread. Raises `Refusal` (503) when the pool is full or the time is over.

        `cancel` is called when nobody waits for it any more: the time is over, or the task was cancelled.
        """
        if self._taken >= self._places:
            raise busy(f"too many {self._name} are waiting")
        loop = asyncio.get_running_loop()
        self._taken += 1
        try:
            future = self._executor.submit(call)
        except RuntimeError as error:
            self._taken -= 1
            raise busy("the appliance is shutting down", code="closing") from error
        # The place is given back when the thread is done, not when its caller lost patience.
        future.add_done_callback(lambda _: _give_back(loop, self._release))
        try:
            async with asyncio.timeout(self._timeout_s):
                # Cancelled with the task that waits: what is queued then never begins.
                return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            if cancel is not None:
                cancel()
            raise
        except TimeoutError:
            if cancel is not None:
                cancel()
            raise busy(
                f"one of the {self._name} took longer than {self._timeout_s} s; ask for a smaller range",
                code="timeout",
                retry_after_s=5,
            ) from None

    def _release(self) -> None:
        self._taken -= 1

    def close(self) -> None:
        """Take no further work, and drop what has not begun."""
        self._executor.shutdown(wait=False, cancel_futures=True)


def _give_back(loop: asyncio.AbstractEventLoop, release: Callable[[], None]) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(release)
