"""Who may come in: a browser of this machine that was given the address with its token, and no page of anybody else.

The dashboard acts with its user's key, so the port must not be open to every user of the machine, nor to a web page that the user
happens to visit. Held by three things: a token in the address that is printed, exchanged for a cookie at the first visit; the `Host` of
each request, so that a name that leads here by somebody else's DNS is refused; and the `Origin` of the WebSocket.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from hmac import compare_digest
from typing import Final

from aiohttp import web

_HOSTS: Final = ("127.0.0.1", "localhost")
_POLICY: Final = (
    "default-src 'self'; connect-src 'self' ws://{host}; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Doors:
    """Lets requests in, or answers 403 with what to do. `port` is set once the port is known."""

    def __init__(self, token: str) -> None:
        self._token = token
        self.port = 0

    @property
    def address(self) -> str:
        """What to open in a browser."""
        return f"http://{_HOSTS[0]}:{self.port}/?token={self._token}"

    @web.middleware
    async def admit(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer a request, or refuse it."""
        hosts = {f"{host}:{self.port}" for host in _HOSTS}
        if request.host not in hosts:
            raise web.HTTPForbidden(text="This dashboard answers on 127.0.0.1 alone.\n")
        origin = request.headers.get("Origin")
        if origin is not None and origin.removeprefix("http://") not in hosts:
            raise web.HTTPForbidden(text="This dashboard answers to its own page alone.\n")
        given = request.query.get("token")
        if request.path == "/" and given is not None and _same(given, self._token):
            return self._first_visit()
        if not _same(request.cookies.get(self._cookie, ""), self._token):
            raise web.HTTPForbidden(text="Open the address that `tallystick tui --serve` printed, with its token.\n")
        response = await handler(request)
        if not response.prepared:
            response.headers["Content-Security-Policy"] = _POLICY.format(host=request.host)
            response.headers["X-Content-Type-Options"] = "nosniff"
            response.headers["Referrer-Policy"] = "no-referrer"
            response.headers["Cache-Control"] = "no-store"
        return response

    @property
    def _cookie(self) -> str:
        # Browsers keep cookies by host, whatever the port; two dashboards must not take each other's.
        return f"tallystick-{self.port}"

    def _first_visit(self) -> web.StreamResponse:
        response = web.Response(status=303, headers={"Location": "/", "Referrer-Policy": "no-referrer"})
        response.set_cookie(self._cookie, self._token, httponly=True, samesite="Strict", path="/")
        return response


def _same(given: str, token: str) -> bool:
    return compare_digest(given.encode(), token.encode())
