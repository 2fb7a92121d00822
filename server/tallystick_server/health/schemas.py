"""How health looks in JSON."""

from __future__ import annotations

from typing import Literal

import msgspec


class LiveOut(msgspec.Struct):
    """The process answers."""

    status: Literal["live"] = "live"


class ReadyOut(msgspec.Struct):
    """The log was replayed and the store takes writes."""

    position: int
    status: Literal["ready"] = "ready"
