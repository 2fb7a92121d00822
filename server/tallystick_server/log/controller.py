"""The log, for auditors: its head, its blocks, and whether all of it still agrees."""

from __future__ import annotations

from typing import Annotated

from litestar import Controller, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter, QueryParameter

from tallystick.api_key import Scope
from tallystick.backup.block_frames import framed
from tallystick_server.auth import allowed
from tallystick_server.dependencies import Access
from tallystick_server.parameters import Cursor, Limit
from tallystick_server.problem import Refusal

from .schemas import (
    BlockOut,
    BlocksOut,
    LogHeadOut,
    VerificationOut,
    VerifyOut,
    block_out,
    log_head_out,
    verification_out,
    verify_out,
)
from .verification import Verification


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

    @get("/blocks", operation_id="listLogBlocks", summary="List blocks", opt=allowed(Scope.READ))
    async def blocks(self, access: Access, limit: Limit = 100, cursor: Cursor = None) -> BlocksOut:
        """List blocks, newest first, as their headers say. One block's own route, and a verification, also hash what is stored."""
        page = await access.read(lambda store: store.blocks(limit=limit, cursor=cursor))
        return BlocksOut([block_out(block) for block in page.items], page.next_cursor)

    @get(
        "/copy",
        operation_id="copyLog",
        summary="Copy the log",
        opt=allowed(Scope.ADMIN),
        media_type="application/octet-stream",
    )
    async def copy(
        self,
        access: Access,
        after: Annotated[
            int,
            QueryParameter(name="after", ge=0, le=2**63 - 1, description="The number of the last block you have."),
        ] = 0,
    ) -> Response[bytes]:
        """Answer some MiB of blocks as the log stores them, each behind its length in 4 bytes, big-endian; nothing past the head.

        Ask again with the number of the last one until you have the head. `tallystick backup` does, and `tallystick restore` makes a data
        directory of what it kept.
        """
        blocks = await access.read(lambda store: store.stored_blocks(after=after))
        return Response(framed(blocks), media_type="application/octet-stream")

    @post("/verify", operation_id="verifyLog", summary="Verify the log", opt=allowed(Scope.ADMIN, 409), status_code=200)
    async def verify(self, verification: NamedDependency[Verification]) -> VerifyOut:
        """Walk the chain, derive every projection again from the log, and compare.

        Takes time in proportion to the log; one verification runs at a time, and the next one is refused with 503. How far it is, is at
        `GET /v1/log/verification`. `tallystick verify` does the same offline.
        """
        return verify_out(await verification.run())

    @get(
        "/verification",
        operation_id="getLogVerification",
        summary="Show how far the verification is",
        opt=allowed(Scope.READ),
    )
    async def verification(self, verification: NamedDependency[Verification]) -> VerificationOut:
        """Show the verification that runs, with how far it is, and how the last one ended since the appliance was started."""
        return verification_out(verification)

    @delete(
        "/verification",
        operation_id="stopLogVerification",
        summary="Stop the verification",
        opt=allowed(Scope.ADMIN, 404),
    )
    async def stop(self, verification: NamedDependency[Verification]) -> None:
        """Stop the verification that runs. It ends at its next step; whoever asked for it is answered with 409."""
        if not verification.stop():
            raise Refusal(404, "not_found", "no verification runs")
