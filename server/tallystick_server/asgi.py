"""ASGI as the front and the lane speak it: plain mappings, since they stand before the framework gives them types."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]  # Any: the ASGI specification's values, by kind of scope
Message = MutableMapping[str, Any]  # Any: as above, by kind of message
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
