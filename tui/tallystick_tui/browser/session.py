"""One dashboard for one browser tab: the program in a process of its own, spoken to through textual-serve.

Promises: the address and the key of the appliance are in the environment of that process, nowhere else; the process ends soon after
the tab is closed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from shlex import join
from typing import Final

from aiohttp import web
from textual_serve.app_service import AppService
from textual_serve.download_manager import DownloadManager

_END_TIMEOUT_S: Final = 5.0


class Session(AppService):
    """Runs `command` with `environment` on top of the one around, without what that says of appliances."""

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        websocket: web.WebSocketResponse,
        downloads: DownloadManager,
    ) -> None:
        super().__init__(
            # A shell starts it; with `exec` the process is the program itself, so that a signal reaches it.
            f"exec {join(command)}",
            write_bytes=websocket.send_bytes,
            write_str=websocket.send_str,
            close=self._close,
            download_manager=downloads,
        )
        self._environment = dict(environment)
        self._websocket = websocket

    async def end(self) -> None:
        """Ask the dashboard to end, and end it where it does not."""
        try:
            async with asyncio.timeout(_END_TIMEOUT_S):
                await self.stop()
        except TimeoutError:
            if self._process is not None and self._process.returncode is None:
                self._process.kill()

    def _build_environment(self, width: int = 80, height: int = 24) -> dict[str, str]:
        around = super()._build_environment(width, height)
        kept = {name: value for name, value in around.items() if name not in ("TALLYSTICK_URL", "TALLYSTICK_API_KEY")}
        return kept | self._environment

    async def _close(self) -> None:
        await self._websocket.close()
