"""A Merkle tree over leaves that come one after the other: its root, and the audit path of one of them.

Promises: root and paths are those of RFC 6962, section 2.1: a node is SHA-256(0x01, left, right), the left side of every node is a full
tree, the largest that leaves something for the right; the root of no leaves is the SHA-256 of nothing. Leaves and nodes are hashed with
different first bytes, so that no node can be passed off as a leaf.
Does not: keep leaves. Memory is one hash for each level, whatever the number of leaves; a path is gathered in the same pass as the root.
Source of the idea: Ralph Merkle, 1979; the form is that of Certificate Transparency (RFC 6962), whose verifiers can be used.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Final

import msgspec

EMPTY_ROOT: Final = sha256(b"").digest()
LEAF_PREFIX: Final = b"\x00"
_NODE_PREFIX: Final = b"\x01"
HASH_BYTES: Final = 32


class AuditPath(msgspec.Struct, frozen=True):
    """The siblings on the way from leaf `index` (from 0) of `size` up to the root, the lowest first."""

    index: int
    size: int
    siblings: tuple[bytes, ...]


class _Subtree(msgspec.Struct, frozen=True):
    """The root of a full tree of `2 ** height` leaves, of which the first is leaf `start`."""

    start: int
    height: int
    hash: bytes


class MerkleTree:
    """The tree of the leaves added so far; `watched_index` names the leaf whose path is wanted."""

    def __init__(self, *, watched_index: int | None = None) -> None:
        self._watched_index = watched_index
        self._siblings: list[bytes] = []
        # Full trees from left to right, each lower than the one before: the binary digits of the number of leaves.
        self._subtrees: list[_Subtree] = []
        self.size = 0

    def add(self, leaves: Sequence[bytes]) -> None:
        """Add leaf hashes after those that are there; costs one hash a leaf."""
        at = 0
        while at < len(leaves):
            # As large a full tree as fits here and may stand here: its levels are hashed as whole lists.
            height = (len(leaves) - at).bit_length() - 1
            if self.size:
                height = min(height, (self.size & -self.size).bit_length() - 1)
            count = 1 << height
            self._append(_Subtree(self.size, height, self._full_root(leaves[at : at + count], self.size)))
            self.size += count
            at += count

    def root(self) -> bytes:
        """Return the root of all that was added."""
        return self._fold([])

    def path(self) -> AuditPath:
        """Return the path of the watched leaf. Raises `IndexError` if there is no such leaf."""
        index = self._watched_index
        if index is None or not 0 <= index < self.size:
            raise IndexError(f"there is no leaf {index} among {self.size}")
        siblings = list(self._siblings)
        self._fold(siblings)
        return AuditPath(index, self.size, tuple(siblings))

    def _append(self, subtree: _Subtree) -> None:
        while self._subtrees and self._subtrees[-1].height == subtree.height:
            left = self._subtrees.pop()
            self._notice(left.start, left.height, left.hash, subtree.hash)
            subtree = _Subtree(left.start, left.height + 1, node_hash(left.hash, subtree.hash))
        self._subtrees.append(subtree)

    def _full_root(self, hashes: Sequence[bytes], start: int) -> bytes:
        """Return the root of `2 ** n` leaves, of which the first is leaf `start`."""
        height = 0
        while len(hashes) > 1:
            if self._watched_index is not None:
                self._notice_in_level(hashes, start, height)
            hashes = [
                sha256(_NODE_PREFIX + left + right).digest()
                for left, right in zip(hashes[::2], hashes[1::2], strict=True)
            ]
            height += 1
        return hashes[0]

    def _notice_in_level(self, hashes: Sequence[bytes], start: int, height: int) -> None:
        place = ((self._watched_index or 0) - start) >> height
        if 0 <= place < len(hashes):
            self._siblings.append(hashes[place ^ 1])

    def _notice(self, start: int, height: int, left: bytes, right: bytes) -> None:
        """Keep the sibling, if the watched leaf is in one of two trees of this height that become one; the left begins at `start`."""
        if self._watched_index is not None and 0 <= self._watched_index - start < 2 << height:
            self._siblings.append(right if self._watched_index - start < 1 << height else left)

    def _fold(self, siblings: list[bytes]) -> bytes:
        """Return the root; adds the siblings that the watched leaf meets on the way to the end of `siblings`."""
        if not self._subtrees:
            return EMPTY_ROOT
        *lefts, last = self._subtrees
        found, start = last.hash, last.start
        watched = self._watched_index
        for left in reversed(lefts):
            if watched is not None and left.start <= watched < self.size:
                siblings.append(found if watched < start else left.hash)
            found, start = node_hash(left.hash, found), left.start
        return found


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of a node."""
    return sha256(_NODE_PREFIX + left + right).digest()


def root_of_path(leaf: bytes, path: AuditPath) -> bytes | None:
    """Return the root to which a path leads from a leaf; None for a path that no tree of that size has (RFC 9162, 2.1.3.2)."""
    if not 0 <= path.index < path.size:
        return None
    place, last = path.index, path.size - 1
    found = leaf
    for sibling in path.siblings:
        if last == 0 or len(sibling) != HASH_BYTES:
            return None
        if place & 1 or place == last:
            found = node_hash(sibling, found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        place, last = place >> 1, last >> 1
    return found if last == 0 else None
