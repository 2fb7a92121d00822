"""One request that can be given up without losing a socket: questions that a newer one supersedes are given up all the time.

The network library shields what must not be interrupted (connections that it closes for other requests, too) from its own cancel scopes,
but not from a task that is cancelled; so a request runs in a task and a scope of its own. And it makes a socket and hands it over in two
steps, between which nobody holds it: giving up waits for the hand-over.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import httpx

_STEP: Final = "connection.connect_tcp."


class Sending:
    """A request on its way. `answer` fails as the library does."""

    def __init__(self, http: httpx.AsyncClient, request: httpx.Request, *, is_stream: bool) -> None:
        import anyio  # noqa: PLC0415 - loaded with the library, in a thread

        self._scope = anyio.CancelScope()
        self._has_socket = asyncio.Event()
        self._has_socket.set()
        request.extensions["trace"] = self._follow
        self.answer = asyncio.ensure_future(self._send(http, request, is_stream=is_stream))

    async def give_up(self) -> None:
        """End the request as soon as its socket is its own; opening one takes five seconds at most."""
        await self._has_socket.wait()
        self._scope.cancel()
        await asyncio.wait([self.answer])
        # It may have been over already: an answer gives its connection back, and a failure is nobody's news.
        if not self.answer.cancelled() and self.answer.exception() is None:
            await self.answer.result().aclose()

    async def _send(self, http: httpx.AsyncClient, request: httpx.Request, *, is_stream: bool) -> httpx.Response:
        with self._scope:
            return await http.send(request, stream=is_stream)
        raise asyncio.CancelledError

    async def _follow(self, name: str, _about: Mapping[str, Any]) -> None:  # Any: as the library tells its steps
        """Note what the library says of the request's steps; does not wait, so that nothing can come in between."""
        if name == f"{_STEP}started":
            self._has_socket.clear()
        elif name.startswith(_STEP):
            self._has_socket.set()
