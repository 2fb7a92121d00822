"""What a byte string was found to mean, kept so that it is worked out once: senders repeat themselves.

Promises: never more than `entries_max` entries and `bytes_max` bytes of keys in each of two generations; safe from any thread.
Does not: keep what is longer than `key_bytes_max`, which seldom comes twice; nor anything that was refused.
When the younger generation is full it becomes the older one, and what was not asked for since then is dropped: nearly what a
list of least recent use would do, at the cost of one dict lookup a key.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Meaning = TypeVar("Meaning")


class CanonicalMemo(Generic[Meaning]):
    """Meanings of byte strings. `work_out` answers for several at once, in order, or None if one of them has no plain meaning."""

    def __init__(
        self,
        work_out: Callable[[list[bytes]], Sequence[Meaning] | None],
        *,
        known: dict[bytes, Meaning],
        entries_max: int = 32_768,
        bytes_max: int = 4 * 1024 * 1024,
        key_bytes_max: int = 256,
    ) -> None:
        self._work_out = work_out
        self._known = known
        self._entries_max, self._bytes_max, self._key_bytes_max = entries_max, bytes_max, key_bytes_max
        self._younger: dict[bytes, Meaning] = dict(known)
        self._older: dict[bytes, Meaning] = {}
        self._younger_bytes = 0

    def __len__(self) -> int:
        return len(self._younger) + len(self._older)

    def of_each(self, keys: list[bytes]) -> list[Meaning] | None:
        """Return the meaning of each key, or None if one of them has no plain meaning."""
        try:
            return list(map(self._younger.__getitem__, keys))
        except KeyError:
            return self._with_new(keys)

    def _with_new(self, keys: list[bytes]) -> list[Meaning] | None:
        younger, older = self._younger, self._older
        if len(keys) == 1 and keys[0] not in older:
            alone = self._work_out(keys)
            if alone is not None and len(keys[0]) <= self._key_bytes_max:
                self._remember({keys[0]: alone[0]})
            return None if alone is None else list(alone)
        meanings: dict[bytes, Meaning] = {}
        promoted: dict[bytes, Meaning] = {}
        unknown: list[bytes] = []
        for key in dict.fromkeys(keys):
            if key in younger:
                meanings[key] = younger[key]
            elif key in older:
                promoted[key] = older[key]
            else:
                unknown.append(key)
        if unknown:
            found = self._work_out(unknown)
            if found is None:
                return None
            promoted.update(zip(unknown, found, strict=True))
        meanings.update(promoted)
        self._remember(promoted)
        return list(map(meanings.__getitem__, keys))

    def _remember(self, fresh: dict[bytes, Meaning]) -> None:
        # Two threads may lose each other's entries here, never mix them up: each step replaces or extends one dict.
        size = sum(map(len, fresh))
        if size > self._key_bytes_max * len(fresh) or max(map(len, fresh)) > self._key_bytes_max:
            fresh = {key: meaning for key, meaning in fresh.items() if len(key) <= self._key_bytes_max}
            size = sum(map(len, fresh))
        if len(self._known) + len(fresh) > self._entries_max or size > self._bytes_max:
            return
        if len(self._younger) + len(fresh) > self._entries_max or self._younger_bytes + size > self._bytes_max:
            self._older, self._younger, self._younger_bytes = self._younger, dict(self._known), 0
        self._younger.update(fresh)
        self._younger_bytes += size
