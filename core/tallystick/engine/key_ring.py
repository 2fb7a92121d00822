"""The engine's API keys: made, found by their secrets' hashes, revoked. Every method may be called from any thread."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import structs

from tallystick.api_key import ApiKey, Scope, hash_secret
from tallystick.catalog.api_keys import adopted_api_key, new_api_key
from tallystick.entropy import Entropy
from tallystick.errors import NotFound, Unavailable
from tallystick.instant import Clock, Instant

from .ledger import Ledger
from .writer import Writer

_API_KEYS_MAX: Final = 10_000


class KeyRing:
    """A part of the engine, which has what it names here."""

    _ledger: Ledger
    _writer: Writer
    _clock: Clock
    _entropy: Entropy

    def api_keys(self) -> list[ApiKey]:
        """Return all keys by id, each with the time it was last used."""
        used = self._ledger.keys_used
        keys = self._ledger.folds.catalog.api_keys.values()
        return [structs.replace(key, last_used_at=used.get(key.id)) for key in keys]

    def create_api_key(self, *, name: str, scopes: Sequence[Scope], expires_at: Instant | None) -> tuple[ApiKey, str]:
        """Return a new key and its secret, which is kept nowhere. Raises `InvalidDefinition`."""
        key, secret = new_api_key(
            name=name, scopes=scopes, expires_at=expires_at, now=self._clock.now(), entropy=self._entropy
        )
        self._add_key(key)
        return key, secret

    def adopt_api_key(self, secret: str, *, name: str, scopes: Sequence[Scope]) -> ApiKey:
        """Keep a key whose secret the operator chose; the same again changes nothing. Raises `InvalidDefinition`."""
        known = self._ledger.folds.catalog.api_keys_by_hash.get(hash_secret(secret))
        if known is not None:
            return known
        key = adopted_api_key(secret, name=name, scopes=scopes, now=self._clock.now())
        self._add_key(key)
        return key

    def delete_api_key(self, key_id: str) -> None:
        """Revoke a key at once. Raises `NotFound`."""

        def delete() -> None:
            if key_id not in self._ledger.folds.catalog.api_keys:
                raise NotFound("API key", key_id)
            self._ledger.define("api_key", key_id, None)

        self._writer.perform(delete)

    def authenticate(self, secret: str) -> ApiKey | None:
        """Return the key of this secret unless it is unknown, revoked or expired.

        The secret is looked up by its hash: how long that takes says nothing about a secret of 256 random bits.
        """
        key = self._ledger.folds.catalog.api_keys_by_hash.get(hash_secret(secret))
        now = self._clock.now()
        if key is None or (key.expires_at is not None and key.expires_at <= now):
            return None
        self._ledger.keys_used[key.id] = now
        return key

    def _add_key(self, key: ApiKey) -> None:
        if len(self._ledger.folds.catalog.api_keys) >= _API_KEYS_MAX:
            raise Unavailable(f"there are {_API_KEYS_MAX} keys: delete some that are no longer used")
        self._writer.perform(lambda: self._ledger.define("api_key", key.id, key))
