"""The log, for auditors: its head, its blocks, and whether all of it still agrees."""

from __future__ import annotations

from typing import Annotated

from litestar import Controller, get, post
from litestar.params import PathParameter

from tallystick.api_key import Scope
from tallystick.errors import Closing
from tallystick.store import Progress, VerifyReport
from tallystick_server.auth import allowed
from tallystick_server.dependencies import Access

from .schemas import BlockOut, LogHeadOut, VerifyOut, block_out, log_head_out, verify_out


class LogController(Controller):
    """The hash chain."""

    path = "/v1/log"
    tags = ("Log",)

    @get("/head", operation_id="getLogHead", summary="Show where the log ends", opt=allowed(Scope.READ))
    async def head(self, access: Access) -> LogHeadOut:
        """Show the last position and the last block. Whoever keeps this hash can prove later that nothing before it was changed."""
        return log_head_out(await access.read(lambda store: store.log_head()))

    @get("/blocks/{number:int}", operation_id="getLogBlock", summary="Show one block", opt=allowed(Scope.READ, 404))
    async def block(
        self,
        number: Annotated[int, PathParameter(ge=0, le=2**63 - 1, description="The block's number.")],
        access: Access,
    ) -> BlockOut:
        """Show one block's place, size and hashes."""
        return block_out(await access.read(lambda store: store.block(number)))

    @post("/verify", operation_id="verifyLog", summary="Verify the log", opt=allowed(Scope.ADMIN), status_code=200)
    async def verify(self, access: Access) -> VerifyOut:
        """Walk the chain, derive every projection again from the log, and compare.

        Takes time in proportion to the log; one verification runs at a time, and the next one is refused with 503. `tallystick verify`
        does the same offline.
        """
        store = access.store

        def report(_progress: Progress) -> None:
            if access.is_draining:
                raise Closing("the appliance is shutting down")

        def run() -> VerifyReport:
            return store.verify(report)

        return verify_out(await access.long.run(run))
