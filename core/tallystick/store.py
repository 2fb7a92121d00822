"""The seam: all that the server asks of a store. On one machine the engine answers; past it, something else may.

Every method is safe to call from any thread and blocks for as long as its work takes, but for `submit`, which only queues.
The server never sees what is behind it: no table, no file, no transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final, Protocol

import msgspec

from .api_key import ApiKey, Scope
from .customer import Customer, CustomerSearch, CustomerSeen
from .errors import TallystickError
from .event import Position, Receipt, StoredEvent
from .event_batch import EventBatch
from .identity import Identity
from .instant import Instant
from .log_head import LogHead
from .log_place import LogPlace
from .meter import Meter, MeterVersion
from .progress import Progress
from .reconcile.claims import Claims
from .reconcile.question import ReconcileQuestion
from .reconcile.reconciliation import Reconciliation
from .rejection import Rejected
from .signal_store import Outbox, Signals
from .signals.allowance import Allowance
from .statement.proof import ProvenEvent
from .statement.question import StatementQuestion
from .statement.statement import Statement
from .usage.answer import UsageAnswer
from .usage.dimensions import Dimensions, DimensionsQuestion
from .usage.explanation import ExplainQuestion, Explanation
from .usage.question import UsageQuestion
from .usage.skipped_events import SkippedEvent, SkippedQuestion

NO_PROPERTIES: Final[Mapping[str, str]] = MappingProxyType({})


class IngestAnswer(msgspec.Struct, frozen=True):
    """What became of the events of one request; `conflicts` are among the `rejected` too."""

    accepted: int
    duplicates: int
    conflicts: int
    rejected: list[Rejected]


class VoidAnswer(msgspec.Struct, frozen=True):
    """What became of the corrections of one request: how many now no longer count, did not before, or are awaited."""

    voided: int
    already_voided: int
    remembered: int
    not_found: list[Identity]


class EventsQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """Which raw events, newest time first; `cursor` goes on where a page ended."""

    customer: str | None = None
    type: str | None = None
    start: Instant | None = None
    end: Instant | None = None
    limit: int = 100
    cursor: str | None = None


class EventsPage(msgspec.Struct, frozen=True):
    """Raw events, newest time first, at equal times the greatest position first."""

    items: list[StoredEvent]
    next_cursor: str | None


class CustomerEventsQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """One customer's events with `start <= time < end`, in the order of the log, as it was at `as_of` (None: as it is now)."""

    customer: str
    start: Instant
    end: Instant
    source: str | None = None
    as_of: Position | None = None
    limit: int = 1_000
    cursor: str | None = None


class StoredRows(msgspec.Struct, frozen=True):
    """Events of the log as columns, since a page may have ten thousand: values are canonical amounts, properties canonical JSON objects."""

    positions: list[int]
    sources: list[str]
    ids: list[str]
    types: list[str]
    customers: list[str]
    times: list[int]
    received_at: list[int]
    values: list[str]
    properties: list[bytes]
    are_voided: list[bool]

    def __len__(self) -> int:
        return len(self.positions)


class CustomerEventsPage(msgspec.Struct, frozen=True):
    """Events by position, voided ones too, each in the state that it had at `place`; the next page is of the same place."""

    place: LogPlace
    items: StoredRows
    next_cursor: str | None


class QuarantinedEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event that was refused: as it was sent (cut at 64 KiB), why, and how often the same came again."""

    id: str
    received_at: Instant
    index: int
    code: str
    detail: str
    content_type: str
    raw: bytes
    times_seen: int


class QuarantinePage(msgspec.Struct, frozen=True):
    """Quarantined events, newest first."""

    items: list[QuarantinedEvent]
    next_cursor: str | None


class QuarantineReason(msgspec.Struct, frozen=True):
    """How many entries were refused for a reason, how often these were seen, and when the newest and the oldest came."""

    code: str
    entry_count: int
    times_seen: int
    newest_at: Instant
    oldest_at: Instant


class QuarantineReasons(msgspec.Struct, frozen=True):
    """The reasons, most entries first, of the newest `counted` of `entry_count` entries."""

    items: list[QuarantineReason]
    entry_count: int
    counted: int


class CustomersPage(msgspec.Struct, frozen=True):
    """Described customers by key."""

    items: list[Customer]
    next_cursor: str | None


class MeterVersionsPage(msgspec.Struct, frozen=True):
    """Versions of one meter, newest first."""

    items: list[MeterVersion]
    next_cursor: str | None


class SkippedPage(msgspec.Struct, frozen=True):
    """Events that a meter skips, newest time first, at equal times the greatest position first."""

    items: list[SkippedEvent]
    next_cursor: str | None


class CustomersSeenPage(msgspec.Struct, frozen=True):
    """Customers that events name but nobody described, by key."""

    items: list[CustomerSeen]
    next_cursor: str | None


class BlockSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One block of the log: `hash` covers `previous_hash`, the header and the payload."""

    number: int
    kind: str
    position: Position
    record_count: int
    written_at: Instant
    payload_bytes: int
    previous_hash: bytes
    hash: bytes


class BlocksPage(msgspec.Struct, frozen=True):
    """Blocks of the log as their headers say, newest first."""

    items: list[BlockSummary]
    next_cursor: str | None


