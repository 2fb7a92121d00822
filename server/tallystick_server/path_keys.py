"""Keys in paths that have a slash in them, sent as `%2F`.

The server undoes every `%XX` before routes are looked up, and a key such as `acme/eu` would become two parts of the path. A character
that no text may hold stands in for such slashes on the way through the router.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from .asgi import Scope

_STAND_IN = "\ufdd0"


def hide_slashes(scope: Scope) -> None:
    """Put the stand-in for each encoded slash of the path."""
    raw: bytes = scope["raw_path"]
    if b"%2" in raw and b"%2f" in raw.lower():
        kept = raw.replace(b"%2f", b"%2F").split(b"%2F")
        scope["path"] = _STAND_IN.join(unquote(part.decode("latin-1")) for part in kept)


async def restore_slashes(
    connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler
) -> None:  # Any: Litestar's type variables
    """Put the slashes back into the path's parameters; runs once the route is found."""
    parameters = connection.scope["path_params"]
    for name, value in parameters.items():
        if _STAND_IN in str(value):
            parameters[name] = value.replace(_STAND_IN, "/")
