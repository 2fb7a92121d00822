"""`tallystick tui --serve`: the dashboard in a browser of this machine, by textual-serve.

Promises: listens on 127.0.0.1 and nowhere else; lets in only whoever has the printed address (see `doors`); each tab is a process of its
own (see `session`), so many at most; nothing is fetched from elsewhere; the appliance's key is in no page and in no command line.
Why not `textual_serve.Server.serve`: it logs the local variables of what failed, keys among them, loads a font from the internet, and
lets every page that the user visits open a dashboard.
"""

from __future__ import annotations

import asyncio
import secrets
import signal
from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Final

import textual_serve
from aiohttp import web
from jinja2 import Environment
from textual_serve.server import Server, to_int

from .doors import Doors
from .session import Session

LOOPBACK: Final = "127.0.0.1"
SESSIONS_MAX: Final = 8
_TYPES: Final = {"page.css": "text/css", "page.js": "text/javascript"}


class BrowserServer(Server):
    """Runs `command` for each tab. `say` is told the address once the port listens."""

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        port: int,
        title: str,
        say: Callable[[str], None],
    ) -> None:
        super().__init__(  # pyright: ignore[reportUnknownMemberType] - its paths are PathLike of anything
            command="", host=LOOPBACK, port=port, title=title
        )
        self._words, self._environment, self._say = list(command), dict(environment), say
        self._doors = Doors(secrets.token_urlsafe(24))
        self._session_count = 0
        self._page = Environment(autoescape=True).from_string(_own_file("page.html"))

    def run(self) -> None:
        """Serve until Ctrl-C or SIGTERM. Raises `OSError` where the port is taken."""
        asyncio.run(self._serve())

    async def handle_index(self, request: web.Request) -> web.Response:
        """Answer the page."""
        page = self._page.render(title=self.title, websocket_url=f"ws://{request.host}/ws")
        return web.Response(text=page, content_type="text/html")

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """Run a dashboard for as long as the tab is open."""
        if self._session_count >= SESSIONS_MAX:
            raise web.HTTPServiceUnavailable(text=f"{SESSIONS_MAX} dashboards are open already; close one.\n")
        self._session_count += 1
        try:
            websocket = web.WebSocketResponse(heartbeat=15)
            await websocket.prepare(request)
            session = Session(self._words, self._environment, websocket, self.download_manager)
            await session.start(to_int(request.query.get("width", ""), 80), to_int(request.query.get("height", ""), 24))
            try:
                await self._process_messages(websocket, session)
            finally:
                await session.end()
        finally:
            self._session_count -= 1
        return websocket

    async def _make_app(self) -> web.Application:
        app = web.Application(middlewares=[self._doors.admit])
        app.router.add_get("/", self.handle_index)
        app.router.add_get("/ws", self.handle_websocket)
        app.router.add_get("/download/{key}", self.handle_download)
        app.router.add_get("/{name:page\\.(?:css|js)}", _own_file_answered)
        app.router.add_static("/static", Path(textual_serve.__file__).with_name("static"))
        return app

    async def _serve(self) -> None:
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, ended.set)
        runner = web.AppRunner(await self._make_app(), access_log=None, shutdown_timeout=2.0)
        await runner.setup()
        try:
            site = web.TCPSite(runner, LOOPBACK, self.port)
            await site.start()
            self._doors.port = runner.addresses[0][1]
            self._say(self._doors.address)
            await ended.wait()
        finally:
            await runner.cleanup()


async def _own_file_answered(request: web.Request) -> web.Response:
    name = request.match_info["name"]
    return web.Response(text=_own_file(name), content_type=_TYPES[name])


def _own_file(name: str) -> str:
    return files(__package__ or "tallystick_tui.browser").joinpath(name).read_text(encoding="utf-8")
