"""How API keys are made: 256 random bits in a form that can be recognised in a leak, or a secret the operator brings."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Final

from tallystick.api_key import ApiKey, Scope, hash_secret
from tallystick.entropy import Entropy
from tallystick.errors import InvalidDefinition
from tallystick.instant import Instant

_NAME_LENGTH_MAX: Final = 128
_SECRET_LENGTH_MIN: Final = 16
_SECRET_LENGTH_MAX: Final = 512
_PREFIX_LENGTH: Final = 8


def new_api_key(
    *, name: str, scopes: Sequence[Scope], expires_at: Instant | None, now: Instant, entropy: Entropy
) -> tuple[ApiKey, str]:
    """Return a key and its secret. Raises `InvalidDefinition`."""
    _check(name, scopes)
    if expires_at is not None and expires_at <= now:
        raise InvalidDefinition("expires_at", "lies in the past")
    # The prefix lets scanners for leaked secrets find one.
    secret = "tsk_" + base64.urlsafe_b64encode(entropy.token_bytes(32)).decode().rstrip("=")
    key = ApiKey(
        id="key_" + entropy.token_bytes(8).hex(),
        name=name,
        scopes=tuple(dict.fromkeys(scopes)),
        prefix=secret[:_PREFIX_LENGTH],
        secret_hash=hash_secret(secret),
        created_at=now,
        expires_at=expires_at,
    )
    return key, secret


def adopted_api_key(secret: str, *, name: str, scopes: Sequence[Scope], now: Instant) -> ApiKey:
    """Return a key for a secret that the operator chose. Its id follows from the secret. Raises `InvalidDefinition`."""
    _check(name, scopes)
    if not _SECRET_LENGTH_MIN <= len(secret) <= _SECRET_LENGTH_MAX:
        raise InvalidDefinition("key", f"must have {_SECRET_LENGTH_MIN} to {_SECRET_LENGTH_MAX} characters")
    if not (secret.isascii() and secret.isprintable()) or " " in secret:
        raise InvalidDefinition("key", "must be printable ASCII without spaces, as it travels in a header")
    digest = hash_secret(secret)
    return ApiKey(
        id="key_" + hash_secret(digest.hex())[:8].hex(),
        name=name,
        scopes=tuple(dict.fromkeys(scopes)),
        # A chosen secret may be short: its first characters would give too much of it away.
        prefix=secret[:3],
        secret_hash=digest,
        created_at=now,
    )


def _check(name: str, scopes: Sequence[Scope]) -> None:
    if not 1 <= len(name) <= _NAME_LENGTH_MAX or not name.isprintable():
        raise InvalidDefinition("name", f"must have 1 to {_NAME_LENGTH_MAX} printable characters")
    if not scopes:
        raise InvalidDefinition("scopes", "must name at least one of ingest, read, admin")
