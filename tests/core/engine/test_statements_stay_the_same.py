"""A statement of a position is the same bytes for ever: through events, voids, other meters, checkpoints, merges, restarts and rebuilds."""

from __future__ import annotations

import shutil
import tempfile
from hashlib import sha256
from pathlib import Path

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tallystick.engine import rebuild_directory
from tallystick.errors import NotCounted, NotFound
from tallystick.event import Position, property_text
from tallystick.identity import Identity
from tallystick.instant import EARLIEST, parse_instant
from tallystick.meter import Meter
from tallystick.statement.check import check_claims, check_events
from tallystick.statement.merkle import root_of_path
from tallystick.statement.question import StatementQuestion
from tallystick.statement.statement import decode_statement, encode_statement
from tallystick.store import CustomerEventsQuestion
from tallystick.usage.question import WindowSize
from tallystick_server.statements.schemas import customer_events_out

from .conftest import EngineHouse

IDS = [f"id-{number}" for number in range(60)]
TIMES = [
    "2026-09-15T06:00:00Z",
    "2026-10-01T00:00:00Z",
    "2026-10-15T12:00:00.5Z",
    "2026-10-31T23:59:59Z",
    "2026-11-01T00:00:00Z",
]
START, END = parse_instant("2026-10-01T00:00:00Z"), parse_instant("2026-11-01T00:00:00Z")
sent_events = st.fixed_dictionaries(
    {
        "id": st.sampled_from(IDS),
        "source": st.sampled_from(["", "gw"]),
        "type": st.sampled_from(["call", "job"]),
        "customer": st.sampled_from(["acme", "globex"]),
        "time": st.sampled_from(TIMES),
        "value": st.sampled_from([1, "2.5", -3, "0.000000000001"]),
        "properties": st.sampled_from([{}, {"n": 1}, {"n": "1", "region": "eu"}, {"ü": True}]),
    }
)
meters = st.builds(
    Meter,
    key=st.sampled_from(["a", "b"]),
    name=st.sampled_from(["One", "Two"]),
    event_type=st.sampled_from(["call", "job"]),
    aggregation=st.sampled_from(
        ["count", "sum", "max", "avg", "latest", "unique", "running_total", "level", "duration"]
    ),
    filter=st.sampled_from([{}, {"n": ("1",)}]),
)
questions = st.builds(
    StatementQuestion,
    customer=st.sampled_from(["acme", "globex", "nobody"]),
    start=st.just(START),
    end=st.just(END),
    timezone=st.sampled_from(["UTC", "Europe/Berlin"]),
    window=st.sampled_from([WindowSize.TOTAL, WindowSize.WEEK]),
)


class StatementsAgainstTime(RuleBasedStateMachine):
    @initialize()
    def start(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="tallystick-statements-"))
        self.house = EngineHouse(self.folder / "data")
        self.kept: list[tuple[StatementQuestion, bytes]] = []

    def teardown(self) -> None:
        if hasattr(self, "house"):
            self.house.engine.close()
            shutil.rmtree(self.folder)

    @rule(batch=st.lists(sent_events, min_size=1, max_size=30))
    def send(self, batch: list[dict[str, object]]) -> None:
        self.house.engine.ingest(self.house.batch(*batch))

    @rule(ids=st.sets(st.sampled_from(IDS), min_size=1, max_size=8), source=st.sampled_from(["", "gw"]))
    def void(self, ids: set[str], source: str) -> None:
        targets = [Identity(source, each) for each in sorted(ids)]
        self.house.engine.void_events(targets, reason="wrong", remember_missing=True)

    @rule(meter=meters)
    def define(self, meter: Meter) -> None:
        known = {each.key for each in self.house.engine.meters(include_archived=True)}
        self.house.engine.put_meter(meter, create=meter.key not in known)

    @rule(key=st.sampled_from(["a", "b"]))
    def archive(self, key: str) -> None:
        try:
            self.house.engine.archive_meter(key)
        except NotFound:
            assert key not in {each.key for each in self.house.engine.meters(include_archived=True)}

    @rule(hours=st.integers(1, 100))
    def wait(self, hours: int) -> None:
        self.house.clock.advance(hours * 3_600)

    @rule()
    def checkpoint(self) -> None:
        self.house.engine.checkpoint()

    @rule()
    def merge(self) -> None:
        while self.house.engine.merge():
            pass

    @rule()
    def restart(self) -> None:
        self.house.restart()

    @rule()
    def rebuild(self) -> None:
        self.house.engine.close()
        rebuild_directory(
            self.house.directory,
            lambda _progress: None,
            clock=self.house.clock,
            entropy=self.house.entropy,
            settings=self.house.settings,
        )
        self.house.engine = self.house.open()

    @rule(question=questions, back=st.integers(0, 50))
    def state(self, question: StatementQuestion, back: int) -> None:
        head = self.house.engine.log_head().position
        asked = msgspec.structs.replace(question, as_of=Position(max(0, head - back)))
        self.kept.append((asked, encode_statement(self.house.engine.statement(asked))))

    @invariant()
    def statements_stay(self) -> None:
        # The newest and one that moves through all of them: each is asked again many times.
        if getattr(self, "kept", None):
            for place in {-1, len(self.kept) // 2, 0}:
                question, document = self.kept[place]
                assert encode_statement(self.house.engine.statement(question)) == document

    @precondition(lambda self: bool(getattr(self, "kept", None)))
    @rule(data=st.data())
    def every_statement_stays_and_follows_from_its_events(self, data: st.DataObject) -> None:
        for question, document in self.kept:
            assert encode_statement(self.house.engine.statement(question)) == document
        question, document = data.draw(st.sampled_from(self.kept))
        statement = decode_statement(document)
        page = self.house.engine.customer_events(
            CustomerEventsQuestion(
                customer=question.customer, start=EARLIEST, end=END, as_of=question.as_of, limit=10_000
            )
        )
        lines = [msgspec.json.encode(item) for item in customer_events_out(page).items]
        checks = check_claims(statement) + check_events(statement, lines)
        assert [check.what for check in checks if not check.is_good] == []
        self._prove_each(question, statement.merkle_root)

    def _prove_each(self, question: StatementQuestion, merkle_root: str) -> None:
        proven = 0
        for identity in [Identity(source, each) for source in ("", "gw") for each in IDS[::6]]:
            try:
                proof = self.house.engine.prove(question, identity)
            except (NotFound, NotCounted):
                continue
            event = proof.receipt.stored.event
            packed = [
                proof.receipt.stored.position,
                event.source,
                event.id,
                event.type,
                event.customer,
                event.time,
                f"{event.value:f}",
                sorted([name, property_text(value)] for name, value in event.properties.items()),
            ]
            leaf = sha256(b"\0" + msgspec.msgpack.encode(packed)).digest()
            assert leaf == proof.leaf_hash
            assert root_of_path(leaf, proof.path) == bytes.fromhex(merkle_root)
            proven += 1
        counted = self.house.engine.customer_events(
            CustomerEventsQuestion(customer=question.customer, start=START, end=END, as_of=question.as_of, limit=10_000)
        )
        asked_for = {("", each) for each in IDS[::6]} | {("gw", each) for each in IDS[::6]}
        rows = zip(counted.items.sources, counted.items.ids, counted.items.are_voided, strict=True)
        assert proven == sum((source, event_id) in asked_for and not is_voided for source, event_id, is_voided in rows)


TestStatementsAgainstTime = StatementsAgainstTime.TestCase
TestStatementsAgainstTime.settings = settings(
    max_examples=25,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
