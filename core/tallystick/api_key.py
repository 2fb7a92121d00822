"""API keys: 256 random bits shown once, of which only a SHA-256 is kept.

A plain hash is enough: what has 256 bits of entropy cannot be guessed from its hash, and a slow one would slow every request.
"""

from __future__ import annotations

import hashlib
from enum import StrEnum

import msgspec

from .instant import Instant


class Scope(StrEnum):
    """What a key may do. `admin` implies the others."""

    INGEST = "ingest"
    READ = "read"
    ADMIN = "admin"


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key as it is kept: `prefix` (its first characters) is for recognition, `secret_hash` for the comparison.

    `last_used_at` is a hint that is written with each checkpoint, not with each use.
    """

    id: str
    name: str
    scopes: tuple[Scope, ...]
    prefix: str
    secret_hash: bytes
    created_at: Instant
    expires_at: Instant | None = None
    last_used_at: Instant | None = None

    def allows(self, scope: Scope) -> bool:
        """Whether the key may do what the scope names."""
        return scope in self.scopes or Scope.ADMIN in self.scopes


def hash_secret(secret: str) -> bytes:
    """Return what is kept of a key's secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
