"""The seam's half about signals: definitions, states, steps, and the outbox. Reached as `store.signals` and `store.outbox`.

As with the rest of the seam: any thread may call, a call blocks for as long as its work takes, and what it returned is on disk.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import msgspec

from .event import Position
from .instant import Instant
from .signals.channel import Channel
from .signals.delivery import Attempt, Delivery, DeliveryEvent, DeliveryState
from .signals.preview import Preview, PreviewQuestion
from .signals.signal import Signal
from .signals.step import Mark, RecordedStep, SignalState, Step, StepKind, Subject


class SignalStatesPage(msgspec.Struct, frozen=True):
    """Where a signal stands for subjects about whom it ever took a step."""

    items: list[SignalState]
    next_cursor: str | None


class StepsPage(msgspec.Struct, frozen=True):
    """Steps, newest first."""

    items: list[RecordedStep]
    next_cursor: str | None


class FiredState(msgspec.Struct, frozen=True):
    """A subject that is past a threshold now. `step` led there; None if it is older than the steps that are kept."""

    signal: str
    state: SignalState
    step: RecordedStep | None


class FiredPage(msgspec.Struct, frozen=True):
    """What is fired now, newest first; with a filter a page may be short and still have a next one.

    `count` is over all signals, and still has what was fired when its period ended until that is noticed.
    """

    items: list[FiredState]
    next_cursor: str | None
    count: int


class DeliveriesQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """Which deliveries, newest first; `cursor` goes on where a page ended."""

    channel: str | None = None
    signal: str | None = None
    state: DeliveryState | None = None
    event: DeliveryEvent | None = None
    limit: int = 100
    cursor: str | None = None


class DeliveriesPage(msgspec.Struct, frozen=True):
    """Deliveries, newest first; with a filter a page may be short and still have a next one."""

    items: list[Delivery]
    next_cursor: str | None


class OutboxQueue(msgspec.Struct, frozen=True):
    """What waits for one channel: how many, and when to look next (None: when something changes)."""

    waiting: int
    due_at: Instant | None


class FailedWatch(msgspec.Struct, frozen=True):
    """Signals that could not be looked at, and why; they are looked at again next time."""

    signals: list[str]
    reason: str


class LookReport(msgspec.Struct, frozen=True):
    """What came of a look: how many steps were taken, and up to which position of the log was looked.

    `has_waiting` asks for another look soon, though nothing comes: some were left for it.
    """

    steps: int
    position: Position
    failed: list[FailedWatch]
    has_waiting: bool


class LookCounts(msgspec.Struct, frozen=True):
    """What looks came to since the start; `position` is where the last one ended, `lag_…` what came since, and how old it is."""

    looks: int = 0
    steps: int = 0
    failed_watches: int = 0
    look_ns: int = 0
    position: Position = Position(0)
    lag_positions: int = 0
    lag_ns: int = 0


class Signals(Protocol):
    """Signals, their states and their history."""

    def all(self) -> list[Signal]:
        """Return every signal by key, from memory."""
        ...

    def one(self, key: str) -> Signal:
        """Return one signal. Raises `NotFound`."""
        ...

    def put(self, signal: Signal, *, create: bool) -> Signal:
        """Define (`create`) or change a signal; returns it with version and times set.

        A change of what is watched forgets the states: every subject is armed again.
        Raises `AlreadyExists`, `NotFound`, `InvalidDefinition` (also where its meter or a channel is not there).
        """
        ...

    def delete(self, key: str) -> None:
        """Delete a signal and forget its states; its steps stay in the log. Raises `NotFound`."""
        ...

    def record_steps(self, steps: Sequence[Step], *, mark: Mark | None = None) -> list[RecordedStep]:
        """Take the steps that follow from the states as they are now, and queue the messages that tell of them, in one commit.

        Returns the steps that were taken. Left out, without an error: a step of a signal that is gone, disabled or has another version
        by now; one that does not follow from the state (`step.state_after`). With a `mark`, how far was looked is kept in the same commit.
        Costs one durable commit, and 0.05 ms a step on the writer's thread, while events wait: give some hundreds at a time.
        """
        ...

    def mark(self) -> Mark | None:
        """Return how far was looked, as last recorded."""
        ...

    def look(self, *, is_time_due: bool) -> LookReport:
        """Look at what changed since the last look, and take the steps that follow.

        With `is_time_due` at what time alone moves, too: the ends of silence, changes against the period before, levels. Costs what
        was touched: some milliseconds for each watch that new events concern. Raises `Unavailable` where the store takes no writes, and
        `Cancelled`; what was not taken then is found by the next look.
        """
        ...

    def look_counts(self) -> LookCounts:
        """Return what looks came to, from memory."""
        ...

    def watch(self, changed: Callable[[], None]) -> None:
        """Have `changed` called after each commit that a look may be due for; on the writer's thread, so it must not wait."""
        ...

    def state(self, key: str, subject: Subject) -> SignalState | None:
        """Return where a signal stands for a subject; None if it never took a step."""
        ...

    def states_of(self, pairs: Sequence[tuple[str, Subject]]) -> list[SignalState | None]:
        """Do as `state` for many pairs of signal and subject, in one look."""
        ...

    def states(self, key: str, *, limit: int, cursor: str | None) -> SignalStatesPage:
        """Return the states of one signal. Raises `NotFound`, `InvalidQuestion` for a foreign cursor."""
        ...

    def fired(
        self, *, signal: str | None = None, customer: str | None = None, limit: int, cursor: str | None
    ) -> FiredPage:
        """Return what is fired now, over all signals or of one, newest first; costs what the page holds, not what there is.

        Raises `NotFound`, `InvalidQuestion` for a foreign cursor.
        """
        ...

    def preview(self, signal: Signal, question: PreviewQuestion) -> Preview:
        """Return when a signal that need not be saved would have fired, up to now at most; see `signals.preview`.

        Costs a few scans of the range. Raises `InvalidDefinition`, `InvalidQuestion`, `PluginFailed`, `PluginMissing`.
        """
        ...

    def history(
        self, key: str, *, customer: str | None = None, kind: StepKind | None = None, limit: int, cursor: str | None
    ) -> StepsPage:
        """Return the steps of one signal, newest first. Raises `NotFound`, `InvalidQuestion` for a foreign cursor."""
        ...

    def snooze(self, key: str, subject: Subject, *, until: Instant | None) -> RecordedStep:
        """Hold messages about a subject (`EVERYBODY`: about all of them) back until then, or (None) no longer. Raises `NotFound`."""
        ...


