"""What the appliance does by itself: the lookout, the courier, and what comes with time.

Runs within the application's life, once the store is open. Jobs of the clock run on APScheduler in this event loop, in UTC; one that was
missed, by a pause or a restart, runs once when it can (`coalesce`, no grace time), and never beside itself. So a job never asks what is
due at this minute, but what is due by now.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from tallystick.entropy import Entropy
from tallystick.errors import TallystickError
from tallystick.instant import Clock
from tallystick.store import Store

from . import logs
from .lookout import Lookout
from .outgoing.courier import Courier
from .outgoing.post_office import PostOffice
from .store_access import StoreAccess
from .work_pool import WorkPool

if TYPE_CHECKING:
    from litestar import Litestar

_LOG = logs.logger("jobs")
_LOOK_FOR_STORE_EVERY_S = 0.05
_EXPIRE_EVERY_S = 60
# How late silence and the end of a period may be noticed.
_TIME_LOOK_EVERY_S = 5


class Jobs:
    """The jobs of one appliance."""

    def __init__(self, access: StoreAccess, post_office: PostOffice, *, clock: Clock, entropy: Entropy) -> None:
        self._access, self._post_office = access, post_office
        self._clock, self._entropy = clock, entropy
        self.failures = 0
        # Its own threads: what the courier records must not wait behind what requests read.
        self._threads = WorkPool("deliveries", threads=2, queue_max=4_096, timeout_s=None)
        self._lookout = Lookout(count_failure=self._count_failure)

    @asynccontextmanager
    async def lifespan(self, _app: Litestar) -> AsyncGenerator[None]:
        """Run the jobs for as long as the application lives."""
        running = asyncio.create_task(self._run())
        try:
            yield
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            # What it asks the store is given up at once, but for a commit: that is waited for.
            await asyncio.to_thread(self._lookout.stop)
            await self._post_office.close()
            self._threads.close()

    async def _run(self) -> None:
        # The store opens in another task, which also runs where there are no jobs: it knows nothing of them.
        while (store := self._access.opened) is None:  # noqa: ASYNC110 - as said
            await asyncio.sleep(_LOOK_FOR_STORE_EVERY_S)
        courier = Courier(
            store, self._post_office, clock=self._clock, entropy=self._entropy, in_thread=self._threads.run
        )
        scheduler = self._scheduler(store)
        scheduler.start()
        self._lookout.start(store)
        try:
            await courier.run()
        except Exception:
            # Nothing would be sent any more: that must be seen, not only that it is quiet.
            _LOG.exception("the courier ended by a mistake")
            raise
        finally:
            scheduler.shutdown(wait=False)

    def _scheduler(self, store: Store) -> Any:  # Any: as below
        # 60 ms, after the port answers.
        from apscheduler.schedulers.asyncio import (  # noqa: PLC0415  # pyright: ignore[reportMissingTypeStubs]
            AsyncIOScheduler,
        )

        scheduler: Any = AsyncIOScheduler(  # Any: it has no types
            timezone="UTC", job_defaults={"coalesce": True, "misfire_grace_time": None, "max_instances": 1}
        )

        async def expire() -> None:
            await self._in_thread("expire deliveries", store.outbox.expire)

        async def look_for_time() -> None:
            self._lookout.wake_for_time()

        scheduler.add_job(expire, "interval", seconds=_EXPIRE_EVERY_S, id="expire")
        scheduler.add_job(look_for_time, "interval", seconds=_TIME_LOOK_EVERY_S, id="signals")
        return scheduler

    def _count_failure(self) -> None:
        self.failures += 1

    async def _in_thread(self, name: str, call: Callable[[], object]) -> None:
        """Run a job, and keep its failure from ending what comes after it."""
        try:
            await self._threads.run(call)
        except TallystickError as error:
            self._count_failure()
            _LOG.warning("a job failed and is tried again at its next time", job=name, error=str(error))
        except Exception:  # noqa: BLE001 - the edge of a job: logged and counted, and the next one runs
            self._count_failure()
            _LOG.exception("a job failed by a mistake", job=name)
