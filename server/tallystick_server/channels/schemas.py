"""How channels look in JSON: never with a secret, but for one that the appliance made, in the answer that made it."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType

from tallystick.signals.channel import Channel, ChannelKind
from tallystick_server.json_values import Timestamp, timestamp, timestamp_or_null

Key = Annotated[str, msgspec.Meta(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9_.\-]+$", examples=["ops"])]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=256, examples=["Operations"])]
Url = Annotated[
    str,
    msgspec.Meta(
        min_length=1,
        max_length=2_048,
        description="Where messages go: https://… for a webhook, an Apprise URL such as slack://… otherwise. Never shown whole again.",
        examples=["https://hooks.example.com/tallystick"],
    ),
]
SecretText = Annotated[
    str,
    msgspec.Meta(
        min_length=1,
        max_length=256,
        description="Of a webhook: `whsec_` and base64 of 16 to 64 bytes, by which its receiver knows that a message is ours. "
        "Without one, one is made and shown in this answer alone.",
        examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
    ),
]
KeepS = Annotated[
    int,
    msgspec.Meta(
        ge=0,
        le=30 * 86_400,
        description="For how many seconds the secret before this one goes on signing beside it; 0 ends it at once.",
    ),
]


class ChannelOut(msgspec.Struct, kw_only=True):
    """A channel. `url` is what may be shown of its address; `secrets` how many secrets sign now."""

    key: str
    kind: ChannelKind
    name: str | None
    url: str
    secrets: int
    enabled: bool
    disabled_at: Timestamp | None
    disabled_reason: str | None
    waiting: int
    version: int
    created_at: Timestamp
    updated_at: Timestamp


class ChannelCreated(ChannelOut, kw_only=True):
    """A new channel; `secret` is there only if the appliance made it, and can never be shown again."""

    secret: str | None = None


class ChannelsOut(msgspec.Struct):
    """All channels by key, on one page."""

    items: list[ChannelOut]
    next_cursor: str | None = None


class ChannelCreate(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A channel to make."""

    key: Key
    kind: ChannelKind
    url: Url
    secret: SecretText | None = None
    name: Name | None = None


class ChannelUpdate(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A merge patch: what is absent stays. A new `secret` signs beside the one before it for a day, or `keep_secret_s`.

    `"enabled": true` takes a disabled channel back.
    """

    url: Url | UnsetType = UNSET
    secret: SecretText | UnsetType = UNSET
    keep_secret_s: KeepS = 86_400
    name: Name | UnsetType | None = UNSET
    enabled: bool | UnsetType = UNSET


def channel_out(channel: Channel, *, waiting: int) -> ChannelOut:
    """Return a channel as it is answered."""
    return ChannelOut(
        key=channel.key,
        kind=channel.kind,
        name=channel.name,
        url=channel.address,
        secrets=channel.secret_count,
        enabled=channel.disabled_at is None,
        disabled_at=timestamp_or_null(channel.disabled_at),
        disabled_reason=channel.disabled_reason,
        waiting=waiting,
        version=channel.version,
        created_at=timestamp(channel.created_at),
        updated_at=timestamp(channel.updated_at),
    )


def channel_created(channel: Channel, *, secret: str | None) -> ChannelCreated:
    """Return a channel as it is answered to whoever made it."""
    return ChannelCreated(**msgspec.structs.asdict(channel_out(channel, waiting=0)), secret=secret)
