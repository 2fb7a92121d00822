"""Where signals stand, and the steps that led there: a fold over the blocks of kind `SIGNALS`, in the tables of the log.

A state is a row only once a step was taken: a thousand signals on ten thousand customers of whom nobody crossed anything are no row at all.
All steps stay in the log; of the newest `STEPS_KEPT_MAX` the tables can tell the history.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final

import lmdb
import msgspec

from tallystick.catalog.catalog import Catalog, decode_signal
from tallystick.errors import DamagedStore, InvalidQuestion
from tallystick.instant import Instant
from tallystick.log.records import CatalogRecord, SignalsRecord
from tallystick.log.tables import Tables, open_row
from tallystick.signal_store import FiredPage, FiredState, SignalStatesPage, StepsPage
from tallystick.signals.signal import means_the_same
from tallystick.signals.step import Mark, RecordedStep, SignalState, Step, StepKind, Subject, state_after

STEPS_KEPT_MAX: Final = 200_000
# For each step of a page so many are looked at, so that a page of one customer's steps may be short.
_LOOKED_AT_PER_STEP: Final = 20
_NAME: Final = struct.Struct(">QI")
_AGE: Final = struct.Struct(">Q")
_DIGEST_BYTES: Final = 16
_FIRED_KEY_BYTES_MAX: Final = _AGE.size + 128 + 1 + _DIGEST_BYTES
_BY_HAND: Final = (StepKind.SNOOZED, StepKind.WOKEN)
# No signal has an empty key, so this row is nobody's state.
_MARK: Final = b"\0mark"
_encode: Final = msgspec.msgpack.Encoder().encode
_decode_state: Final = msgspec.msgpack.Decoder(SignalState).decode
_decode_step: Final = msgspec.msgpack.Decoder(Step).decode
_decode_mark: Final = msgspec.msgpack.Decoder(Mark).decode


class SignalBook:
    """The fold. `apply` and `redefine` belong to the writer's thread; reads to any."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def redefine(self, txn: lmdb.Transaction, catalog: Catalog, record: CatalogRecord) -> None:
        """Forget a signal's states if the record, which the catalog has not written yet, deletes it or changes what it watches."""
        if record.kind != "signal":
            return
        before = catalog.stored_within(txn, "signal", record.key)
        if before is None:
            return
        if record.definition is None or not means_the_same(decode_signal(before), decode_signal(record.definition)):
            self._forget(txn, record.key)

    def apply(self, txn: lmdb.Transaction, record: SignalsRecord, position: int) -> None:
        """Write the states after the record's steps, and the steps."""
        tables = self._tables
        for place, step in enumerate(record.steps):
            key = _state_key(step.signal, step.subject)
            stored = tables.get_within(txn, b"signal_states", key)
            before = None if stored is None else _decode_state(stored)
            after = state_after(before, step)
            name = _NAME.pack(position, place)
            if after is not None:
                tables.put(txn, b"signal_states", key, _encode(after))
                if step.kind not in _BY_HAND:
                    self._list_fired(txn, key, before, after, name)
            tables.put(txn, b"signal_steps", name, _encode(step))
            tables.put(txn, b"steps_by_signal", _step_prefix(step.signal) + name, b"")
        if record.mark is not None:
            tables.put(txn, b"signal_states", _MARK, _encode(record.mark))
        self._make_room(txn)

    def _list_fired(
        self, txn: lmdb.Transaction, key: bytes, before: SignalState | None, after: SignalState, step: bytes
    ) -> None:
        """Keep the list of what is fired, newest first: each row names the state and the step that led there."""
        if before is not None and before.level > 0:
            self._tables.delete(txn, b"signals_fired", _fired_key(before, key))
        if after.level > 0:
            self._tables.put(txn, b"signals_fired", _fired_key(after, key), step)

    def _make_room(self, txn: lmdb.Transaction) -> None:
        steps = self._tables.tables[b"signal_steps"]
        for _ in range(txn.stat(steps)["entries"] - STEPS_KEPT_MAX):
            with txn.cursor(db=steps) as cursor:
                cursor.first()
                name = bytes(cursor.key())
                step = _decode_step(open_row(cursor.key(), cursor.value()))
            self._tables.delete(txn, b"signal_steps", name)
            self._tables.delete(txn, b"steps_by_signal", _step_prefix(step.signal) + name)

    def _forget(self, txn: lmdb.Transaction, signal: str) -> None:
        prefix = _step_prefix(signal)
        with txn.cursor(db=self._tables.tables[b"signal_states"]) as cursor:
            while cursor.set_range(prefix) and bytes(cursor.key()).startswith(prefix):
                key = bytes(cursor.key())
                state = _decode_state(open_row(key, cursor.value()))
                if state.level > 0:
                    self._tables.delete(txn, b"signals_fired", _fired_key(state, key))
                cursor.delete()

    def mark(self) -> Mark | None:
        """Return how far was looked."""
        stored = self._tables.get(b"signal_states", _MARK)
        return None if stored is None else _decode_mark(stored)

    def states_of(self, pairs: Sequence[tuple[str, Subject]]) -> list[SignalState | None]:
        """Return the state of each signal and subject, in one look."""
        with self._tables.read() as txn:
            stored = [
                self._tables.get_within(txn, b"signal_states", _state_key(signal, subject)) for signal, subject in pairs
            ]
        return [None if each is None else _decode_state(each) for each in stored]

    def above_zero(self, signal: str) -> list[SignalState]:
        """Return the states of one signal that are above level 0, of whatever period."""
        prefix = _step_prefix(signal)
        found: list[SignalState] = []
        with self._tables.read() as txn, txn.cursor(db=self._tables.tables[b"signal_states"]) as rows:
            is_at = rows.set_range(prefix)
            while is_at and bytes(rows.key()).startswith(prefix):
                state = _decode_state(open_row(bytes(rows.key()), rows.value()))
                if state.level > 0:
                    found.append(state)
                is_at = rows.next()
        return found

    def states(self, signal: str, *, limit: int, cursor: str | None) -> SignalStatesPage:
        """Return the states of one signal, in no order that means anything."""
        prefix = _step_prefix(signal)
        start = prefix if cursor is None else prefix + _from_hex(cursor)
        items: list[SignalState] = []
        last = start
        with self._tables.read() as txn, txn.cursor(db=self._tables.tables[b"signal_states"]) as rows:
            is_at = rows.set_range(start)
            if is_at and cursor is not None and bytes(rows.key()) == start:
                is_at = rows.next()
            while is_at and len(items) < limit and bytes(rows.key()).startswith(prefix):
                last = bytes(rows.key())
                items.append(_decode_state(open_row(last, rows.value())))
                is_at = rows.next()
            has_more = is_at and bytes(rows.key()).startswith(prefix)
        return SignalStatesPage(items, last[len(prefix) :].hex() if has_more else None)

    def fired(
        self, *, signal: str | None, customer: str | None, now: Instant, limit: int, cursor: str | None
    ) -> FiredPage:
        """Return what is fired now, newest first."""
        items: list[FiredState] = []
        last = b"" if cursor is None else _from_hex(cursor, bytes_max=_FIRED_KEY_BYTES_MAX)
        table = self._tables.tables[b"signals_fired"]
        with self._tables.read() as txn, txn.cursor(db=table) as rows:
            is_at = rows.set_range(last)
            if is_at and cursor is not None and bytes(rows.key()) == last:
                is_at = rows.next()
            for _ in range(_LOOKED_AT_PER_STEP * limit):
                if not is_at or len(items) == limit:
                    break
                last = bytes(rows.key())
                found = self._fired_state(txn, last, open_row(last, rows.value()))
                if found.state.level_at(now) and _is_asked_for(found, signal, customer):
                    items.append(found)
                is_at = rows.next()
            count = int(txn.stat(table)["entries"])
        return FiredPage(items, last.hex() if is_at else None, count)

    def _fired_state(self, txn: lmdb.Transaction, key: bytes, name: bytes) -> FiredState:
        state_key = key[_AGE.size :]
        stored = self._tables.get_within(txn, b"signal_states", state_key)
        if stored is None:
            raise DamagedStore(0, "a signal is fired for a subject without a state: run `tallystick rebuild`")
        step = self._tables.get_within(txn, b"signal_steps", name)
        recorded = None if step is None else RecordedStep(step_id(*_NAME.unpack(name)), _decode_step(step))
        return FiredState(state_key[: -_DIGEST_BYTES - 1].decode(), _decode_state(stored), recorded)

    def history(
        self, signal: str, *, customer: str | None, kind: StepKind | None, limit: int, cursor: str | None
    ) -> StepsPage:
        """Return steps of one signal, newest first."""
        prefix = _step_prefix(signal)
        start = prefix + (b"\xff" * (_NAME.size + 1) if cursor is None else _from_hex(cursor))
        items: list[RecordedStep] = []
        last = b""
        with self._tables.read() as txn, txn.cursor(db=self._tables.tables[b"steps_by_signal"]) as rows:
            is_at = rows.prev() if rows.set_range(start) else rows.last()
            for _ in range(_LOOKED_AT_PER_STEP * limit):
                if not is_at or len(items) == limit or not bytes(rows.key()).startswith(prefix):
                    break
                last = bytes(rows.key())[len(prefix) :]
                stored = self._tables.get_within(txn, b"signal_steps", last)
                step = None if stored is None else _decode_step(stored)
                if step is not None and _is_wanted(step, customer, kind):
                    items.append(RecordedStep(step_id(*_NAME.unpack(last)), step))
                is_at = rows.prev()
            has_more = is_at and bytes(rows.key()).startswith(prefix)
        return StepsPage(items, last.hex() if has_more else None)


def step_id(position: int, place: int) -> str:
    """Return how people name a step: its record's position, and its place in it."""
    return f"{position}-{place}"


def _is_wanted(step: Step, customer: str | None, kind: StepKind | None) -> bool:
    return (customer is None or step.subject.customer == customer) and (kind is None or step.kind is kind)


def _step_prefix(signal: str) -> bytes:
    return signal.encode() + b"\0"


def _state_key(signal: str, subject: Subject) -> bytes:
    return _step_prefix(signal) + subject.digest()


def _fired_key(state: SignalState, state_key: bytes) -> bytes:
    # The greatest instant first, so that a walk begins with what is newest.
    return _AGE.pack(2**63 - 1 - state.changed_at) + state_key


def _is_asked_for(fired: FiredState, signal: str | None, customer: str | None) -> bool:
    return signal in (None, fired.signal) and customer in (None, fired.state.subject.customer)


def _from_hex(cursor: str, *, bytes_max: int = 64) -> bytes:
    try:
        name = bytes.fromhex(cursor)
    except ValueError:
        name = b""
    if not 1 <= len(name) <= bytes_max:
        raise InvalidQuestion("cursor", "is none that this list gave out")
    return name
