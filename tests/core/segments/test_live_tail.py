"""The live tail: what the writer appends is there for readers, at once and exactly once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import polars as pl
import pytest

from tallystick.segments import LiveTail
from tests.core.segments.recorded import NOON, Recorded, answered, as_columns, expected

FOR_EVER = 1 << 62


def event(position: int) -> Recorded:
    return Recorded(
        position=position,
        type="api_call",
        customer=f"customer-{position % 3}",
        time=NOON + position,
        value=Decimal(position),
        properties={"tokens": Decimal(position % 5)},
    )


def test_what_lies_after_the_head_of_a_snapshot_is_not_seen() -> None:
    events = [event(position) for position in range(1, 11)]
    tail = LiveTail()
    for columns in as_columns(events):
        tail.append(columns)
    assert answered(tail.frames(head=6, event_type="api_call", start=0, end=FOR_EVER)) == expected(events[:6], [])
    assert tail.newest(head=6, limit=2).positions.tolist() == [6, 5]
    assert sum(seen.event_count for seen in tail.customers(head=6, limit=10)) == 6


def test_a_position_is_found_with_its_event() -> None:
    events = [event(position) for position in (1, 2, 3, 7, 8, 20)]
    tail = LiveTail()
    for columns in as_columns(events):
        tail.append(columns)
    found = {position: tail.find(position) for position in range(25)}
    assert [position for position, place in found.items() if place is not None] == [1, 2, 3, 7, 8, 20]
    assert all(
        columns.ids[row] == f"id-{position}" for position, place in found.items() if place for columns, row in [place]
    )
    assert (tail.first_position, tail.last_position, len(tail)) == (1, 20, 6)


def test_an_empty_tail_answers_nothing() -> None:
    tail = LiveTail()
    assert tail.frames(head=FOR_EVER, event_type="api_call", start=0, end=FOR_EVER) == []
    assert len(tail.newest(head=FOR_EVER, limit=5)) == 0
    assert tail.customers(head=FOR_EVER, limit=5) == []
    assert (tail.find(1), tail.first_position, tail.last_position, tail.events()) == (None, None, None, [])


def test_positions_that_go_back_are_refused() -> None:
    tail = LiveTail()
    (columns,) = as_columns([event(5)])
    tail.append(columns)
    with pytest.raises(ValueError, match="position 5"):
        tail.append(columns)


def test_properties_asked_for_later_are_there_for_earlier_events() -> None:
    tail = LiveTail()
    events = [event(position) for position in range(1, 40)]
    for start in range(0, 39, 3):
        for columns in as_columns(events[start : start + 3]):
            tail.append(columns)
        names = [f"name{start}", "tokens"] if start % 2 else [f"name{start}"]
        frames = tail.frames(head=FOR_EVER, event_type="api_call", start=0, end=FOR_EVER, properties=names)
        assert answered(frames) == expected(events[: start + 3], names)


def test_readers_beside_the_writer_see_each_event_up_to_their_head_once() -> None:
    tail = LiveTail()
    blocks = [
        as_columns([event(position) for position in range(first, first + 64)])[0] for first in range(1, 32_000, 64)
    ]

    def read() -> int:
        checks = 0
        while (tail.last_position or 0) < blocks[-1].end_position - 1:
            head = tail.last_position or 0
            frames = tail.frames(head=head, event_type="api_call", start=0, end=FOR_EVER, properties=["tokens"])
            if frames:
                count, total = pl.concat(frames).select(pl.len(), pl.col("position").sum()).collect().row(0)
                assert (count, total) == (head, head * (head + 1) // 2)
            checks += 1
        return checks

    with ThreadPoolExecutor(3) as pool:
        readers = [pool.submit(read) for _ in range(3)]
        for block in blocks:
            tail.append(block)
        assert all(reader.result() >= 0 for reader in readers)
    assert len(tail) == 32_000
