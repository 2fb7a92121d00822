"""The tree is that of RFC 6962, however its leaves come, and a path proves its own leaf alone."""

from __future__ import annotations

from hashlib import sha256
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.statement.merkle import EMPTY_ROOT, AuditPath, MerkleTree, root_of_path

# The inputs and roots of the test vectors that the authors of Certificate Transparency publish with their code.
VECTORS = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def leaf(number: int) -> bytes:
    return sha256(b"\x00" + number.to_bytes(4)).digest()


def plain_root(leaves: list[bytes]) -> bytes:
    """Do as RFC 6962 says, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return sha256(b"\x01" + plain_root(leaves[:split]) + plain_root(leaves[split:])).digest()


def plain_path(index: int, leaves: list[bytes]) -> list[bytes]:
    if len(leaves) <= 1:
        return []
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    if index < split:
        return [*plain_path(index, leaves[:split]), plain_root(leaves[split:])]
    return [*plain_path(index - split, leaves[split:]), plain_root(leaves[:split])]


def tree_of(leaves: list[bytes], cuts: list[int], *, watched_index: int | None = None) -> MerkleTree:
    tree = MerkleTree(watched_index=watched_index)
    edges = [0, *sorted(cuts), len(leaves)]
    for start, end in pairwise(edges):
        tree.add(leaves[start:end])
    return tree


@pytest.mark.parametrize("size", range(1, 9))
def test_the_published_vectors_have_their_roots(size: int) -> None:
    leaves = [sha256(b"\x00" + bytes.fromhex(text)).digest() for text in VECTORS[:size]]
    assert tree_of(leaves, []).root().hex() == ROOTS[size - 1]


def test_the_root_of_nothing_is_the_hash_of_nothing() -> None:
    assert MerkleTree().root() == EMPTY_ROOT == sha256(b"").digest()
    with pytest.raises(IndexError):
        MerkleTree(watched_index=0).path()


@settings(deadline=None)
@given(data=st.data(), size=st.integers(1, 300))
def test_root_and_path_are_those_of_the_definition_however_the_leaves_come(data: st.DataObject, size: int) -> None:
    leaves = [leaf(number) for number in range(size)]
    cuts = data.draw(st.lists(st.integers(0, size), max_size=8))
    index = data.draw(st.integers(0, size - 1))
    tree = tree_of(leaves, cuts, watched_index=index)
    assert tree.root() == plain_root(leaves)
    path = tree.path()
    assert list(path.siblings) == plain_path(index, leaves)
    assert root_of_path(leaves[index], path) == tree.root()


@settings(deadline=None)
@given(data=st.data(), size=st.integers(2, 70))
def test_a_path_leads_no_other_leaf_place_or_size_to_the_root(data: st.DataObject, size: int) -> None:
    leaves = [leaf(number) for number in range(size)]
    index = data.draw(st.integers(0, size - 1))
    tree = tree_of(leaves, [], watched_index=index)
    root, path = tree.root(), tree.path()
    other = data.draw(st.integers(0, size - 1).filter(lambda each: each != index))
    assert root_of_path(leaves[other], path) != root
    assert root_of_path(leaves[index], AuditPath(other, size, path.siblings)) != root
    assert root_of_path(leaves[index], AuditPath(index, size, path.siblings[:-1])) != root
    assert root_of_path(leaves[index], AuditPath(index, size, (*path.siblings, leaf(0)))) != root
    place = data.draw(st.integers(0, len(path.siblings) - 1))
    forged = [*path.siblings]
    forged[place] = leaf(9_999)
    assert root_of_path(leaves[index], AuditPath(index, size, tuple(forged))) != root
    assert root_of_path(leaves[index], AuditPath(size, size, path.siblings)) is None
