"""Randomness, passed in so that a test can replay a run byte for byte."""

from __future__ import annotations

from typing import Protocol


class Entropy(Protocol):
    """Where random bytes come from: the system's generator in the server, a seeded one in tests."""

    def token_bytes(self, size: int) -> bytes:
        """Return that many bytes that nobody can guess."""
        ...


class NoEntropy:
    """Zeros, for events that are decoded to be compared and never stored: those that would need a random id are refused before."""

    def token_bytes(self, size: int) -> bytes:
        """Return that many zeros."""
        return bytes(size)
