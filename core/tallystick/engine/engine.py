"""The engine: a `Store` on one machine, in one directory, in one process.

Promises: what `ingest` or `submit` answers is on disk, deduplicated and in the next answer of every question, before it answers.
Threads: one writer, one for checkpoints, one for merges; everything else runs on the caller's thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Final

from msgspec import structs

from tallystick.catalog.customer_definition import checked_customer
from tallystick.customer import Customer, CustomerSearch
from tallystick.data_directory import DataDirectory
from tallystick.engine_settings import EngineSettings
from tallystick.entropy import Entropy
from tallystick.errors import AlreadyExists, InvalidQuestion, NotFound, TallystickError, Unavailable
from tallystick.event import EventState, Position, StoredEvent
from tallystick.event_batch import EventBatch
from tallystick.identity import Identity
from tallystick.instant import Clock, Instant
from tallystick.log.stored_blocks import stored_blocks
from tallystick.log.tables import Tables
from tallystick.log_head import LogHead
from tallystick.meter import Meter
from tallystick.progress import Progress
from tallystick.signals.allowance import Allowance
from tallystick.store import (
    NO_PROPERTIES,
    BlocksPage,
    BlockSummary,
    CustomersPage,
    CustomersSeenPage,
    Health,
    IngestAnswer,
    MeterVersionsPage,
    QuarantinedEvent,
    QuarantinePage,
    QuarantineReasons,
    SkippedPage,
    Subscription,
    VerifyReport,
    VoidAnswer,
)
from tallystick.usage.answer import UsageAnswer
from tallystick.usage.answer_usage import answer_usage
from tallystick.usage.dimensions import Dimensions, DimensionsQuestion
from tallystick.usage.explain_cursor import ExplainCursor, parsed_cursor
from tallystick.usage.explain_usage import explain_usage
from tallystick.usage.explanation import ExplainQuestion, Explanation
from tallystick.usage.meter_definition import checked_meter
from tallystick.usage.question import UsageQuestion
from tallystick.usage.skipped_events import SkippedQuestion, skipping

from .allowances import Allowances
from .background import Background
from .checkpoint import write_manifest_durably
from .customer_questions import CustomerQuestions
from .customers_seen import customers_unknown
from .dimensions import dimensions_of
from .key_ring import KeyRing
from .ledger import Ledger
from .live_figures import LiveFigures
from .live_follower import LiveFollower
from .log_clock import clock_of
from .log_scan import block_summary, blocks_page, scan_log
from .recovery import recover
from .signal_engine import OutboxEngine, SignalEngine
from .skipped_page import skipped_page
from .states_view import StatesView
from .verify import VerifiedFiles, verify
from .writer import Writer

# One tail that is being written, and as much again that came meanwhile, twice: more is refused rather than held in memory.
_TAILS_MAX: Final = 4
_METERS_MAX: Final = 10_000


def ignore_progress(_progress: Progress) -> None:
    """Report to nobody."""


class Engine(CustomerQuestions, KeyRing):
    """The store of one data directory. Every method may be called from any thread."""

    def __init__(  # use `Engine.open`
        self,
        directory: DataDirectory,
        ledger: Ledger,
        *,
        clock: Clock,
        entropy: Entropy,
        settings: EngineSettings,
        with_background: bool,
    ) -> None:
        super().__init__(ledger)
        self._directory = directory
        self._clock = clock
        self._entropy = entropy
        self._settings = settings
        self._writer = Writer(
            ledger,
            settings,
            recover=self._recover,
            after_group=self._wake_background,
            tail_events_max=_TAILS_MAX * settings.checkpoint_events if with_background else None,
        )
        self._background = Background(ledger, self._writer, clock=clock, settings=settings)
        self.signals = SignalEngine(ledger, self._writer, entropy=entropy)
        self.outbox = OutboxEngine(ledger, self._writer, entropy=entropy)
        self.live_figures = LiveFigures(
            newest_view=lambda: ledger.folds.projections.view,
            states_view=lambda view: StatesView(view, ledger.partials),
            columns_at=ledger.folds.projections.columns_at,
            clock=clock,
        )
        self._live_follower = LiveFollower(self.live_figures)
        self._allowances = Allowances(
            ledger.folds.catalog, self.live_figures, head=lambda: self.log_head().position, clock=clock
        )
        self._close_once = threading.Lock()
        self._is_closed = False

    @classmethod
    def open(
        cls,
        directory: Path,
        *,
        clock: Clock,
        entropy: Entropy,
        settings: EngineSettings | None = None,
        report: Callable[[Progress], None] = ignore_progress,
        with_background: bool = True,
    ) -> Engine:
        """Open or make the data directory and recover what was acknowledged.

        Without background, checkpoints and merges happen only when `checkpoint` and `merge` are called.
        Raises `StoreRefused` (in use, newer format, not ours), `DamagedStore`, `Unavailable`.
        """
        settings = settings or EngineSettings()
        opened = DataDirectory(directory)
        try:
            tables = Tables(opened.log_path, map_bytes_max=settings.map_bytes_max, may_create=opened.is_fresh)
            try:
                opened.stamp()
                ledger = Ledger(opened, tables, clock=clock, settings=settings)
                recover(ledger, entropy=entropy, checkpoint_events=settings.checkpoint_events, report=report)
                engine = cls(
                    opened, ledger, clock=clock, entropy=entropy, settings=settings, with_background=with_background
                )
            except BaseException:
                tables.close()
                raise
        except BaseException:
            opened.close()
            raise
        ledger.partials.forget_files(ledger.folds.projections.manifest.segments)
        engine._writer.start()
        if with_background:
            engine._background.start()
            engine._live_follower.start()
        return engine

    def close(self) -> None:
        """Finish what was queued and release the directory. Idempotent."""
        with self._close_once:
            if self._is_closed:
                return
            self._is_closed = True
        self._ledger.watchers.close()
        self._background.close()
        self._live_follower.close()
        self._writer.close()
        self._ledger.partials.close()
        self._ledger.tables.close()
        self._directory.close()

    def checkpoint(self) -> bool:
        """Write what is in memory only to files, now. False if there was nothing."""
        return self._background.checkpoint()

    def merge(self) -> bool:
        """Merge files once, now. False if no merge is worth it."""
        return self._background.merge()

    def _wake_background(self) -> None:
        if self._ledger.folds.projections.tail_weight >= self._settings.checkpoint_events:
            self._background.wake()

    def _recover(self) -> None:
        self._ledger.tables.reopen()
        recover(
            self._ledger,
            entropy=self._entropy,
            checkpoint_events=self._settings.checkpoint_events,
            report=ignore_progress,
        )
        # A store that can be read again is not yet one that takes writes: only a commit that succeeds shows that.
        write_manifest_durably(self._ledger, self._ledger.folds.projections.manifest)
        self._ledger.tell_outbox_watchers()

    # Events

    def submit(self, batch: EventBatch, done: Callable[[IngestAnswer | TallystickError], None]) -> None:
        """Queue the batch; see `Store.submit`."""
        self._writer.submit(batch, done)

    def ingest(self, batch: EventBatch) -> IngestAnswer:
        """Write the batch and return once it is on disk. Raises `Unavailable`."""
        answer: Future[IngestAnswer | TallystickError] = Future()
        self._writer.submit(batch, answer.set_result)
        result = answer.result()
        if isinstance(result, TallystickError):
            raise result
        return result

    def void_events(self, targets: Sequence[Identity], *, reason: str, remember_missing: bool) -> VoidAnswer:
        """Take events out of every figure; see `Store.void_events`."""
        ledger = self._ledger
        return self._writer.perform(
            lambda: ledger.void_events(targets, reason=reason, remember_missing=remember_missing)
        )

    def scan_log(
        self, *, start: Instant | None = None, end: Instant | None = None, after: Position | None = None
    ) -> Iterator[StoredEvent]:
        """Yield every event with its time in `[start, end)` and its position past `after`, by position."""
        ledger = self._ledger
        return scan_log(ledger.log, lambda: ledger.folds.void_index.voids, start=start, end=end, after=after)

    def watch(self, *, customer: str | None = None, event_type: str | None = None) -> Subscription:
        """Return a subscription to events that land from now on."""
        return self._ledger.watchers.watch(customer=customer, event_type=event_type)

    # Quarantine

    def quarantine(self, *, limit: int, cursor: str | None, code: str | None) -> QuarantinePage:
        """Return refused events, newest first."""
        return self._ledger.folds.quarantine.page(limit=limit, cursor=cursor, code=code)

    def quarantine_reasons(self) -> QuarantineReasons:
        """Return how many refused events there are for each reason."""
        return self._ledger.folds.quarantine.reasons()

    def quarantined(self, entry_id: str) -> QuarantinedEvent:
        """Return one refused event. Raises `NotFound`."""
        return self._ledger.folds.quarantine.entry(entry_id)

    def discard_quarantined(self, entry_id: str) -> None:
        """Take an entry out of quarantine. Raises `NotFound`."""
        self._writer.perform(lambda: self._ledger.discard_quarantined(entry_id))

    # The log

    def log_head(self) -> LogHead:
        """Return where the log ends."""
        return self._ledger.folds.projections.view.head

    def block(self, number: int) -> BlockSummary:
        """Return one block without its payload. Raises `NotFound`, `DamagedStore`."""
        return block_summary(self._ledger.log.block_numbered(number))

    def blocks(self, *, limit: int, cursor: str | None) -> BlocksPage:
        """Return blocks without their payloads, newest first. Raises `InvalidQuestion`, `DamagedStore`."""
        return blocks_page(self._ledger.log, limit=limit, cursor=cursor)

    def stored_blocks(self, *, after: int) -> list[bytes]:
        """Return some MiB of blocks behind block number `after`, as they are stored. Raises `DamagedStore`."""
        return stored_blocks(self._ledger.tables, after=after)

    def verify(self, report: Callable[[Progress], None]) -> VerifyReport:
        """Walk the chain and derive every projection again; writes go on meanwhile."""
        files = VerifiedFiles(segments_path=self._directory.segments_path, dedupe_path=self._directory.dedupe_path)
        # No merge may take a file away that the comparison is about to read.
        with self._ledger.files_guard:
            return verify(self._ledger.tables, self._ledger.log, files, settings=self._settings, report=report)

    # Meters and usage

    def meters(self, *, include_archived: bool) -> list[Meter]:
        """Return all meters by key."""
        meters = self._ledger.folds.catalog.meters.values()
        return [meter for meter in meters if include_archived or meter.archived_at is None]

    def meter(self, key: str) -> Meter:
        """Return one meter, archived or not. Raises `NotFound`."""
        meter = self._ledger.folds.catalog.meters.get(key)
        if meter is None:
            raise NotFound("meter", key)
        return meter

    def meter_as_of(self, key: str, position: Position) -> Meter:
        """Return the version in force at a position of the log; the first one if the meter was defined only later."""
        return self._ledger.folds.catalog.meter_versions.as_of(self.meter(key), position).meter

    def meter_version(self, key: str, version: int) -> Meter:
        """Return one version of a meter. Raises `NotFound`, `InvalidQuestion`."""
        return self._ledger.folds.catalog.meter_versions.numbered(self.meter(key), version).meter

    def meter_versions(self, key: str, *, limit: int, cursor: str | None) -> MeterVersionsPage:
        """Return the versions of a meter, newest first."""
        versions = self._ledger.folds.catalog.meter_versions
        items, next_cursor = versions.page(self.meter(key), limit=limit, cursor=cursor)
        return MeterVersionsPage(items, next_cursor)

    def put_meter(self, meter: Meter, *, create: bool) -> Meter:
        """Define or change a meter; see `Store.put_meter`."""
        meter = checked_meter(meter)

        def put() -> Meter:
            catalog, now = self._ledger.folds.catalog, self._clock.now()
            known = catalog.meters.get(meter.key)
            if create:
                if known is not None:
                    raise AlreadyExists("meter", meter.key)
                if len(catalog.meters) >= _METERS_MAX:
                    raise Unavailable(f"there are {_METERS_MAX} meters, and no more fit: archive does not make room")
                defined = structs.replace(meter, version=1, created_at=now, updated_at=now, archived_at=None)
            elif known is None:
                raise NotFound("meter", meter.key)
            else:
                if meter.says_the_same_as(known):
                    return known
                defined = structs.replace(meter, version=known.version + 1, created_at=known.created_at, updated_at=now)
            self._ledger.define("meter", meter.key, defined)
            return defined

        return self._writer.perform(put)

    def archive_meter(self, key: str) -> Meter:
        """Archive a meter: it answers no more questions unless asked for archived ones. Idempotent. Raises `NotFound`."""

        def archive() -> Meter:
            meter = self.meter(key)
            if meter.archived_at is not None:
                return meter
            now = self._clock.now()
            archived = structs.replace(meter, version=meter.version + 1, updated_at=now, archived_at=now)
            self._ledger.define("meter", key, archived)
            return archived

        return self._writer.perform(archive)

    def usage(self, meter_key: str, question: UsageQuestion) -> UsageAnswer:
        """Answer a question of a meter. Raises `NotFound`, `InvalidQuestion`."""
        return self._answer(self._asked(meter_key, question), question)

    def preview(self, meter: Meter, question: UsageQuestion) -> UsageAnswer:
        """Answer a question of a meter that is not saved. Raises `InvalidDefinition`, `InvalidQuestion`."""
        if question.version is not None:
            raise InvalidQuestion("version", "a meter that is not saved has no versions")
        return self._answer(checked_meter(meter), question)

    def _answer(self, meter: Meter, question: UsageQuestion) -> UsageAnswer:
        clock = clock_of(question.as_of, log=self._ledger.log, clock=self._clock)
        with self._ledger.partials.asking():
            return answer_usage(self.states_view(), meter, question, clock=clock)

    def states_view(self) -> StatesView:
        """Return what the next question is put to: the newest snapshot, and the states that are kept."""
        return StatesView(self._ledger.folds.projections.view, self._ledger.partials)

    def skipped(self, meter_key: str, question: SkippedQuestion) -> SkippedPage:
        """Return events that a meter skips, newest first."""
        projections = self._ledger.folds.projections
        return skipped_page(projections.view, skipping(self.meter(meter_key)), question, projections.columns_at)

    def dimensions(self, meter_key: str, question: DimensionsQuestion) -> Dimensions:
        """Return what the meter's newest events can be grouped by; see `Store.dimensions`."""
        return dimensions_of(self._ledger.folds.projections.view, self.meter(meter_key), question)

    def preview_skipped(self, meter: Meter, question: SkippedQuestion) -> SkippedPage:
        """Return events that a meter which is not saved would skip, newest first. Raises `InvalidDefinition`."""
        projections = self._ledger.folds.projections
        return skipped_page(projections.view, skipping(checked_meter(meter)), question, projections.columns_at)

    def explain(self, meter_key: str, question: ExplainQuestion) -> Explanation:
        """Return the events or intervals behind a figure, page by page; see `Store.explain`."""
        projections = self._ledger.folds.projections
        view = projections.view
        if question.cursor is not None:
            place = parsed_cursor(question.cursor)
            meter = self.meter_version(meter_key, place.version)
        else:
            usage = question.usage
            meter = self._asked(meter_key, usage)
            as_of = view.head.position if usage.as_of is None else usage.as_of
            now = clock_of(usage.as_of, log=self._ledger.log, clock=self._clock).now()
            place = ExplainCursor(as_of, now, meter.version)

        def event_at(position: Position) -> StoredEvent:
            columns = projections.columns_at(position)
            return columns.stored_event(position - columns.first_position, state=EventState.COUNTED)

        return explain_usage(view, meter, question.usage, place=place, limit=question.limit, event_at=event_at)

    def _asked(self, meter_key: str, question: UsageQuestion) -> Meter:
        """Return the version of the meter that the question is put to."""
        if question.version is not None:
            return self.meter_version(meter_key, question.version)
        if question.as_of is not None:
            return self.meter_as_of(meter_key, question.as_of)
        return self.meter(meter_key)

    # Customers

    def customers(self, *, limit: int, cursor: str | None, search: CustomerSearch | None = None) -> CustomersPage:
        """Return described customers by key."""
        items, next_cursor = self._ledger.folds.catalog.customers(limit=limit, cursor=cursor, search=search)
        return CustomersPage(items, next_cursor)

    def customers_unknown(
        self, *, limit: int, cursor: str | None, search: CustomerSearch | None = None
    ) -> CustomersSeenPage:
        """Return customers that events name and nobody described, by key."""
        folds = self._ledger.folds
        return customers_unknown(folds.projections.view, folds.catalog, limit=limit, cursor=cursor, search=search)

    def customer(self, key: str) -> Customer:
        """Return a described customer. Raises `NotFound`."""
        return self._ledger.folds.catalog.customer(key)

    def put_customer(self, customer: Customer, *, create: bool) -> Customer:
        """Describe a customer, or change the description. Raises `AlreadyExists`, `NotFound`, `InvalidDefinition`."""
        customer = checked_customer(customer)

        def put() -> Customer:
            catalog, now = self._ledger.folds.catalog, self._clock.now()
            if create:
                if catalog.has_customer(customer.key):
                    raise AlreadyExists("customer", customer.key)
                described = structs.replace(customer, created_at=now, updated_at=now)
            else:
                described = structs.replace(
                    customer, created_at=catalog.customer(customer.key).created_at, updated_at=now
                )
            self._ledger.define("customer", customer.key, described)
            return described

        return self._writer.perform(put)

    def delete_customer(self, key: str) -> None:
        """Forget a description; the customer's events stay and count. Raises `NotFound`."""

        def delete() -> None:
            self.customer(key)
            self._ledger.define("customer", key, None)

        self._writer.perform(delete)

    def allowance(self, customer: str, meter_key: str, *, properties: Mapping[str, str] = NO_PROPERTIES) -> Allowance:
        """Return how a customer stands to the limits of a meter. Raises `NotFound`."""
        return self._allowances.of(customer, meter_key, properties)

    def allowance_at_once(
        self, customer: str, meter_key: str, *, properties: Mapping[str, str] = NO_PROPERTIES
    ) -> Allowance | None:
        """Return the same from memory alone, or None; see `Store.allowance_at_once`."""
        return self._allowances.at_once(customer, meter_key, properties)

    def health(self) -> Health:
        """Return the state of the store, from memory."""
        trouble = self._writer.trouble or self._ledger.shortage
        if trouble is None and self._writer.is_held:
            trouble = self._background.trouble
        projections = self._ledger.folds.projections
        segments, free = projections.view.segments, self._directory.free_bytes()
        if trouble is None and free < self._settings.disk_free_min_bytes:
            trouble = f"the disk has {free} bytes free, {self._settings.disk_free_min_bytes} are kept for checkpoints"
        return Health(
            ready=trouble is None and not self._is_closed,
            reason=trouble or "takes writes",
            head=projections.view.head,
            event_count=projections.view.event_count,
            tail_events=projections.tail_events,
            queued_events=self._writer.queued_events,
            disk_free_bytes=free,
            counters=self._ledger.counters.as_dict() | self._ledger.partials.counters() | self.live_figures.counters(),
            gauges=self._ledger.partials.gauges()
            | {"live_figures_states": self.live_figures.state_count}
            | {"segments": len(segments.files), "segments_bytes": segments.size_bytes},
        )
