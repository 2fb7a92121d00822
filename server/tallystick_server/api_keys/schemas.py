"""How API keys look in JSON: the secret in the answer that makes it, and never again."""

from __future__ import annotations

from typing import Annotated

import msgspec

from tallystick.api_key import ApiKey, Scope
from tallystick_server.json_values import Moment, Timestamp, timestamp, timestamp_or_null


class ApiKeyOut(msgspec.Struct, kw_only=True):
    """A key without its secret; `prefix` is its first characters, for recognition.

    `last_used_at` is null until its first use; after a crash it may be minutes old.
    """

    id: str
    name: str
    scopes: list[Scope]
    prefix: str
    created_at: Timestamp
    expires_at: Timestamp | None
    last_used_at: Timestamp | None


class ApiKeysOut(msgspec.Struct):
    """All keys, oldest first, on one page."""

    items: list[ApiKeyOut]
    next_cursor: str | None = None


class ApiKeyCreate(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A key to make."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=128, examples=["gateway-1"])]
    scopes: Annotated[list[Scope], msgspec.Meta(min_length=1, max_length=3, examples=[["ingest"]])]
    expires_at: Moment | None = None


class ApiKeyCreated(msgspec.Struct, kw_only=True):
    """A new key; `key` is its secret, which is shown here once and kept nowhere."""

    id: str
    key: str
    name: str
    scopes: list[Scope]
    prefix: str
    created_at: Timestamp
    expires_at: Timestamp | None


def api_key_out(key: ApiKey) -> ApiKeyOut:
    """Return a key as it is listed."""
    return ApiKeyOut(
        id=key.id,
        name=key.name,
        scopes=list(key.scopes),
        prefix=key.prefix,
        created_at=timestamp(key.created_at),
        expires_at=timestamp_or_null(key.expires_at),
        last_used_at=timestamp_or_null(key.last_used_at),
    )


def api_key_created(key: ApiKey, secret: str) -> ApiKeyCreated:
    """Return a key as it is answered to whoever made it."""
    return ApiKeyCreated(
        id=key.id,
        key=secret,
        name=key.name,
        scopes=list(key.scopes),
        prefix=key.prefix,
        created_at=timestamp(key.created_at),
        expires_at=timestamp_or_null(key.expires_at),
    )
