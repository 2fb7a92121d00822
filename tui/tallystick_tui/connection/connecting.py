"""Whether a request is just opening its connection: to give it up then would lose the socket, which nobody holds yet.

The network library makes the socket and hands it over in two steps; a task that is cancelled between them leaves it open until the
interpreter finds it. Questions that a newer one supersedes are given up all the time, so this waits for the hand-over first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

_STEP: Final = "connection.connect_tcp."


class Connecting:
    """Follows one request."""

    def __init__(self) -> None:
        self._is_over = asyncio.Event()
        self._is_over.set()

    async def follow(self, name: str, _about: Mapping[str, Any]) -> None:  # Any: as the library tells its steps
        """Note what the library says of the request's steps; does not wait, so that nothing can come in between."""
        if name == f"{_STEP}started":
            self._is_over.clear()
        elif name.startswith(_STEP):
            self._is_over.set()

    async def end(self, sending: asyncio.Future[Any]) -> None:  # Any: its answer is not wanted any more
        """End the request, once its socket is its own; opening one takes five seconds at most."""
        await self._is_over.wait()
        sending.cancel()
        await asyncio.wait([sending])
        if not sending.cancelled():
            sending.exception()  # it was over already; its failure is nobody's news
