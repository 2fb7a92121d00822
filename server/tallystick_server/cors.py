"""Cross-origin requests: none, unless the operator named the origins that may send them."""

from __future__ import annotations

from collections.abc import Sequence

from .answer_headers import Headers
from .asgi import Message, Scope, Send

_METHODS = b"GET, POST, PATCH, PUT, DELETE"
_HEADERS = b"authorization, x-api-key, content-type, content-encoding, x-request-id, last-event-id"


class Cors:
    """The origins that may ask, compared byte for byte. Credentials are never allowed: a key is a header, not a cookie."""

    def __init__(self, origins: Sequence[str]) -> None:
        self.origins = frozenset(origin.encode() for origin in origins)

    def _origin(self, scope: Scope) -> bytes | None:
        origin = dict(scope["headers"]).get(b"origin")
        return origin if origin in self.origins else None

    def preflight(self, scope: Scope) -> Headers | None:
        """Return the headers of the answer to a browser's question before the request; None if it is none of an allowed origin."""
        if scope["method"] != "OPTIONS" or b"access-control-request-method" not in dict(scope["headers"]):
            return None
        origin = self._origin(scope)
        if origin is None:
            return None
        return [
            (b"access-control-allow-origin", origin),
            (b"access-control-allow-methods", _METHODS),
            (b"access-control-allow-headers", _HEADERS),
            (b"access-control-max-age", b"600"),
            (b"vary", b"origin"),
        ]

    def with_headers(self, scope: Scope, send: Send) -> Send:
        """Return a `send` that lets the page of an allowed origin read the answer."""
        origin = self._origin(scope)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own: Headers = [(b"vary", b"origin")]
                if origin is not None:
                    own += [
                        (b"access-control-allow-origin", origin),
                        (b"access-control-expose-headers", b"x-request-id, retry-after"),
                    ]
                message["headers"] = [*message["headers"], *own]
            await send(message)

        return send_with_headers
