"""The appliance's log as a backup asks for it: over HTTP, from a thread beside the event loop that speaks to the appliance."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from tallystick.backup.block_frames import CutFrame, unframed
from tallystick.event import Position
from tallystick.log_head import LogHead
from tallystick_tui.connection import status
from tallystick_tui.connection.appliance_client import ApplianceClient
from tallystick_tui.connection.failure import ApplianceFailure

T = TypeVar("T")


class AskedLog:
    """A `BlockSource`; made on the event loop, asked in another thread. Raises `ApplianceFailure`, and once it was stopped `Stopped`."""

    def __init__(self, client: ApplianceClient) -> None:
        self._client, self._loop = client, asyncio.get_running_loop()
        self.is_stopped = False

    def log_head(self) -> LogHead:
        """Return where the log ends now."""
        head = self._answered(self._client.ask("/v1/log/head", answer=status.LogHead))
        return LogHead(position=Position(head.position), block=head.block, hash=bytes.fromhex(head.hash))

    def stored_blocks(self, *, after: int) -> list[bytes]:
        """Return the blocks of one answer."""
        content = self._answered(self._client.call("GET", "/v1/log/copy", params=[("after", str(after))]))
        try:
            return list(unframed(content))
        except CutFrame as error:
            raise ApplianceFailure(f"the answer ended early: {error}") from error

    def _answered(self, asking: Coroutine[Any, Any, T]) -> T:  # Any: as asyncio has it
        if self.is_stopped:
            asking.close()
            raise Stopped
        return asyncio.run_coroutine_threadsafe(asking, self._loop).result()


class Stopped(Exception):
    """Nobody waits for the backup any more; what was copied so far is dropped by the next one, or was kept."""
