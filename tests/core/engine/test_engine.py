"""The engine as a store: what each answer promises."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from pathlib import Path

import msgspec
import pytest

from tallystick import failpoints
from tallystick.api_key import Scope
from tallystick.customer import Customer
from tallystick.engine import Engine, rebuild_directory, verify_directory
from tallystick.engine_settings import EngineSettings
from tallystick.errors import (
    AlreadyExists,
    Closing,
    DirectoryInUse,
    InvalidDefinition,
    InvalidQuestion,
    NotFound,
    Overloaded,
    StoreFull,
    StoreRefused,
    TallystickError,
)
from tallystick.event import EventState, Voiding
from tallystick.identity import Identity
from tallystick.instant import EARLIEST, LATEST, Instant
from tallystick.meter import Meter
from tallystick.store import EventsQuestion, IngestAnswer, Store
from tallystick.usage.question import UsageQuestion

from .conftest import EngineHouse, call

COUNT = Meter(key="calls", name="Calls", event_type="call", aggregation="count")
EVERYTHING = UsageQuestion(start=EARLIEST, end=Instant(LATEST - 1))


def counted(engine: Engine, question: UsageQuestion = EVERYTHING) -> int:
    return engine.preview(COUNT, question).totals[0].events


def voiding(engine: Engine, event_id: str) -> Voiding | None:
    receipt = engine.receipt(Identity("", event_id))
    assert receipt is not None
    return receipt.voided


def test_the_engine_is_a_store(house: EngineHouse) -> None:
    store: Store = house.engine
    assert store.health().ready


def test_an_acknowledged_event_is_in_the_next_query_and_after_a_crash(house: EngineHouse) -> None:
    assert house.engine.ingest(house.batch(call("a"), call("b"))) == IngestAnswer(2, 0, 0, [])
    assert counted(house.engine) == 2
    house.restart()
    assert counted(house.engine) == 2


def test_an_event_sent_twice_is_counted_once_and_its_receipt_says_how_often_it_came(house: EngineHouse) -> None:
    house.engine.ingest(house.batch(call("a")))
    for _ in range(3):
        assert house.engine.ingest(house.batch(call("a"), call("a"))).duplicates == 2
        house.engine.checkpoint()
    receipt = house.engine.receipt(Identity("", "a"))
    assert receipt is not None
    assert (receipt.stored.position, receipt.block, receipt.duplicates_seen) == (1, 1, 6)
    assert receipt.block_hash == house.engine.block(1).hash
    assert counted(house.engine) == 1


def test_other_content_under_a_known_id_is_a_conflict_and_kept_in_quarantine(house: EngineHouse) -> None:
    house.engine.ingest(house.batch(call("a", value=1)))
    answer = house.engine.ingest(house.batch(call("b"), call("a", value=2)))
    assert (answer.accepted, answer.conflicts) == (1, 1)
    (rejected,) = answer.rejected
    assert (rejected.index, rejected.id, rejected.code) == (1, "a", "conflict")
    assert "position 1" in rejected.detail
    (entry,) = house.engine.quarantine(limit=10, cursor=None, code=None).items
    assert msgspec.json.decode(entry.raw)["value"] == 2
    assert counted(house.engine) == 2


def test_identity_is_source_and_id_together(house: EngineHouse) -> None:
    answer = house.engine.ingest(house.batch(call("a"), call("a", source="gateway"), call("a", source="gateway")))
    assert (answer.accepted, answer.duplicates) == (2, 1)
    assert house.engine.receipt(Identity("gateway", "a")) is not None
    assert house.engine.receipt(Identity("other", "a")) is None


def test_a_voided_event_stays_in_the_log_and_no_longer_counts(house: EngineHouse) -> None:
    house.engine.ingest(house.batch(call("a"), call("b")))
    before = house.engine.log_head().position
    answer = house.engine.void_events([Identity("", "a"), Identity("", "no")], reason="test", remember_missing=False)
    assert (answer.voided, answer.not_found) == (1, [Identity("", "no")])
    assert counted(house.engine) == 1
    assert counted(house.engine, msgspec.structs.replace(EVERYTHING, as_of=before)) == 2
    states = {item.event.id: item.state for item in house.engine.events(EventsQuestion()).items}
    assert states == {"a": EventState.VOIDED, "b": EventState.COUNTED}
    assert voiding(house.engine, "b") is None
    why = voiding(house.engine, "a")
    assert why is not None
    assert (why.position, why.reason) == (before + 1, "test")
    assert house.engine.void_events([Identity("", "a")], reason="", remember_missing=False).already_voided == 1
    assert house.engine.ingest(house.batch(call("a"))).duplicates == 1
    house.restart()
    assert counted(house.engine) == 1
    assert voiding(house.engine, "a") == why


def test_an_event_that_was_voided_before_it_came_never_counts(house: EngineHouse) -> None:
    answer = house.engine.void_events([Identity("", "late")], reason="fraud", remember_missing=True)
    assert answer.remembered == 1
    house.restart()
    house.engine.void_events([Identity("", "later")], reason="test run", remember_missing=True)
    assert house.engine.ingest(house.batch(call("late"), call("fine"), call("later"))).accepted == 3
    assert counted(house.engine) == 1
    assert [why.reason for each in ("late", "later") if (why := voiding(house.engine, each))] == ["fraud", "test run"]


def test_a_position_that_the_log_has_not_reached_is_no_question(house: EngineHouse) -> None:
    house.engine.ingest(house.batch(call("a")))
    with pytest.raises(InvalidQuestion, match="as_of"):
        house.engine.preview(COUNT, msgspec.structs.replace(EVERYTHING, as_of=99))


def test_events_come_newest_first_in_pages_that_neither_repeat_nor_skip(house: EngineHouse) -> None:
    for minute in range(60):
        time = f"2026-11-01T10:{minute * 7 % 60:02d}:00Z"
        house.engine.ingest(
            house.batch(call(f"e{minute}", time=time), call(f"f{minute}", time=time, customer="globex"))
        )
        if minute % 20 == 19:
            house.engine.checkpoint()
    seen: list[tuple[int, int]] = []
    cursor = None
    while True:
        page = house.engine.events(EventsQuestion(customer="acme", limit=7, cursor=cursor))
        seen += [(item.event.time, item.position) for item in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert len(seen) == 60
    assert seen == sorted(seen, reverse=True)
    with pytest.raises(InvalidQuestion, match="cursor"):
        house.engine.events(EventsQuestion(cursor="not-a-cursor"))


def test_refused_events_are_kept_once_and_can_be_taken_out(house: EngineHouse) -> None:
    for _ in range(3):
        answer = house.engine.ingest(house.batch({"id": "x", "type": "call"}, call("fine")))
        assert answer.rejected[0].code == "missing_customer"
    (entry,) = house.engine.quarantine(limit=10, cursor=None, code=None).items
    assert entry.times_seen == 3
    assert house.engine.quarantine(limit=10, cursor=None, code="conflict").items == []
    house.restart()
    assert house.engine.quarantined(entry.id) == entry
    house.engine.discard_quarantined(entry.id)
    with pytest.raises(NotFound):
        house.engine.quarantined(entry.id)
    with pytest.raises(NotFound):
        house.engine.discard_quarantined(entry.id)


def test_quarantine_pages_newest_first_and_makes_room_for_what_comes(tmp_path: Path) -> None:
    house = EngineHouse(tmp_path / "data", settings=EngineSettings(quarantine_entries_max=10, disk_free_min_bytes=0))
    for number in range(15):
        house.engine.ingest(house.batch({"id": f"bad-{number}"}))
    raws: list[str] = []
    cursor = None
    while True:
        page = house.engine.quarantine(limit=4, cursor=cursor, code=None)
        raws += [msgspec.json.decode(item.raw)["id"] for item in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert raws == [f"bad-{number}" for number in range(14, 4, -1)]
    assert house.engine.verify(lambda _progress: None).problems == []
    house.engine.close()


def test_a_meter_keeps_its_history_and_survives(house: EngineHouse) -> None:
    defined = house.engine.put_meter(COUNT, create=True)
    assert defined.version == 1
    with pytest.raises(AlreadyExists):
        house.engine.put_meter(COUNT, create=True)
    house.clock.advance(60)
    changed = house.engine.put_meter(msgspec.structs.replace(defined, name="All calls"), create=False)
    assert (changed.version, changed.created_at) == (2, defined.created_at)
    assert changed.updated_at > defined.updated_at
    house.engine.archive_meter("calls")
    house.restart()
    assert house.engine.meters(include_archived=False) == []
    assert house.engine.meter("calls").name == "All calls"
    for missing in (lambda: house.engine.meter("no"), lambda: house.engine.archive_meter("no")):
        with pytest.raises(NotFound):
            missing()


def test_customers_are_described_or_only_seen(house: EngineHouse) -> None:
    house.engine.put_customer(Customer(key="acme", name="ACME"), create=True)
    house.engine.ingest(house.batch(call("a"), call("b", customer="globex"), call("c", customer="initech")))
    house.engine.checkpoint()
    house.engine.ingest(house.batch(call("d", customer="globex")))
    first = house.engine.customers_unknown(limit=1, cursor=None)
    assert [(seen.key, seen.event_count) for seen in first.items] == [("globex", 2)]
    second = house.engine.customers_unknown(limit=5, cursor=first.next_cursor)
    assert [seen.key for seen in second.items] == ["initech"]
    house.restart()
    assert [customer.name for customer in house.engine.customers(limit=10, cursor=None).items] == ["ACME"]
    house.engine.delete_customer("acme")
    with pytest.raises(NotFound):
        house.engine.customer("acme")
    with pytest.raises(InvalidDefinition, match="time_zone"):
        house.engine.put_customer(Customer(key="x", time_zone="Mars/Olympus"), create=True)


def test_customers_are_paged_by_key_however_long_it_is(house: EngineHouse) -> None:
    keys = sorted({f"{letter}{'ü' * length}" for letter in "abc" for length in (0, 10, 250)})
    for key in keys:
        house.engine.put_customer(Customer(key=key), create=True)
    found: list[str] = []
    cursor = None
    while True:
        page = house.engine.customers(limit=2, cursor=cursor)
        found += [customer.key for customer in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert sorted(found) == keys


def test_a_key_works_until_it_is_revoked_or_expires_and_its_secret_is_kept_nowhere(house: EngineHouse) -> None:
    expires_at = Instant(house.clock.now() + 60_000_000_000)
    key, secret = house.engine.create_api_key(name="gateway", scopes=[Scope.INGEST], expires_at=expires_at)
    known = house.engine.authenticate(secret)
    assert known is not None
    assert known.allows(Scope.INGEST)
    assert not known.allows(Scope.ADMIN)
    assert house.engine.api_keys()[0].last_used_at == house.clock.now()
    house.restart()
    assert house.engine.authenticate(secret) is not None
    house.clock.advance(61)
    assert house.engine.authenticate(secret) is None
    house.engine.delete_api_key(key.id)
    assert house.engine.api_keys() == []
    house.engine.close()
    for path in house.directory.rglob("*"):
        assert path.is_dir() or secret.encode() not in path.read_bytes()


def test_a_secret_that_the_operator_chose_is_adopted_once(house: EngineHouse) -> None:
    first = house.engine.adopt_api_key("chosen-by-the-operator", name="admin", scopes=[Scope.ADMIN])
    house.restart()
    assert house.engine.adopt_api_key("chosen-by-the-operator", name="admin", scopes=[Scope.ADMIN]).id == first.id
    with pytest.raises(InvalidDefinition, match="characters"):
        house.engine.adopt_api_key("short", name="admin", scopes=[Scope.ADMIN])


def test_a_watcher_sees_what_lands_and_nothing_else(house: EngineHouse) -> None:
    house.engine.ingest(house.batch(call("before")))
    watcher = house.engine.watch(customer="acme")
    house.engine.ingest(house.batch(call("a"), call("b", customer="globex"), call("a")))
    events, missed = watcher.take(1.0)
    assert ([stored.event.id for stored in events], missed) == (["a"], 0)
    watcher.close()
    assert watcher.take(1.0) == ([], 0)


def test_a_watcher_that_falls_behind_is_told_how_many_it_missed(house: EngineHouse) -> None:
    watcher = house.engine.watch()
    for number in range(5):
        house.engine.ingest(house.batch(*[call(f"{number}-{place}") for place in range(5_000)]))
    seen, missed = 0, 0
    while seen + missed < 25_000:
        events, lost = watcher.take(0.1)
        seen, missed = seen + len(events), missed + lost
    assert missed == 5_000
    watcher.close()


def test_a_full_disk_refuses_writes_and_answers_questions(tmp_path: Path) -> None:
    house = EngineHouse(tmp_path / "data")
    house.engine.ingest(house.batch(call("a")))
    house.settings = EngineSettings(disk_free_min_bytes=1 << 60)
    house.restart()
    with pytest.raises(StoreFull) as full:
        house.engine.ingest(house.batch(call("b")))
    assert full.value.retry_after_s > 0
    assert not house.engine.health().ready
    assert counted(house.engine) == 1
    house.settings = EngineSettings(disk_free_min_bytes=0)
    house.restart()
    assert house.engine.ingest(house.batch(call("b"))).accepted == 1
    house.engine.close()


def test_a_queue_that_is_full_refuses_at_once_and_loses_nothing_that_it_took(tmp_path: Path) -> None:
    settings = EngineSettings(queue_events_max=10, disk_free_min_bytes=0)
    house = EngineHouse(tmp_path / "data", settings=settings)
    is_writing, gate = threading.Event(), threading.Event()

    def hold() -> None:
        is_writing.set()
        assert gate.wait(30)

    answers: list[Future[IngestAnswer | TallystickError]] = [Future()]
    with failpoints.armed("ledger.folded", failpoints.after(1, hold)):
        house.engine.submit(house.batch(call("first")), answers[0].set_result)
        assert is_writing.wait(30)
        refused = 0
        for number in range(30):
            answer: Future[IngestAnswer | TallystickError] = Future()
            try:
                house.engine.submit(house.batch(call(f"e{number}")), answer.set_result)
            except Overloaded:
                refused += 1
            else:
                answers.append(answer)
        gate.set()
        results = [answer.result(30) for answer in answers]
    assert refused == 20
    assert all(isinstance(result, IngestAnswer) and result.accepted == 1 for result in results)
    assert counted(house.engine) == len(results) == 11
    house.engine.close()


def test_what_was_queued_is_written_before_the_engine_closes(house: EngineHouse) -> None:
    answers: list[IngestAnswer | TallystickError] = []
    for number in range(50):
        house.engine.submit(house.batch(call(f"e{number}")), answers.append)
    house.engine.close()
    assert len(answers) == 50
    with pytest.raises(Closing):
        house.engine.ingest(house.batch(call("late")))
    house.engine = house.open()
    assert counted(house.engine) == 50


def test_a_second_engine_on_the_same_directory_is_refused(house: EngineHouse) -> None:
    with pytest.raises(DirectoryInUse):
        house.open()
    with pytest.raises(DirectoryInUse):
        verify_directory(house.directory, lambda _progress: None)


def test_projections_that_were_deleted_are_made_again_from_the_log(house: EngineHouse) -> None:
    for number in range(4):
        house.engine.ingest(house.batch(*[call(f"{number}-{place}") for place in range(60)]))
        house.engine.ingest(house.batch(call("0-0")))
        house.engine.checkpoint()
    for folder in ("segments", "dedupe"):
        house.engine.close()
        victims = sorted((house.directory / folder).iterdir())
        assert victims
        victims[0].unlink()
        house.engine = house.open()
        assert counted(house.engine) == 240
        assert house.engine.ingest(house.batch(call("1-1"))).duplicates == 1
        receipt = house.engine.receipt(Identity("", "0-0"))
        assert receipt is not None
        assert receipt.duplicates_seen == 4
        assert house.engine.verify(lambda _progress: None).problems == []


def test_a_rebuild_makes_the_same_of_the_log_as_was_there(house: EngineHouse) -> None:
    house.engine.put_meter(COUNT, create=True)
    house.engine.put_customer(Customer(key="acme"), create=True)
    house.engine.ingest(house.batch(*[call(f"e{place}") for place in range(120)], {"id": "bad"}))
    house.engine.ingest(house.batch(call("e1"), call("e2", value=9)))
    house.engine.void_events([Identity("", "e3"), Identity("", "later")], reason="", remember_missing=True)
    before = (house.engine.usage("calls", EVERYTHING), house.engine.quarantine(limit=10, cursor=None, code=None))
    house.engine.close()
    steps: list[str] = []
    head = rebuild_directory(
        house.directory,
        lambda progress: steps.append(progress.step),
        clock=house.clock,
        entropy=house.entropy,
        settings=house.settings,
    )
    house.engine = house.open()
    assert head == house.engine.log_head()
    assert {"tables", "replay"} <= set(steps)
    assert before == (
        house.engine.usage("calls", EVERYTHING),
        house.engine.quarantine(limit=10, cursor=None, code=None),
    )
    assert house.engine.customer("acme").key == "acme"
    assert house.engine.ingest(house.batch(call("later"))).accepted == 1
    assert counted(house.engine) == 119


def test_verify_names_the_first_position_at_which_something_is_wrong(house: EngineHouse) -> None:
    house.engine.ingest(house.batch(*[call(f"e{place}") for place in range(120)]))
    house.engine.checkpoint()
    house.engine.ingest(house.batch(call("last")))
    assert house.engine.verify(lambda _progress: None).first_bad_position is None
    house.engine.close()
    data = (house.directory / "log" / "data.mdb").read_bytes()
    block = data.rindex(b"last")
    (house.directory / "log" / "data.mdb").write_bytes(data[:block] + b"Last" + data[block + 4 :])
    report = verify_directory(house.directory, lambda _progress: None)
    assert report.first_bad_position == 121
    assert "block hash is" in report.problems[0]


def test_verify_of_a_folder_that_is_no_data_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreRefused, match="no data directory"):
        verify_directory(tmp_path, lambda _progress: None)


def test_an_event_sent_again_after_the_window_is_a_new_event(tmp_path: Path) -> None:
    settings = EngineSettings(dedupe_window_s=3_600, disk_free_min_bytes=0)
    house = EngineHouse(tmp_path / "data", settings=settings)
    house.engine.ingest(house.batch(call("a")))
    house.clock.advance(3_599)
    assert house.engine.ingest(house.batch(call("a"))).duplicates == 1
    house.engine.checkpoint()
    house.clock.advance(10)
    assert house.engine.ingest(house.batch(call("a"))).accepted == 1
    house.clock.advance(7_200)
    while house.engine.merge():
        pass
    house.restart()
    assert counted(house.engine) == 2
    house.engine.close()


def test_sixteen_threads_that_send_the_same_events_have_each_counted_once(house: EngineHouse) -> None:
    events = [call(f"e{place}") for place in range(2_000)]
    batches = [[house.batch(*events[start : start + 100]) for start in range(0, 2_000, 100)] for _ in range(16)]
    accepted: list[int] = []

    def send(mine: int) -> None:
        accepted.extend(house.engine.ingest(batch).accepted for batch in batches[mine])

    threads = [threading.Thread(target=send, args=(mine,)) for mine in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(accepted) == 2_000
    assert counted(house.engine) == 2_000
