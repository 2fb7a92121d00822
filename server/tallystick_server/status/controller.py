"""The appliance in one answer, from memory: what a dashboard asks every second."""

from __future__ import annotations

from litestar import Controller, get
from litestar.di import NamedDependency

from tallystick.api_key import Scope
from tallystick.instant import Instant
from tallystick_server.auth import allowed
from tallystick_server.dependencies import Access, Present
from tallystick_server.log.schemas import verification_out
from tallystick_server.log.verification import Verification
from tallystick_server.program_version import program_version

from .schemas import StatusOut, status_out


class StatusController(Controller):
    """What the appliance is doing."""

    path = "/v1/status"
    tags = ("Health",)

    @get("/", operation_id="getStatus", summary="Show what the appliance is doing", opt=allowed(Scope.READ))
    async def status(
        self,
        access: Access,
        clock: Present,
        started_at: NamedDependency[int],
        verification: NamedDependency[Verification],
    ) -> StatusOut:
        """Show what was counted since the start, where the log ends, what waits, what room there is, and how the last verification ended.

        Answered from memory, whatever the size of the log; asking every second costs nothing that could be measured.
        """
        store = access.store
        return status_out(
            store.health(),
            version=program_version(),
            started_at=Instant(started_at),
            now=clock.now(),
            deliveries_waiting=sum(queue.waiting for queue in store.outbox.queues().values()),
            channels_disabled=sum(channel.disabled_at is not None for channel in store.outbox.channels()),
            verification=verification_out(verification),
        )
