"""Messages on their way: a fold over the blocks of kind `SIGNALS`, in the tables of the log, and in memory what is not over.

`deliveries` has a row each, of which the newest `DELIVERIES_KEPT_MAX` stay (one that is not over is never dropped); `outbox` a short row
for each that is not over, read into memory when the store opens. Joining keeps those few, whatever happens at once or stays down.
"""

from __future__ import annotations

import struct
import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import lmdb
import msgspec
from msgspec import structs

from tallystick.errors import InvalidQuestion, NotFound
from tallystick.instant import Instant
from tallystick.log.records import SignalsRecord
from tallystick.log.tables import Tables, open_row
from tallystick.signal_store import DeliveriesPage, DeliveriesQuestion, OutboxQueue
from tallystick.signals.delivery import (
    Attempt,
    Delivery,
    DeliveryName,
    DeliveryState,
    NewDelivery,
    Outcome,
    Redelivery,
    delivery_id,
    parsed_delivery_id,
)
from tallystick.signals.signal import Digest
from tallystick.signals.waiting import Waiting, next_due_at, sendable

DELIVERIES_KEPT_MAX: Final = 100_000
ATTEMPTS_KEPT_MAX: Final = 20
# Past so many that are not over at the old end, room is made another time.
_SKIPPED_MAX: Final = 1_000
_LOOKED_AT_PER_DELIVERY: Final = 20
_NAME: Final = struct.Struct(">QI")
_STATE_OF: Final = {Outcome.DELIVERED: DeliveryState.DELIVERED, Outcome.FAILED: DeliveryState.FAILED}
_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(Delivery).decode
_decode_waiting: Final = msgspec.msgpack.Decoder(Waiting).decode


