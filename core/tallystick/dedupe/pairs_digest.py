"""A digest of a set of (hash, position) pairs that does not depend on their order.

Promises: computable piece by piece, from the log and from the index alike; a pair missing, added or changed changes it but for chance.
Does not: withstand someone who can write to both sides; it finds damage, not fraud.
"""

from __future__ import annotations

from typing import Final, Self

import msgspec
import numpy as np

from .block_filter import mix64
from .identity_hash import Hashes, Positions

_WRAP: Final = (1 << 64) - 1
_ODD: Final = np.uint64(0x9E3779B97F4A7C15)


class PairsDigest(msgspec.Struct, frozen=True):
    """How many pairs, and the sum and the exclusive or of a 64-bit mix of each."""

    count: int = 0
    sum: int = 0
    xor: int = 0

    def with_pairs(self, hashes: Hashes, positions: Positions) -> Self:
        """Return the digest with these pairs added."""
        if not hashes.size:
            return self
        # The position is mixed before it meets the hash, so that no swap of positions between two hashes cancels out.
        mixed = mix64(mix64(positions.view(np.uint64) * _ODD) + hashes)
        return type(self)(
            self.count + hashes.size,
            (self.sum + int(mixed.sum(dtype=np.uint64))) & _WRAP,
            self.xor ^ int(np.bitwise_xor.reduce(mixed)),
        )

    def joined(self, other: PairsDigest) -> Self:
        """Return the digest of both sets together."""
        return type(self)(self.count + other.count, (self.sum + other.sum) & _WRAP, self.xor ^ other.xor)
