"""Random bytes that are the same in every run."""

from __future__ import annotations

import hashlib


class SeededEntropy:
    """An `Entropy` for tests: SHA-256 of a seed and a counter."""

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        self._drawn = 0

    def token_bytes(self, size: int) -> bytes:
        """Return the next bytes of the sequence."""
        self._drawn += 1
        return hashlib.shake_256(f"{self._seed}:{self._drawn}".encode()).digest(size)
