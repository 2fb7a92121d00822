"""The arena: places never overlap, and running out is slow rather than wrong."""

from __future__ import annotations

import mmap

from hypothesis import given
from hypothesis import strategies as st

from tallystick.dedupe.filter_arena import ALWAYS, FilterArena, FilterPlace


@given(steps=st.lists(st.tuples(st.integers(1, 2_000), st.booleans()), max_size=40))
def test_places_never_overlap_and_come_back_empty(steps: list[tuple[int, bool]]) -> None:
    arena = FilterArena(reserved_bytes=mmap.PAGESIZE * 32)
    held: list[tuple[FilterPlace, int]] = []
    for number, (word_count, give_back) in enumerate(steps, start=1):
        place = arena.take(word_count)
        if place != ALWAYS:
            assert not arena.at(place).any()
            arena.at(place)[:] = number
            held.append((place, number))
        if give_back and held:
            arena.give_back(held.pop(number % len(held))[0])
        assert all((arena.at(place) == mark).all() for place, mark in held)
    for place, _ in held:
        arena.give_back(place)
    assert arena.take(mmap.PAGESIZE * 31 // 8) != ALWAYS


def test_without_room_a_filter_lets_everything_through() -> None:
    arena = FilterArena(reserved_bytes=mmap.PAGESIZE * 2)
    assert arena.take(mmap.PAGESIZE) == ALWAYS
    assert arena.at(ALWAYS).tolist() == [2**64 - 1]
    arena.give_back(ALWAYS)
    assert arena.take(1) != ALWAYS
