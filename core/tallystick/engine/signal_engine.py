"""The engine's half about signals: `store.signals` and `store.outbox` on one machine. See `signal_store` for what each call promises."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeVar

from msgspec import structs

from tallystick.catalog.catalog import definition_record
from tallystick.entropy import Entropy
from tallystick.errors import AlreadyExists, InvalidDefinition, NotFound
from tallystick.event import Position
from tallystick.failpoints import hit
from tallystick.instant import Instant
from tallystick.log.records import SignalsRecord
from tallystick.signal_store import (
    DeliveriesPage,
    DeliveriesQuestion,
    FiredPage,
    LookCounts,
    LookReport,
    OutboxQueue,
    SignalStatesPage,
    StepsPage,
)
from tallystick.signals.channel import Channel
from tallystick.signals.channel_definition import CHANNELS_MAX, checked_channel
from tallystick.signals.delivery import (
    TRIED_FOR_NS,
    Attempt,
    Cancellation,
    Delivery,
    DeliveryEvent,
    DeliveryName,
    DeliveryState,
    NewDelivery,
    Redelivery,
)
from tallystick.signals.preview import Preview, PreviewQuestion
from tallystick.signals.signal import Signal
from tallystick.signals.signal_definition import SIGNALS_MAX, checked_signal
from tallystick.signals.step import Mark, RecordedStep, SignalState, Step, StepKind, StepReason, Subject

from .change import Change, catalog_change, signals_change
from .ledger import Ledger
from .preview_signal import preview_on
from .record_steps import join_due_digests, new_token, record_steps
from .signal_watcher import SignalWatcher
from .writer import Writer

_Put = TypeVar("_Put", Signal, Channel)
# A page of a channel's queue is cancelled in records of so many, so that no block grows without bound.
_CANCELLED_PER_RECORD: Final = 1_000


class SignalEngine:
    """Signals of one data directory."""

    def __init__(self, ledger: Ledger, writer: Writer, *, entropy: Entropy) -> None:
        self._ledger, self._writer, self._entropy = ledger, writer, entropy
        self._watcher = SignalWatcher(ledger, record=lambda steps, mark: self.record_steps(steps, mark=mark))

    def all(self) -> list[Signal]:
        """Return every signal by key."""
        return list(self._ledger.folds.catalog.signals.values())

    def one(self, key: str) -> Signal:
        """Return one signal. Raises `NotFound`."""
        signal = self._ledger.folds.catalog.signals.get(key)
        if signal is None:
            raise NotFound("signal", key)
        return signal

    def put(self, signal: Signal, *, create: bool) -> Signal:
        """Define or change a signal."""
        signal = checked_signal(signal)

        def put() -> Signal:
            catalog = self._ledger.folds.catalog
            meter = catalog.meters.get(signal.meter)
            if meter is None or meter.archived_at is not None:
                raise InvalidDefinition("meter", f"there is no meter {signal.meter!r}: define it first")
            for channel in signal.channels:
                if channel not in catalog.channels:
                    raise InvalidDefinition("channels", f"there is no channel {channel!r}: make it first")
            known = catalog.signals.get(signal.key)
            if create and len(catalog.signals) >= SIGNALS_MAX:
                raise InvalidDefinition("key", f"there are {SIGNALS_MAX} signals, and no more fit: delete some")
            defined = _versioned("signal", signal, known, create=create, now=self._ledger.clock.now())
            self._ledger.define("signal", signal.key, defined)
            return defined

        return self._writer.perform(put)

    def delete(self, key: str) -> None:
        """Delete a signal and forget its states. Raises `NotFound`."""

        def delete() -> None:
            self.one(key)
            self._ledger.define("signal", key, None)

        self._writer.perform(delete)

    def record_steps(self, steps: Sequence[Step], *, mark: Mark | None = None) -> list[RecordedStep]:
        """Take the steps that follow from the states, and queue what tells of them."""
        return self._writer.perform(lambda: record_steps(self._ledger, steps, mark=mark, entropy=self._entropy))

    def mark(self) -> Mark | None:
        """Return how far was looked."""
        return self._ledger.folds.signal_book.mark()

    def look(self, *, is_time_due: bool) -> LookReport:
        """Look at what changed, and take the steps that follow."""
        return self._watcher.look(is_time_due=is_time_due)

    def look_counts(self) -> LookCounts:
        """Return what looks came to."""
        return self._watcher.counts_now()

    def watch(self, changed: Callable[[], None]) -> None:
        """Have `changed` called after each commit that signals may have to be looked at for."""
        self._ledger.signal_watchers.append(changed)

    def state(self, key: str, subject: Subject) -> SignalState | None:
        """Return where a signal stands for a subject."""
        return self.states_of([(key, subject)])[0]

    def states_of(self, pairs: Sequence[tuple[str, Subject]]) -> list[SignalState | None]:
        """Return where signals stand for subjects."""
        return self._ledger.folds.signal_book.states_of(pairs)

    def states(self, key: str, *, limit: int, cursor: str | None) -> SignalStatesPage:
        """Return the states of one signal. Raises `NotFound`, `InvalidQuestion`."""
        self.one(key)
        return self._ledger.folds.signal_book.states(key, limit=limit, cursor=cursor)

    def fired(
        self, *, signal: str | None = None, customer: str | None = None, limit: int, cursor: str | None
    ) -> FiredPage:
        """Return what is fired now, newest first. Raises `NotFound`, `InvalidQuestion`."""
        if signal is not None:
            self.one(signal)
        now = self._ledger.clock.now()
        return self._ledger.folds.signal_book.fired(
            signal=signal, customer=customer, now=now, limit=limit, cursor=cursor
        )

    def preview(self, signal: Signal, question: PreviewQuestion) -> Preview:
        """Return when a signal that need not be saved would have fired."""
        return preview_on(self._ledger, signal, question)

    def history(
        self, key: str, *, customer: str | None = None, kind: StepKind | None = None, limit: int, cursor: str | None
    ) -> StepsPage:
        """Return the steps of one signal, newest first. Raises `NotFound`, `InvalidQuestion`."""
        self.one(key)
        return self._ledger.folds.signal_book.history(key, customer=customer, kind=kind, limit=limit, cursor=cursor)

    def snooze(self, key: str, subject: Subject, *, until: Instant | None) -> RecordedStep:
        """Hold messages back until then, or no longer. Raises `NotFound`, `InvalidDefinition` for a time that is over."""

        def snooze() -> RecordedStep:
            signal, now = self.one(key), self._ledger.clock.now()
            if until is not None and until <= now:
                raise InvalidDefinition("until", "is over already")
            step = Step(
                signal=key,
                signal_version=signal.version,
                subject=subject,
                kind=StepKind.WOKEN if until is None else StepKind.SNOOZED,
                level=0,
                reason=StepReason.OPERATOR,
                position=Position(self._ledger.log.head.position),
                at=now,
                period_start=Instant(0),
                period_end=Instant(0),
                snoozed_until=until,
            )
            return record_steps(self._ledger, [step], mark=None, entropy=self._entropy)[0]

        return self._writer.perform(snooze)


class OutboxEngine:
    """Channels and deliveries of one data directory."""

    def __init__(self, ledger: Ledger, writer: Writer, *, entropy: Entropy) -> None:
        self._ledger, self._writer, self._entropy = ledger, writer, entropy

    def channels(self) -> list[Channel]:
        """Return every channel by key."""
        return list(self._ledger.folds.catalog.channels.values())

    def channel(self, key: str) -> Channel:
        """Return one channel. Raises `NotFound`."""
        channel = self._ledger.folds.catalog.channels.get(key)
        if channel is None:
            raise NotFound("channel", key)
        return channel

    def put_channel(self, channel: Channel, *, create: bool) -> Channel:
        """Make or change a channel."""
        channel = checked_channel(channel)

        def put() -> Channel:
            catalog = self._ledger.folds.catalog
            known = catalog.channels.get(channel.key)
            if create and len(catalog.channels) >= CHANNELS_MAX:
                raise InvalidDefinition("key", f"there are {CHANNELS_MAX} channels, and no more fit: delete some")
            made = _versioned("channel", channel, known, create=create, now=self._ledger.clock.now())
            self._ledger.define("channel", channel.key, made)
            return made

        return self._writer.perform(put)

    def delete_channel(self, key: str) -> None:
        """Delete a channel and cancel what waits for it. Raises `NotFound`, `InvalidDefinition` while a signal names it."""

        def delete() -> None:
            self.channel(key)
            using = [signal.key for signal in self._ledger.folds.catalog.signals.values() if key in signal.channels]
            if using:
                raise InvalidDefinition(
                    "key", f"the signal {using[0]!r} sends to this channel: take it out there first"
                )
            waiting = [each.name for each in self._ledger.folds.outbox_book.waiting(key)]
            changes = [catalog_change(self._ledger.folds, definition_record("channel", key, None))]
            changes += self._cancelled(
                [(name, key) for name in waiting], DeliveryState.CANCELLED, "the channel was deleted"
            )
            self._ledger.commit(changes)

        self._writer.perform(delete)

    def watch(self, changed: Callable[[], None]) -> None:
        """Have `changed` called after each commit that touched the outbox or a channel."""
        self._ledger.outbox_watchers.append(changed)

    def queues(self) -> Mapping[str, OutboxQueue]:
        """Return what waits, by channel."""
        return self._ledger.folds.outbox_book.queues()

    def take(self, channel: str, *, limit: int) -> list[Delivery]:
        """Return deliveries that are to be sent now."""
        book, now = self._ledger.folds.outbox_book, self._ledger.clock.now()
        if any(waiting.is_held and waiting.due_at <= now for waiting in book.waiting(channel)):
            self._writer.perform(lambda: join_due_digests(self._ledger, channel, entropy=self._entropy))
        return book.read(book.reserve(channel, now, limit=limit))

    def give_back(self, deliveries: Sequence[Delivery]) -> None:
        """Let deliveries that were taken and not tried be taken again."""
        self._ledger.folds.outbox_book.release(delivery.name for delivery in deliveries)

    def record_attempts(self, attempts: Sequence[Attempt], *, disabled: Mapping[str, str] | None = None) -> None:
        """Keep what came of tries, and disable channels, in one commit."""

        def record() -> None:
            folds, now = self._ledger.folds, self._ledger.clock.now()
            changes = [signals_change(folds, SignalsRecord(attempts=list(attempts)))]
            for key, reason in (disabled or {}).items():
                known = folds.catalog.channels.get(key)
                if known is not None and known.disabled_at is None:
                    changed = structs.replace(
                        known, version=known.version + 1, updated_at=now, disabled_at=now, disabled_reason=reason
                    )
                    changes.append(catalog_change(folds, definition_record("channel", key, changed)))
            hit("outbox.before_attempt")
            self._ledger.commit(changes)
            hit("outbox.attempt_recorded")

        self._writer.perform(record)

    def expire(self) -> int:
        """Give up what has been waiting for longer than it is tried."""

        def expire() -> int:
            book, now = self._ledger.folds.outbox_book, self._ledger.clock.now()
            names = [
                (waiting.name, waiting.channel)
                for waiting in book.waiting()
                if waiting.tried_from + TRIED_FOR_NS <= now
            ]
            if names:
                reason = "it could not be delivered within 24 hours"
                self._ledger.commit(self._cancelled(names, DeliveryState.FAILED, reason))
            return len(names)

        return self._writer.perform(expire)

    def queue_test(self, channel: str) -> Delivery:
        """Queue a test message. Raises `NotFound`, `InvalidDefinition` for a disabled channel."""

        def queue() -> Delivery:
            _check_enabled(self.channel(channel))
            now = self._ledger.clock.now()
            new = NewDelivery(channel=channel, event=DeliveryEvent.TEST, created_at=now, due_at=now)
            record = SignalsRecord(deliveries=[new], token=new_token(self._entropy))
            name = DeliveryName(self._ledger.log.head.position + 1, 0)
            self._ledger.commit([signals_change(self._ledger.folds, record)])
            return self._ledger.folds.outbox_book.read([name])[0]

        return self._writer.perform(queue)

    def deliveries(self, question: DeliveriesQuestion) -> DeliveriesPage:
        """Return deliveries, newest first. Raises `InvalidQuestion`."""
        return self._ledger.folds.outbox_book.page(question)

    def delivery(self, delivery_id: str) -> Delivery:
        """Return one delivery. Raises `NotFound`."""
        return self._ledger.folds.outbox_book.one(delivery_id)

    def redeliver(self, delivery_id: str) -> Delivery:
        """Queue a delivery once more, under its own id."""

        def redeliver() -> Delivery:
            delivery = self.delivery(delivery_id)
            if delivery.state in (DeliveryState.JOINED, DeliveryState.HELD):
                into = f" {delivery.joined_into_id}" if delivery.joined_into_id else ", which is still to come"
                raise InvalidDefinition("id", f"this one went on as part of another message{into}: redeliver that one")
            _check_enabled(self.channel(delivery.channel))
            again = Redelivery(
                name=delivery.name,
                at=self._ledger.clock.now(),
                channel=delivery.channel,
                event=delivery.event,
                signals=delivery.signals,
            )
            self._ledger.commit([signals_change(self._ledger.folds, SignalsRecord(redeliveries=[again]))])
            return self.delivery(delivery_id)

        return self._writer.perform(redeliver)

    def _cancelled(self, names: Sequence[tuple[DeliveryName, str]], state: DeliveryState, reason: str) -> list[Change]:
        given_up = [Cancellation(name=name, channel=channel, state=state, reason=reason) for name, channel in names]
        return [
            signals_change(
                self._ledger.folds, SignalsRecord(cancellations=given_up[start : start + _CANCELLED_PER_RECORD])
            )
            for start in range(0, len(given_up), _CANCELLED_PER_RECORD)
        ]


def _versioned(kind: str, given: _Put, known: _Put | None, *, create: bool, now: Instant) -> _Put:
    if create:
        if known is not None:
            raise AlreadyExists(kind, given.key)
        return structs.replace(given, version=1, created_at=now, updated_at=now)
    if known is None:
        raise NotFound(kind, given.key)
    return structs.replace(given, version=known.version + 1, created_at=known.created_at, updated_at=now)


def _check_enabled(channel: Channel) -> None:
    if channel.disabled_at is not None:
        raise InvalidDefinition("channel", f"{channel.key!r} is disabled ({channel.disabled_reason}): enable it first")