class Outbox(Protocol):
    """Channels, and the messages on their way to them."""

    def channels(self) -> list[Channel]:
        """Return every channel by key, from memory."""
        ...

    def channel(self, key: str) -> Channel:
        """Return one channel. Raises `NotFound`."""
        ...

    def put_channel(self, channel: Channel, *, create: bool) -> Channel:
        """Make (`create`) or change a channel. Raises `AlreadyExists`, `NotFound`, `InvalidDefinition`."""
        ...

    def delete_channel(self, key: str) -> None:
        """Delete a channel and cancel what waits for it. Raises `NotFound`, `InvalidDefinition` while a signal names it."""
        ...

    def watch(self, changed: Callable[[], None]) -> None:
        """Have `changed` called after each commit that touched the outbox or a channel; on the writer's thread, so it must not wait."""
        ...

    def queues(self) -> Mapping[str, OutboxQueue]:
        """Return what waits, by channel; from memory, in microseconds."""
        ...

    def take(self, channel: str, *, limit: int) -> list[Delivery]:
        """Return deliveries that are to be sent now, and keep them from being taken or joined again until `record_attempts` or `give_back`.

        A digest whose time has come is made here. Order is kept among those that share a signal.
        """
        ...

    def give_back(self, deliveries: Sequence[Delivery]) -> None:
        """Let deliveries that were taken and not tried be taken again."""
        ...

    def record_attempts(self, attempts: Sequence[Attempt], *, disabled: Mapping[str, str] | None = None) -> None:
        """Keep what came of tries, and disable the channels named in `disabled`, each with its reason, in one commit."""
        ...

    def expire(self) -> int:
        """Give up what has been waiting for longer than it is tried, on disabled channels too; returns how many."""
        ...

    def queue_test(self, channel: str) -> Delivery:
        """Queue a test message. Raises `NotFound`, `InvalidDefinition` for a disabled channel."""
        ...

    def deliveries(self, question: DeliveriesQuestion) -> DeliveriesPage:
        """Return deliveries, newest first. Raises `InvalidQuestion` for a foreign cursor."""
        ...

    def delivery(self, delivery_id: str) -> Delivery:
        """Return one delivery. Raises `NotFound`."""
        ...

    def redeliver(self, delivery_id: str) -> Delivery:
        """Queue a delivery once more, under its own id. Raises `NotFound`, `InvalidDefinition` for one that became part of another."""
        ...
