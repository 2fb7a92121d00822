"""What names an event."""

from __future__ import annotations

import msgspec


class Identity(msgspec.Struct, frozen=True):
    """Source and id: together unique for ever. The source of senders that name none is empty."""

    source: str
    id: str
