"""Blocks: what they promise about their bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.errors import BrokenChain, DamagedStore
from tallystick.event import Position
from tallystick.instant import Instant
from tallystick.log.block import GENESIS_HASH, BlockKind, open_block, seal_block


def sealed(payload: bytes = b"payload", *, position: int = 7) -> bytes:
    _, stored = seal_block(
        number=3,
        kind=BlockKind.EVENTS,
        position=Position(position),
        record_count=5,
        written_at=Instant(1),
        previous_hash=GENESIS_HASH,
        payload=payload,
    )
    return stored


@given(payload=st.binary(max_size=2_000), position=st.integers(1, 1 << 62), count=st.integers(1, 4_096))
def test_a_block_that_was_sealed_opens_as_it_was(payload: bytes, position: int, count: int) -> None:
    block, stored = seal_block(
        number=1,
        kind=BlockKind.VOIDS,
        position=Position(position),
        record_count=count,
        written_at=Instant(12),
        previous_hash=b"\x01" * 32,
        payload=payload,
    )
    assert open_block(stored, position=position) == block


@given(data=st.data())
def test_no_bit_of_a_block_can_change_unseen(data: st.DataObject) -> None:
    stored = bytearray(sealed())
    place = data.draw(st.integers(0, len(stored) * 8 - 1))
    stored[place // 8] ^= 1 << place % 8
    with pytest.raises(DamagedStore):
        open_block(bytes(stored), position=7)


def test_a_changed_payload_is_named_with_both_hashes() -> None:
    with pytest.raises(BrokenChain) as damage:
        open_block(sealed()[:-1] + b"X", position=7)
    assert damage.value.position == 7
    assert damage.value.expected != damage.value.found


def test_a_whole_block_in_the_wrong_place_is_refused() -> None:
    with pytest.raises(DamagedStore, match="does not belong here"):
        open_block(sealed(position=7), position=8)


@given(length=st.integers(0, 100))
def test_a_block_that_was_cut_is_refused(length: int) -> None:
    with pytest.raises(DamagedStore):
        open_block(sealed(b"p" * 200)[:length], position=7)
