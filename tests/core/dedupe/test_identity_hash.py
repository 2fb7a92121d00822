"""Hashes of identities: stable, seeded, and never mixed up between source and id."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.dedupe import identity_hashes

# Lone surrogates are refused before an event gets here.
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
SEEDS = st.integers(0, 2**64 - 1)


@given(identities=st.lists(st.tuples(TEXTS, TEXTS), max_size=30), seed=SEEDS)
def test_an_identity_hashes_the_same_alone_and_in_any_batch(identities: list[tuple[str, str]], seed: int) -> None:
    sources, ids = [source for source, _ in identities], [key for _, key in identities]
    alone = [int(identity_hashes([source], [key], seed=seed)[0]) for source, key in identities]
    assert identity_hashes(sources, ids, seed=seed).tolist() == alone


@given(identities=st.sets(st.tuples(TEXTS, TEXTS), min_size=2, max_size=30), seed=SEEDS)
def test_different_identities_have_different_hashes(identities: set[tuple[str, str]], seed: int) -> None:
    sources, ids = zip(*identities, strict=True)
    assert len(set(identity_hashes(sources, ids, seed=seed).tolist())) == len(identities)


def test_moving_a_letter_from_source_to_id_makes_another_identity() -> None:
    hashes = identity_hashes(["a", "ab", "", "abc"], ["bc", "c", "abc", ""], seed=1)
    assert len(set(hashes.tolist())) == 4


def test_another_seed_gives_other_hashes() -> None:
    assert identity_hashes([""], ["x"], seed=1)[0] != identity_hashes([""], ["x"], seed=2)[0]


def test_hashes_never_change_between_versions_since_they_are_on_disk() -> None:
    hashes = identity_hashes(["", "gateway-1"], ["order-1", "order-1"], seed=0x1234_5678_9ABC_DEF0)
    assert [f"{value:016x}" for value in hashes.tolist()] == ["64b68d1fada2f194", "cfda3a25dda7727d"]


def test_no_events_have_no_hashes() -> None:
    assert identity_hashes([], [], seed=1).size == 0


def test_a_source_too_few_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="1 sources for 2 ids"):
        identity_hashes([""], ["a", "b"], seed=1)
