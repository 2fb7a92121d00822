"""Versions of meters: kept for ever, found by number and by position of the log, and followed by figures."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from tallystick.engine.offline import rebuild_directory, verify_directory
from tallystick.errors import InvalidQuestion, NotFound
from tallystick.event import Position
from tallystick.instant import parse_instant
from tallystick.log.tables import Tables
from tallystick.meter import Meter
from tallystick.usage.answer import UsageAnswer
from tallystick.usage.question import UsageQuestion

from .conftest import EngineHouse, call

METER = Meter(key="calls", name="Calls", event_type="call", aggregation="count")
RANGE = UsageQuestion(start=parse_instant("2026-11-01T00:00:00Z"), end=parse_instant("2026-12-01T00:00:00Z"))


def head(house: EngineHouse) -> Position:
    return house.engine.log_head().position


def change(house: EngineHouse, **fields: object) -> Meter:
    house.clock.advance(60)
    return house.engine.put_meter(replace(house.engine.meter("calls"), **fields), create=False)


def answer(house: EngineHouse, **asked: int) -> UsageAnswer:
    return house.engine.usage("calls", replace(RANGE, **asked))


def value(house: EngineHouse, **asked: int) -> tuple[int, object]:
    found = answer(house, **asked)
    return found.meter_version, found.totals[0].value


def test_every_version_is_kept_with_the_position_at_which_it_came_into_force(house: EngineHouse) -> None:
    house.engine.ingest(house.batch(call("a")))
    house.engine.put_meter(METER, create=True)
    first = head(house)
    house.engine.ingest(house.batch(call("b")))
    change(house, aggregation="sum")
    second = head(house)
    house.engine.archive_meter("calls")
    page = house.engine.meter_versions("calls", limit=10, cursor=None)
    assert [(each.position, each.meter.version, each.meter.aggregation) for each in page.items] == [
        (head(house), 3, "sum"),
        (second, 2, "sum"),
        (first, 1, "count"),
    ]
    assert page.next_cursor is None
    assert page.items[0].meter == house.engine.meter("calls")
    assert house.engine.meter_version("calls", 1) == page.items[2].meter


def test_the_version_as_of_a_position_is_the_one_in_force_then_and_the_first_before_there_was_one(
    house: EngineHouse,
) -> None:
    house.engine.ingest(house.batch(call("before")))
    house.engine.put_meter(METER, create=True)
    changed_at = {head(house): 1}
    for version in range(2, 12):
        house.engine.ingest(house.batch(*[call(f"{version}-{each}") for each in range(version % 3)]))
        change(house, name=f"Calls {version}")
        changed_at[head(house)] = version
    in_force = 1
    for position in range(head(house) + 1):
        in_force = changed_at.get(Position(position), in_force)
        assert house.engine.meter_as_of("calls", Position(position)).version == in_force


def test_an_answer_as_of_a_position_stays_the_same_whatever_becomes_of_the_meter(house: EngineHouse) -> None:
    house.engine.ingest(house.batch(call("a", value=3), call("b", value=4)))
    early = head(house)
    house.engine.put_meter(METER, create=True)
    then = head(house)
    before = answer(house, as_of=then)
    change(house, aggregation="sum")
    later = head(house)
    assert value(house) == (2, 7)
    assert value(house, as_of=later) == (2, 7)
    change(house, aggregation="max")
    house.restart()
    assert answer(house, as_of=then) == before
    assert value(house, as_of=early) == (1, 2)
    assert value(house, as_of=later) == (2, 7)
    assert value(house) == (3, 4)


def test_an_older_version_can_be_asked_and_one_that_never_was_is_refused(house: EngineHouse) -> None:
    house.engine.put_meter(METER, create=True)
    house.engine.ingest(house.batch(call("a", value=3)))
    change(house, aggregation="sum")
    assert value(house, version=1) == (1, 1)
    assert value(house, version=2) == (2, 3)
    assert value(house, version=1, as_of=head(house)) == (1, 1)
    for unknown in (0, 3, 2**62):
        with pytest.raises(InvalidQuestion, match=r"version.*(1 to 2|start at 1)"):
            answer(house, version=unknown)
    with pytest.raises(InvalidQuestion, match="version"):
        house.engine.preview(METER, replace(RANGE, version=1))


def test_a_change_that_changes_nothing_makes_no_version(house: EngineHouse) -> None:
    house.engine.put_meter(METER, create=True)
    position = head(house)
    assert change(house).version == 1
    assert head(house) == position


def test_versions_come_page_by_page_newest_first(house: EngineHouse) -> None:
    house.engine.put_meter(METER, create=True)
    for version in range(2, 8):
        change(house, name=f"Calls {version}")
    found: list[int] = []
    cursor = None
    while True:
        page = house.engine.meter_versions("calls", limit=3, cursor=cursor)
        assert len(page.items) <= 3
        found += [each.meter.version for each in page.items]
        if page.items[0].meter.version == 7:
            change(house, name="meanwhile")
        cursor = page.next_cursor
        if cursor is None:
            break
    assert found == [7, 6, 5, 4, 3, 2, 1]
    for foreign in ("x", "-1", "٣", "1" * 40, ""):
        with pytest.raises(InvalidQuestion, match="cursor"):
            house.engine.meter_versions("calls", limit=3, cursor=foreign)
    assert house.engine.meter_versions("calls", limit=3, cursor="0").items == []
    with pytest.raises(NotFound):
        house.engine.meter_versions("no", limit=3, cursor=None)


def test_meters_whose_keys_begin_alike_keep_their_versions_apart(house: EngineHouse) -> None:
    for key in ("a", "a.b", "a-", "ab"):
        house.engine.put_meter(replace(METER, key=key), create=True)
        house.engine.put_meter(replace(METER, key=key, name=f"New {key}"), create=False)
    for key in ("a", "a.b", "a-", "ab"):
        page = house.engine.meter_versions(key, limit=10, cursor=None)
        assert [(each.meter.key, each.meter.version) for each in page.items] == [(key, 2), (key, 1)]


def test_verify_derives_versions_again_and_rebuild_mends_them(house: EngineHouse) -> None:
    house.engine.put_meter(METER, create=True)
    change(house, aggregation="sum")
    page = house.engine.meter_versions("calls", limit=10, cursor=None)
    assert house.engine.verify(lambda _progress: None).problems == []
    house.engine.close()
    with_table(house, lambda tables: forge_position(tables, page.items[1].position))
    assert any("catalog" in text for text in verify_directory(house.directory, lambda _progress: None).problems)
    rebuild_directory(house.directory, lambda _progress: None, clock=house.clock, entropy=house.entropy)
    assert verify_directory(house.directory, lambda _progress: None).problems == []
    house.engine = house.open()
    assert house.engine.meter_versions("calls", limit=10, cursor=None) == page


def test_a_directory_written_before_versions_were_kept_gets_them_from_its_log(house: EngineHouse) -> None:
    house.engine.put_meter(METER, create=True)
    change(house, aggregation="sum")
    page = house.engine.meter_versions("calls", limit=10, cursor=None)
    house.engine.close()
    with_table(house, forget_versions)
    house.engine = house.open()
    assert house.engine.meter_versions("calls", limit=10, cursor=None) == page
    assert house.engine.verify(lambda _progress: None).problems == []


def with_table(house: EngineHouse, act: Callable[[Tables], None]) -> None:
    tables = Tables(house.directory / "log", map_bytes_max=house.settings.map_bytes_max, may_create=False)
    act(tables)
    tables.close()


def version_rows(tables: Tables) -> dict[bytes, bytes]:
    with tables.read() as txn:
        return {key: row for key, row in tables.rows(txn, b"catalog") if key.startswith(b"meter_version\0")}


def forge_position(tables: Tables, position: int) -> None:
    (key, row), *_ = version_rows(tables).items()
    assert row.startswith(position.to_bytes(8))
    with tables.write() as txn:
        tables.put(txn, b"catalog", key, (position + 1).to_bytes(8) + row[8:])


def forget_versions(tables: Tables) -> None:
    rows = version_rows(tables)
    assert len(rows) == 2
    with tables.write() as txn:
        for key in rows:
            tables.delete(txn, b"catalog", key)
