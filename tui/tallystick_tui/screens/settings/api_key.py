"""An API key as the appliance lists it, and one that was just made."""

from __future__ import annotations

from typing import Final

import msgspec

# In the order of what they allow, with words for the person who chooses.
SCOPES: Final = {
    "ingest": "send events",
    "read": "ask for usage, events, customers",
    "admin": "everything, keys included",
}


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key without its secret; times as the appliance writes them."""

    id: str
    name: str
    scopes: list[str]
    prefix: str
    created_at: str
    expires_at: str | None = None
    last_used_at: str | None = None


class NewApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key that was just made; `key` is its secret, in this answer and never again."""

    id: str
    key: str
    name: str
    scopes: list[str]


class ApiKeyDraft(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A key to make, as the API takes it."""

    name: str
    scopes: list[str]
    expires_at: str | None = None