class VerifyReport(msgspec.Struct, frozen=True, kw_only=True):
    """What `verify` found; `first_bad_position` is None when everything agrees."""

    head: LogHead
    blocks: int
    events: int
    first_bad_position: Position | None
    problems: list[str]


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the store, from memory, in microseconds."""

    ready: bool
    reason: str
    head: LogHead
    event_count: int
    tail_events: int
    queued_events: int
    disk_free_bytes: int
    counters: dict[str, int]
    gauges: dict[str, int] = {}


class Subscription(Protocol):
    """A bounded queue of accepted events; a reader that falls behind is told how many it missed rather than slowing ingest."""

    def take(self, timeout_s: float) -> tuple[list[StoredEvent], int]:
        """Return the events that landed since the last call, and how many were missed; both empty when the time is over."""
        ...

    def take_newest(self, count_max: int, timeout_s: float) -> tuple[list[StoredEvent], int]:
        """Do as `take`, but leave out all but the newest of what waits, and count them as missed: a sample, at the cost of the sample."""
        ...

    def close(self) -> None:
        """End the subscription; idempotent."""
        ...


class Store(Protocol):
    """What the server asks of a store."""

    def submit(self, batch: EventBatch, done: Callable[[IngestAnswer | TallystickError], None]) -> None:
        """Queue the batch for the writer and return at once; `done` is called on the writer's thread once it is on disk or refused.

        Raises `Overloaded` or another `Unavailable` when the batch was not queued; `done` is not called then.
        """
        ...

    def ingest(self, batch: EventBatch) -> IngestAnswer:
        """Do as `submit` and wait. Raises `Unavailable`."""
        ...

    def void_events(self, targets: Sequence[Identity], *, reason: str, remember_missing: bool) -> VoidAnswer:
        """Take events out of every figure; they stay in the log. Idempotent."""
        ...

    def events(self, question: EventsQuestion) -> EventsPage:
        """Return raw events, newest time first. Raises `InvalidQuestion` for a foreign cursor."""
        ...

    def customer_events(self, question: CustomerEventsQuestion) -> CustomerEventsPage:
        """Return a customer's events in the order of the log. Raises `InvalidQuestion`."""
        ...

    def reconcile(self, claims: Claims, question: ReconcileQuestion) -> Reconciliation:
        """Compare a list with the log. Raises `InvalidQuestion`, `NotFound` for a meter that is none."""
        ...

    def statement(self, question: StatementQuestion) -> Statement:
        """Return what a customer used; the same for the same position, whatever came since. Raises `InvalidQuestion`, `NotFound`."""
        ...

    def prove(self, question: StatementQuestion, identity: Identity) -> ProvenEvent:
        """Return the proof that an event is among those of a statement. Raises `InvalidQuestion`, `NotFound`, `NotCounted`."""
        ...

    def receipt(self, identity: Identity) -> Receipt | None:
        """Return the proof that an event is in the log, None if it is not."""
        ...

    def scan_log(
        self, *, start: Instant | None = None, end: Instant | None = None, after: Position | None = None
    ) -> Iterator[StoredEvent]:
        """Yield events by position: their time in the range, their position past `after`. Holds no transaction between two of them."""
        ...

    def watch(self, *, customer: str | None = None, event_type: str | None = None) -> Subscription:
        """Return a subscription to events that land from now on."""
        ...

    def quarantine(self, *, limit: int, cursor: str | None, code: str | None) -> QuarantinePage:
        """Return refused events, newest first. Raises `InvalidQuestion` for a foreign cursor."""
        ...

    def quarantine_reasons(self) -> QuarantineReasons:
        """Return how many refused events there are for each reason; looks at a bounded number of the newest."""
        ...

    def quarantined(self, entry_id: str) -> QuarantinedEvent:
        """Return one refused event. Raises `NotFound`."""
        ...

    def discard_quarantined(self, entry_id: str) -> None:
        """Take an entry out of quarantine, once it was re-submitted or given up. Raises `NotFound`."""
        ...

    def log_head(self) -> LogHead:
        """Return where the log ends."""
        ...

    def block(self, number: int) -> BlockSummary:
        """Return one block without its payload; the first is 1. Raises `NotFound`, `DamagedStore`."""
        ...

    def blocks(self, *, limit: int, cursor: str | None) -> BlocksPage:
        """Return blocks, newest first, as their headers say: only `block` and `verify` hash what is stored.

        Costs what the page holds, whatever the payloads' size. Raises `InvalidQuestion` for a foreign cursor, `DamagedStore`.
        """
        ...

    def stored_blocks(self, *, after: int) -> list[bytes]:
        """Return some MiB of blocks behind block number `after` (0: from the first), as they are stored; none past the head.

        At least one where there is one. Raises `DamagedStore`.
        """
        ...

    def verify(self, report: Callable[[Progress], None]) -> VerifyReport:
        """Walk the chain, derive each projection again from the log and compare; takes time proportional to the log."""
        ...

    def meters(self, *, include_archived: bool) -> list[Meter]:
        """Return meters by key."""
        ...

    def meter(self, key: str) -> Meter:
        """Return one meter, archived or not. Raises `NotFound`."""
        ...

    def meter_as_of(self, key: str, position: Position) -> Meter:
        """Return the version in force at a position of the log; the first one if the meter was defined only later. Raises `NotFound`."""
        ...

    def meter_version(self, key: str, version: int) -> Meter:
        """Return one version of a meter. Raises `NotFound`, `InvalidQuestion` naming `version`."""
        ...

    def meter_versions(self, key: str, *, limit: int, cursor: str | None) -> MeterVersionsPage:
        """Return the versions of a meter, newest first. Raises `NotFound`, `InvalidQuestion` for a foreign cursor."""
        ...

    def put_meter(self, meter: Meter, *, create: bool) -> Meter:
        """Define (`create`) or change a meter; returns it with version and times set.

        Raises `AlreadyExists`, `NotFound`, `InvalidDefinition`.
        """
        ...

    def archive_meter(self, key: str) -> Meter:
        """Archive a meter; past usage stays readable. Idempotent. Raises `NotFound`."""
        ...

    def customers(self, *, limit: int, cursor: str | None, search: CustomerSearch | None = None) -> CustomersPage:
        """Return described customers by key; pages of a search may be short. Raises `InvalidQuestion` for a foreign cursor."""
        ...

    def customers_unknown(
        self, *, limit: int, cursor: str | None, search: CustomerSearch | None = None
    ) -> CustomersSeenPage:
        """Return customers that events name and nobody described, by key; a page may be short and still have a next one."""
        ...

    def customer(self, key: str) -> Customer:
        """Return a described customer. Raises `NotFound`."""
        ...

    def put_customer(self, customer: Customer, *, create: bool) -> Customer:
        """Describe a customer (`create`) or change the description. Raises `AlreadyExists`, `NotFound`, `InvalidDefinition`."""
        ...

    def delete_customer(self, key: str) -> None:
        """Forget a description; the customer's events stay and count. Raises `NotFound`."""
        ...

    def api_keys(self) -> list[ApiKey]:
        """Return all keys by id, each with the time it was last used."""
        ...

    def create_api_key(self, *, name: str, scopes: Sequence[Scope], expires_at: Instant | None) -> tuple[ApiKey, str]:
        """Return the key as kept, and its secret, which is not kept."""
        ...

    def adopt_api_key(self, secret: str, *, name: str, scopes: Sequence[Scope]) -> ApiKey:
        """Keep a key whose secret the operator chose; idempotent. Raises `InvalidDefinition` for a secret that is too short."""
        ...

    def delete_api_key(self, key_id: str) -> None:
        """Revoke a key at once. Raises `NotFound`."""
        ...

    def authenticate(self, secret: str) -> ApiKey | None:
        """Return the key of this secret unless it is unknown, revoked or expired. Costs microseconds, no disk."""
        ...

    def usage(self, meter_key: str, question: UsageQuestion) -> UsageAnswer:
        """Answer a question of a meter, archived or not. Raises `NotFound`, `InvalidQuestion`."""
        ...

    def preview(self, meter: Meter, question: UsageQuestion) -> UsageAnswer:
        """Usage of a meter that is not saved. Raises `InvalidDefinition`, `InvalidQuestion`."""
        ...

    def skipped(self, meter_key: str, question: SkippedQuestion) -> SkippedPage:
        """Return events that a meter, archived or not, would count if they had what it reads. Raises `NotFound`, `InvalidQuestion`."""
        ...

    def dimensions(self, meter_key: str, question: DimensionsQuestion) -> Dimensions:
        """Return by what the newest events of a meter, archived or not, can be grouped, with their most frequent values.

        Raises `NotFound`, `InvalidQuestion`.
        """
        ...

    def preview_skipped(self, meter: Meter, question: SkippedQuestion) -> SkippedPage:
        """As `skipped`, of a meter that is not saved. Raises `InvalidDefinition`, `InvalidQuestion`."""
        ...

    def explain(self, meter_key: str, question: ExplainQuestion) -> Explanation:
        """Return the events or intervals behind the figure of a meter, archived or not, over the question's range.

        Raises `NotFound`, and `InvalidQuestion` for a foreign cursor too.
        """
        ...

    def allowance(self, customer: str, meter_key: str, *, properties: Mapping[str, str] = NO_PROPERTIES) -> Allowance:
        """Return how a customer stands to the limits of a meter now, every acknowledged event included.

        `properties` tell what is to be served, as texts, and leave out the limits of something else. Costs microseconds for a customer
        that was asked about lately, a usage question otherwise. Raises `NotFound` for a meter that is none, or archived; `InvalidQuestion`.
        """
        ...

    def allowance_at_once(
        self, customer: str, meter_key: str, *, properties: Mapping[str, str] = NO_PROPERTIES
    ) -> Allowance | None:
        """Do as `allowance` where memory has the answer within a millisecond or two; otherwise None, as soon."""
        ...

    @property
    def signals(self) -> Signals:
        """Signals, where they stand, and the steps that led there."""
        ...

    @property
    def outbox(self) -> Outbox:
        """Channels, and the messages on their way to them."""
        ...

    def health(self) -> Health:
        """Return the state of the store, from memory."""
        ...

    def close(self) -> None:
        """Finish what was queued, checkpoint nothing, release the directory. Idempotent."""
        ...
