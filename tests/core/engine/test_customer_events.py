"""A customer's events come once, in the order of the log, however stretches, pages, files and tails are cut."""

from __future__ import annotations

import pytest
from msgspec import structs

from tallystick.engine import customer_events
from tallystick.errors import InvalidQuestion
from tallystick.event import Position
from tallystick.identity import Identity
from tallystick.instant import parse_instant
from tallystick.store import CustomerEventsQuestion

from .conftest import EngineHouse, call

START, END = parse_instant("2026-11-01T00:00:00Z"), parse_instant("2026-11-01T11:00:00Z")


@pytest.fixture
def filled(house: EngineHouse) -> EngineHouse:
    """Return a house with 300 events of three customers, some in files, some voided, some out of the range, in many blocks."""
    for batch in range(30):
        events = [
            call(
                f"{batch}-{row}",
                customer=["acme", "globex", "acme", "initech"][row % 4],
                source="gw" if row % 3 else "",
            )
            | {"time": "2026-11-01T10:00:00Z" if row != 8 else "2026-11-01T11:00:00Z"}
            for row in range(10)
        ]
        house.engine.ingest(house.batch(*events))
        if batch in (9, 14, 22):
            house.engine.checkpoint()
        if batch == 17:
            house.engine.void_events([Identity("gw", "3-2")], reason="wrong", remember_missing=False)
    return house


def listed(house: EngineHouse, **fields: object) -> list[tuple[int, str, bool]]:
    asked = CustomerEventsQuestion(customer="acme", start=START, end=END)
    for name, value in fields.items():
        asked = structs.replace(asked, **{name: value})
    rows: list[tuple[int, str, bool]] = []
    while True:
        page = house.engine.customer_events(asked)
        rows += zip(page.items.positions, page.items.ids, page.items.are_voided, strict=True)
        assert len(page.items) <= asked.limit
        if page.next_cursor is None:
            return rows
        asked = structs.replace(asked, cursor=page.next_cursor)


@pytest.mark.parametrize("stretch", [1, 7, 1 << 16])
@pytest.mark.parametrize("limit", [1, 9, 10_000])
def test_the_list_is_the_log_without_the_others(
    filled: EngineHouse, monkeypatch: pytest.MonkeyPatch, stretch: int, limit: int
) -> None:
    monkeypatch.setattr(customer_events, "STRETCH_POSITIONS_MIN", stretch)
    monkeypatch.setattr(customer_events, "STRETCH_POSITIONS_MAX", 4 * stretch)
    expected = [
        (stored.position, stored.event.id, stored.state == "voided")
        for stored in filled.engine.scan_log(start=START, end=END)
        if stored.event.customer == "acme"
    ]
    assert len(expected) == 30 * 4
    assert listed(filled, limit=limit) == expected
    middle = Position(expected[40][0])
    before = [(position, event_id, False) for position, event_id, _ in expected if position <= middle]
    assert listed(filled, limit=limit, as_of=middle) == before
    of_source = [row for row in expected if int(row[1].rpartition("-")[2]) % 3]
    assert listed(filled, limit=limit, source="gw") == of_source
    assert listed(filled, limit=limit, as_of=Position(0)) == []


def test_a_position_past_the_end_and_a_foreign_cursor_are_refused(filled: EngineHouse) -> None:
    head = filled.engine.log_head().position
    for fields in ({"as_of": head + 1}, {"cursor": "x"}, {"cursor": f"{head + 1}-3"}, {"end": START - 1}):
        with pytest.raises(InvalidQuestion):
            listed(filled, **fields)
    with pytest.raises(InvalidQuestion):
        listed(filled, cursor="5-1", as_of=Position(4))
