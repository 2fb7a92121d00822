"""A channel: where messages about signals go.

Promises: nothing in it is secret. Address and secrets are sealed by whoever makes the channel (the server, with a key that no backup
copies); `address` is the form that may be shown. So the log, its backups and every answer hold no secret in clear.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from tallystick.instant import Instant


class ChannelKind(StrEnum):
    """How a channel's messages travel."""

    WEBHOOK = "webhook"
    APPRISE = "apprise"


class Channel(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a channel. A disabled one sends nothing; what waits for it is kept for as long as it is tried at all."""

    key: str
    kind: ChannelKind
    address: str
    sealed: bytes
    name: str | None = None
    secret_count: int = 0
    disabled_at: Instant | None = None
    disabled_reason: str | None = None
    version: int = 1
    created_at: Instant = Instant(0)
    updated_at: Instant = Instant(0)
