"""Skipped events from a store: page by page, newest first, whatever the range."""

from __future__ import annotations

import pytest

from tallystick.errors import InvalidQuestion, NotFound
from tallystick.identity import Identity
from tallystick.instant import EARLIEST, LATEST, NS_PER_DAY, Instant, format_instant, parse_instant
from tallystick.meter import Meter
from tallystick.store import SkippedPage
from tallystick.usage.skipped_events import SkipCode, SkippedQuestion

from .conftest import EngineHouse, call

METER = Meter(key="tokens", name="Tokens", event_type="call", aggregation="sum", field="properties.tokens")
NOON = parse_instant("2026-11-01T12:00:00Z")


def at(days: int) -> str:
    return format_instant(Instant(NOON - days * NS_PER_DAY))


def page(house: EngineHouse, *, limit: int = 100, cursor: str | None = None) -> SkippedPage:
    return house.engine.skipped("tokens", SkippedQuestion(start=EARLIEST, end=LATEST, limit=limit, cursor=cursor))


def test_skipped_events_come_newest_first_from_files_and_memory_with_their_reasons(house: EngineHouse) -> None:
    house.engine.put_meter(METER, create=True)
    house.engine.ingest(
        house.batch(
            *[call(f"good-{day}", time=at(day), properties={"tokens": day}) for day in range(30)],
            *[call(f"bad-{day}", time=at(day), properties={"tokens": "many"}) for day in range(0, 30, 3)],
            call("other", type="upload"),
        )
    )
    house.engine.checkpoint()
    house.engine.ingest(house.batch(call("void", time=at(1)), call("none", time=at(0)), call("old", time=at(15_000))))
    house.engine.void_events([Identity("", "void")], reason="", remember_missing=False)
    seen: list[tuple[str, str]] = []
    cursor = None
    while True:
        found = page(house, limit=4, cursor=cursor)
        seen += [(each.stored.event.id, each.reasons[0].code) for each in found.items]
        assert len(found.items) <= 4
        cursor = found.next_cursor
        if cursor is None:
            break
    assert seen == [
        ("none", SkipCode.MISSING),
        *((f"bad-{day}", SkipCode.NOT_A_NUMBER) for day in range(0, 30, 3)),
        ("old", SkipCode.MISSING),
    ]
    house.restart()
    assert [each.stored.event.id for each in page(house).items] == [name for name, _ in seen]


def test_events_of_one_time_are_paged_by_position(house: EngineHouse) -> None:
    house.engine.put_meter(METER, create=True)
    house.engine.ingest(house.batch(*[call(f"{number}") for number in range(9)]))
    seen: list[str] = []
    cursor = None
    while True:
        found = page(house, limit=2, cursor=cursor)
        seen += [each.stored.event.id for each in found.items]
        cursor = found.next_cursor
        if cursor is None:
            break
    assert seen == [str(number) for number in range(8, -1, -1)]


def test_a_range_is_exact_and_one_that_is_none_is_refused(house: EngineHouse) -> None:
    house.engine.put_meter(METER, create=True)
    house.engine.ingest(house.batch(call("a", time=at(1)), call("b", time=at(0))))

    def ids(start: Instant, end: Instant) -> list[str]:
        found = house.engine.skipped("tokens", SkippedQuestion(start=start, end=end))
        return [each.stored.event.id for each in found.items]

    earlier = Instant(NOON - NS_PER_DAY)
    assert ids(earlier, NOON) == ["a"]
    assert ids(Instant(earlier + 1), Instant(NOON + 1)) == ["b"]
    assert ids(NOON, NOON) == []
    with pytest.raises(InvalidQuestion, match="to"):
        ids(NOON, earlier)
    with pytest.raises(InvalidQuestion, match="cursor"):
        page(house, cursor="foreign")
    with pytest.raises(NotFound):
        house.engine.skipped("no", SkippedQuestion(start=EARLIEST, end=LATEST))