class OutboxBook:
    """The fold. `apply`, `fold` and `reload` belong to the writer's thread; the rest to any."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._guard = threading.Lock()
        self._queues: dict[str, dict[DeliveryName, Waiting]] = {}
        self._busy: set[DeliveryName] = set()

    def reload(self) -> None:
        """Read what is not over again. What could have been on its way keeps its id, and is joined with nothing."""
        queues: dict[str, dict[DeliveryName, Waiting]] = {}
        with self._tables.read() as txn:
            for _, value in self._tables.rows(txn, b"outbox"):
                waiting = _decode_waiting(value)
                queues.setdefault(waiting.channel, {})[waiting.name] = structs.replace(
                    waiting, may_have_gone=not waiting.is_held
                )
        with self._guard:
            self._queues = queues
            self._busy.clear()

    # What is written

    def apply(self, txn: lmdb.Transaction, record: SignalsRecord, position: int) -> None:
        """Write what the record at `position` changes."""
        for place, new in enumerate(record.deliveries):
            self._add(txn, new, DeliveryName(position, place), record.token)
        for attempt in record.attempts:
            self._attempt(txn, attempt)
        for again in record.redeliveries:
            self._again(txn, again)
        for cancelled in record.cancellations:
            delivery = self._within(txn, cancelled.name)
            if delivery is not None and not delivery.is_over:
                self._put(txn, structs.replace(delivery, state=cancelled.state, due_at=None, reason=cancelled.reason))
        if record.deliveries:
            self._make_room(txn)

    def _add(self, txn: lmdb.Transaction, new: NewDelivery, name: DeliveryName, token: str) -> None:
        for member in new.members:
            joined = self._within(txn, member)
            if joined is not None:
                self._put(
                    txn,
                    structs.replace(
                        joined, state=DeliveryState.JOINED, due_at=None, joined_into=name, joined_token=token
                    ),
                )
        delivery = Delivery(
            name=name,
            token=token,
            channel=new.channel,
            event=new.event,
            state=DeliveryState.WAITING if new.digest is Digest.NONE else DeliveryState.HELD,
            created_at=new.created_at,
            tried_from=new.due_at,
            due_at=new.due_at,
            signals=new.signals,
            step=new.step,
            summary=new.summary,
        )
        self._put(txn, delivery, waiting=_waiting_of(new, name))

    def _attempt(self, txn: lmdb.Transaction, attempt: Attempt) -> None:
        delivery = self._within(txn, attempt.name)
        if delivery is None:
            return
        changed = structs.replace(
            delivery,
            attempts=(*delivery.attempts, attempt)[-ATTEMPTS_KEPT_MAX:],
            attempt_count=delivery.attempt_count + 1,
        )
        # One that was cancelled meanwhile stays so, unless it arrived all the same.
        if delivery.is_over and attempt.outcome is not Outcome.DELIVERED:
            self._put(txn, changed)
        elif attempt.outcome is Outcome.RETRY:
            stored = self._tables.get_within(txn, b"outbox", _outbox_key(delivery.channel, delivery.name))
            waiting = None if stored is None else _after(_decode_waiting(stored), attempt)
            self._put(txn, structs.replace(changed, due_at=attempt.due_at), waiting=waiting)
        else:
            state = _STATE_OF[attempt.outcome]
            self._put(txn, structs.replace(changed, state=state, due_at=None, finished_at=attempt.at))

    def _again(self, txn: lmdb.Transaction, again: Redelivery) -> None:
        delivery = self._within(txn, again.name)
        if delivery is not None:
            changed = structs.replace(
                delivery,
                state=DeliveryState.WAITING,
                due_at=again.at,
                tried_from=again.at,
                finished_at=None,
                reason=None,
            )
            self._put(txn, changed, waiting=_waiting_again(again))

    def _put(self, txn: lmdb.Transaction, delivery: Delivery, *, waiting: Waiting | None = None) -> None:
        self._tables.put(txn, b"deliveries", _key(delivery.name), _encode(delivery))
        key = _outbox_key(delivery.channel, delivery.name)
        if delivery.is_over:
            self._tables.delete(txn, b"outbox", key)
        elif waiting is not None:
            self._tables.put(txn, b"outbox", key, _encode(waiting))

    def _make_room(self, txn: lmdb.Transaction) -> None:
        rows = self._tables.tables[b"deliveries"]
        excess = txn.stat(rows)["entries"] - DELIVERIES_KEPT_MAX
        if excess <= 0:
            return
        with txn.cursor(db=rows) as cursor:
            is_at = cursor.first()
            for _ in range(excess + _SKIPPED_MAX):
                if not is_at or excess <= 0:
                    break
                if _decode(open_row(cursor.key(), cursor.value())).is_over:
                    is_at = cursor.delete() and bool(cursor.key())
                    excess -= 1
                else:
                    is_at = cursor.next()

    # What memory follows

    def fold(self, record: SignalsRecord, position: int) -> None:
        """Take the record into memory, once it is on disk."""
        with self._guard:
            for place, new in enumerate(record.deliveries):
                for member in new.members:
                    self._drop(new.channel, member)
                name = DeliveryName(position, place)
                self._queues.setdefault(new.channel, {})[name] = _waiting_of(new, name)
            for attempt in record.attempts:
                self._fold_attempt(attempt)
            for again in record.redeliveries:
                self._queues.setdefault(again.channel, {})[again.name] = _waiting_again(again)
                self._busy.discard(again.name)
            for cancelled in record.cancellations:
                self._drop(cancelled.channel, cancelled.name)

    def _fold_attempt(self, attempt: Attempt) -> None:
        self._busy.discard(attempt.name)
        for channel, queue in list(self._queues.items()):
            waiting = queue.get(attempt.name)
            if waiting is not None:
                if attempt.outcome is Outcome.RETRY:
                    queue[attempt.name] = _after(waiting, attempt)
                else:
                    self._drop(channel, attempt.name)
                return

    def _drop(self, channel: str, name: DeliveryName) -> None:
        self._busy.discard(name)
        queue = self._queues.get(channel)
        if queue is not None:
            queue.pop(name, None)
            if not queue:
                del self._queues[channel]

    # What is asked

    def queues(self) -> Mapping[str, OutboxQueue]:
        """Return what waits, by channel."""
        with self._guard:
            return {
                channel: OutboxQueue(len(queue), next_due_at(queue.values(), busy=self._busy))
                for channel, queue in self._queues.items()
                if queue
            }

    def waiting(self, channel: str | None = None) -> list[Waiting]:
        """Return what is not over, in the order of the log."""
        with self._guard:
            queues = self._queues.values() if channel is None else [self._queues.get(channel, {})]
            return sorted((waiting for queue in queues for waiting in queue.values()), key=lambda each: each.name)

    def reserve(self, channel: str, now: Instant, *, limit: int) -> list[DeliveryName]:
        """Return the names of what is to be sent now, and take note that it is on its way."""
        with self._guard:
            queue = sorted(self._queues.get(channel, {}).values(), key=lambda each: each.name)
            names = [waiting.name for waiting in sendable(queue, now, busy=self._busy)[:limit]]
            self._busy.update(names)
        return names

    def reserve_joinable(self, channel: str, *, due_until: Instant | None = None) -> list[Waiting]:
        """Return what may become part of another message (with `due_until`: the digests due by then), kept from being sent meanwhile."""
        with self._guard:
            found = [
                waiting
                for waiting in sorted(self._queues.get(channel, {}).values(), key=lambda each: each.name)
                if waiting.name not in self._busy
                and waiting.signals
                and not waiting.may_have_gone
                and not waiting.attempt_count
                and (due_until is None or (waiting.is_held and waiting.due_at <= due_until))
            ]
            self._busy.update(waiting.name for waiting in found)
        return found

    def release(self, names: Iterable[DeliveryName]) -> None:
        """Let deliveries be taken again."""
        with self._guard:
            self._busy.difference_update(names)

    def read(self, names: Sequence[DeliveryName]) -> list[Delivery]:
        """Return deliveries by name; one that is not there is left out."""
        with self._tables.read() as txn:
            found = [self._within(txn, name) for name in names]
        return [delivery for delivery in found if delivery is not None]

    def one(self, text: str) -> Delivery:
        """Return the delivery of an id. Raises `NotFound`."""
        parsed = parsed_delivery_id(text)
        found = self.read([parsed[0]]) if parsed else []
        if not found or found[0].id != text:
            raise NotFound("delivery", text[:64])
        return found[0]

    def page(self, question: DeliveriesQuestion) -> DeliveriesPage:
        """Return deliveries, newest first. Looks at 20 for each that is asked for at most, so a page may be short."""
        start = None
        if question.cursor is not None:
            parsed = parsed_delivery_id(question.cursor)
            if parsed is None:
                raise InvalidQuestion("cursor", "is none that this list gave out")
            start = _key(parsed[0])
        items: list[Delivery] = []
        last: Delivery | None = None
        with self._tables.read() as txn, txn.cursor(db=self._tables.tables[b"deliveries"]) as rows:
            is_at = rows.prev() if start is not None and rows.set_range(start) else rows.last()
            for _ in range(_LOOKED_AT_PER_DELIVERY * question.limit):
                if not is_at or len(items) == question.limit:
                    break
                last = _decode(open_row(rows.key(), rows.value()))
                if _is_wanted(last, question):
                    items.append(last)
                is_at = rows.prev()
        return DeliveriesPage(items, delivery_id(last.name, last.token) if is_at and last is not None else None)

    def _within(self, txn: lmdb.Transaction, name: DeliveryName) -> Delivery | None:
        stored = self._tables.get_within(txn, b"deliveries", _key(name))
        return None if stored is None else _decode(stored)


def _is_wanted(delivery: Delivery, question: DeliveriesQuestion) -> bool:
    return (
        question.channel in (None, delivery.channel)
        and (question.signal is None or question.signal in delivery.signals)
        and question.state in (None, delivery.state)
        and question.event in (None, delivery.event)
    )


def _waiting_of(new: NewDelivery, name: DeliveryName) -> Waiting:
    return Waiting(
        name=name,
        channel=new.channel,
        event=new.event,
        created_at=new.created_at,
        due_at=new.due_at,
        digest=new.digest,
        signals=new.signals,
        tried_from=new.due_at,
    )


def _waiting_again(again: Redelivery) -> Waiting:
    return Waiting(
        name=again.name,
        channel=again.channel,
        event=again.event,
        created_at=again.at,
        due_at=again.at,
        signals=again.signals,
        tried_from=again.at,
        # It went before, under its own id.
        may_have_gone=True,
    )


def _after(waiting: Waiting, attempt: Attempt) -> Waiting:
    due_at = waiting.due_at if attempt.due_at is None else attempt.due_at
    return structs.replace(waiting, due_at=due_at, attempt_count=waiting.attempt_count + 1)


def _key(name: DeliveryName) -> bytes:
    return _NAME.pack(name.position, name.place)


def _outbox_key(channel: str, name: DeliveryName) -> bytes:
    return channel.encode() + b"\0" + _key(name)
