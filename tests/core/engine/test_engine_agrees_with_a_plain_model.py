"""One state machine drives the engine and a dictionary together, through duplicates, voids, checkpoints, restarts, failures and crashes."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from msgspec import structs

from tallystick import failpoints
from tallystick.engine import rebuild_directory
from tallystick.errors import StoreFailed
from tallystick.identity import Identity
from tallystick.instant import EARLIEST, LATEST, Instant, parse_instant
from tallystick.meter import Meter
from tallystick.store import EventsQuestion
from tallystick.usage.aggregators import aggregators
from tallystick.usage.question import Fill, UsageQuestion, WindowSize
from tallystick.usage.windows import cut_windows
from tests.core.usage.asking import meter
from tests.core.usage.usage_model import as_fraction, model_usage

from .conftest import EngineHouse
from .plain_model import PlainModel, Sent

IDS = [f"id-{number}" for number in range(40)]
STEPS_OF_A_COMMIT = ["log.before_commit", "log.committed", "ledger.folded"]
STEPS_OF_A_CHECKPOINT = [
    "checkpoint.sealed",
    "segments.written",
    "segments.renamed",
    "checkpoint.segments_written",
    "dedupe.run_written",
    "dedupe.run_renamed",
    "checkpoint.run_written",
    "checkpoint.before_manifest",
    "log.before_commit",
    "checkpoint.manifest_written",
]
sent_events = st.builds(
    Sent,
    id=st.sampled_from(IDS),
    customer=st.sampled_from(["acme", "globex", "initech"]),
    value=st.sampled_from(["1", "2.5", "-3", "0.000000000001"]),
    region=st.sampled_from(["eu", "us"]),
    minute=st.sampled_from([0, 0, 5, 10, 30, 59]),
)
# Every aggregation, and levels with every option: each is asked while events come, go and move from memory to files.
METERS = [
    *(meter(name) for name in sorted(aggregators())),
    meter("unique", fields=("value", "customer")),
    meter("running_total", timeout=600, statistic="average"),
    meter("running_total", timeout=300, series="region", statistic="low"),
    meter("level", timeout=1800, series="properties.region"),
    meter("level", series="region", statistic="closing"),
    meter("duration", timeout=900, series="region"),
]
questions = st.builds(
    UsageQuestion,
    start=st.sampled_from(["2026-11-01T09:00:00Z", "2026-11-01T10:05:00Z"]).map(parse_instant),
    end=st.sampled_from(["2026-11-01T10:30:00Z", "2026-11-01T13:00:00Z"]).map(parse_instant),
    window=st.sampled_from([WindowSize.TOTAL, WindowSize.HOUR]),
    group_by=st.sampled_from([(), ("customer",), ("region",), ("region", "customer")]),
    fill=st.sampled_from(Fill),
)
METER = Meter(key="preview", name="Preview", event_type="call", aggregation="sum")
EVERYTHING = UsageQuestion(start=EARLIEST, end=Instant(LATEST - 1), group_by=("customer",))


class EngineAgainstModel(RuleBasedStateMachine):
    @initialize()
    def start(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="tallystick-model-"))
        self.house = EngineHouse(self.folder / "data")
        self.model = PlainModel()
        self.answers: list[tuple[Meter, UsageQuestion, str]] = []

    def teardown(self) -> None:
        if hasattr(self, "house"):
            self.house.engine.close()
            self.house.engine = self.house.open()
            report = self.house.engine.verify(lambda _progress: None)
            self.house.engine.close()
            shutil.rmtree(self.folder)
            assert report.problems == []

    def _send(self, batch: list[Sent]) -> tuple[int, int, int]:
        answer = self.house.engine.ingest(self.house.batch(*[event.as_json() for event in batch]))
        return answer.accepted, answer.duplicates, answer.conflicts

    @rule(batch=st.lists(sent_events, min_size=1, max_size=30))
    def send(self, batch: list[Sent]) -> None:
        assert self._send(batch) == self.model.send(batch)

    @rule(
        batch=st.lists(sent_events, min_size=1, max_size=10),
        step=st.sampled_from(STEPS_OF_A_COMMIT),
        is_crash=st.booleans(),
    )
    def fail_while_sending(self, batch: list[Sent], step: str, *, is_crash: bool) -> None:
        once = failpoints.after(1, failpoints.crash if is_crash else failpoints.fail)
        with failpoints.armed(step, once):
            try:
                answer = self._send(batch)
            except StoreFailed:
                answer = None
        if is_crash:
            self.house.restart()
        self._wait_until_ready()
        if answer is not None:
            # Nothing was written (all were conflicts, or the step was not reached), so nothing failed.
            assert answer == self.model.send(batch)
            return
        # The sender was told of a failure, so it sends again: each event is there once, whether the first try had written it or not.
        expected = self.model.send(batch)
        accepted, duplicates, conflicts = self._send(batch)
        assert conflicts == expected[2]
        assert accepted + duplicates == expected[0] + expected[1]
        self._take_over_resends(batch)

    def _take_over_resends(self, batch: list[Sent]) -> None:
        """Copy the counts of re-sends, which depend on what the failed try had written; what they add up to was checked."""
        for event in batch:
            receipt = self.house.engine.receipt(Identity("", event.id))
            assert receipt is not None
            self.model.resent[event.id] = receipt.duplicates_seen

    def _wait_until_ready(self) -> None:
        # A command goes through the writer's queue, and is refused until the store has recovered.
        while not self.house.engine.health().ready:
            pass

    @rule(ids=st.sets(st.sampled_from(IDS), min_size=1, max_size=5), remember=st.booleans())
    def void(self, ids: set[str], *, remember: bool) -> None:
        targets = [Identity("", each) for each in sorted(ids)]
        answer = self.house.engine.void_events(targets, reason="wrong", remember_missing=remember)
        fresh, before, missing = self.model.void(ids, remember=remember)
        assert (answer.voided, answer.already_voided) == (fresh, before)
        assert (answer.remembered if remember else len(answer.not_found)) == missing

    @rule()
    def checkpoint(self) -> None:
        self.house.engine.checkpoint()

    @rule(step=st.sampled_from(STEPS_OF_A_CHECKPOINT), is_crash=st.booleans())
    def fail_in_a_checkpoint(self, step: str, *, is_crash: bool) -> None:
        once = failpoints.after(1, failpoints.crash if is_crash else failpoints.fail)
        with failpoints.armed(step, once):
            try:
                self.house.engine.checkpoint()
            except (StoreFailed, OSError, failpoints.CrashedHere):
                if is_crash:
                    self.house.restart()
        self._wait_until_ready()

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

    @rule(seconds=st.sampled_from([1, 600, 3600]))
    def time_passes(self, seconds: int) -> None:
        self.house.clock.advance(seconds)

    @rule(defined=st.sampled_from(METERS), question=questions)
    def usage_agrees(self, defined: Meter, question: UsageQuestion) -> None:
        edges = cut_windows(question.start, question.end, question.window, question.timezone).instants()
        expected = model_usage(self.model.counted(), defined, question, edges, now=self.house.clock.now())
        answer = self.house.engine.preview(defined, question)
        rows = [
            (row.start, row.end, tuple(row.group.values()), as_fraction(row.value), row.events) for row in answer.rows
        ]
        totals = [(tuple(total.group.values()), as_fraction(total.value), total.events) for total in answer.totals]
        assert (rows, totals) == expected

    @rule(defined=st.sampled_from(METERS), question=questions)
    def ask_as_of_now(self, defined: Meter, question: UsageQuestion) -> None:
        as_of = structs.replace(question, as_of=self.house.engine.log_head().position)
        self.answers.append((defined, as_of, repr(self.house.engine.preview(defined, as_of))))

    @rule()
    def answers_as_of_a_position_stay_the_same(self) -> None:
        for defined, as_of, answer in self.answers:
            assert repr(self.house.engine.preview(defined, as_of)) == answer

    @invariant()
    def figures_agree(self) -> None:
        if not hasattr(self, "house"):
            return
        totals = self.house.engine.preview(METER, EVERYTHING).totals
        found = {total.group["customer"]: (total.value, total.events) for total in totals}
        assert found == self.model.usage_by_customer()

    @invariant()
    def events_agree(self) -> None:
        if not hasattr(self, "house"):
            return
        page = self.house.engine.events(EventsQuestion(limit=1000))
        assert {stored.event.id: stored.state == "voided" for stored in page.items} == {
            each: each in self.model.voided for each in self.model.events
        }
        assert len(page.items) == len(self.model.events) == self.house.engine.health().event_count

    @rule(event_id=st.sampled_from(IDS))
    def receipts_agree(self, event_id: str) -> None:
        receipt = self.house.engine.receipt(Identity("", event_id))
        if event_id not in self.model.events:
            assert receipt is None
            return
        assert receipt is not None
        assert receipt.stored.event.customer == self.model.events[event_id].customer
        assert receipt.duplicates_seen == self.model.resent[event_id]


TestEngineAgainstModel = EngineAgainstModel.TestCase
TestEngineAgainstModel.settings = settings(
    max_examples=40,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
