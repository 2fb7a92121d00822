"""The definitions as they are now: a fold over the blocks of kind `CATALOG`, in one table of the log's environment.

Meters, keys, channels and signals are few and asked for all the time, so they are in memory too; customers may be a million and stay
on disk.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from typing import Final, Literal, TypeVar

import lmdb
import msgspec

from tallystick.api_key import ApiKey
from tallystick.customer import Customer, CustomerSearch
from tallystick.errors import InvalidQuestion, NotFound
from tallystick.log.records import CatalogRecord
from tallystick.log.tables import Tables, open_row
from tallystick.meter import Meter
from tallystick.signals.channel import Channel
from tallystick.signals.signal import Signal

from .meter_versions import MeterVersions

Kind = Literal["meter", "customer", "api_key", "channel", "signal"]
Definition = Meter | Customer | ApiKey | Channel | Signal
_Defined = TypeVar("_Defined")

_encode: Final = msgspec.msgpack.Encoder().encode
_decode_meter: Final = msgspec.msgpack.Decoder(Meter).decode
_decode_customer: Final = msgspec.msgpack.Decoder(Customer).decode
_decode_key: Final = msgspec.msgpack.Decoder(ApiKey).decode
_decode_channel: Final = msgspec.msgpack.Decoder(Channel).decode
decode_signal: Final = msgspec.msgpack.Decoder(Signal).decode
# LMDB takes keys of 511 bytes, a customer's key may have 1,024: the rest is told apart by a hash, at the price of its order.
_KEY_BYTES_MAX: Final = 440
# About a fifth of a second.
_LOOKED_AT_MAX: Final = 50_000


def definition_record(kind: Kind, key: str, definition: Definition | None) -> CatalogRecord:
    """Return the log's record of a change; no definition means that it is deleted."""
    return CatalogRecord(kind, key, None if definition is None else _encode(definition))


class Catalog:
    """The fold. `apply` and `fold` belong to the writer's thread; reads to any."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self.meter_versions = MeterVersions(tables)
        self.meters: dict[str, Meter] = {}
        self.api_keys: dict[str, ApiKey] = {}
        self.api_keys_by_hash: dict[bytes, ApiKey] = {}
        self.channels: dict[str, Channel] = {}
        self.signals: dict[str, Signal] = {}
        self._zone_changed: Callable[[str, str], None] = _nobody_follows

    def follow_zones(self, changed: Callable[[str, str], None]) -> None:
        """Have `changed` told a customer's key and time zone whenever somebody describes it, or no longer does; on the writer's thread."""
        self._zone_changed = changed

    def reload(self) -> None:
        """Read what is kept in memory from the table again."""
        with self._tables.read() as txn:
            meters = [_decode_meter(value) for value in _values(txn, self._tables, b"meter\0")]
            keys = [_decode_key(value) for value in _values(txn, self._tables, b"api_key\0")]
            channels = [_decode_channel(value) for value in _values(txn, self._tables, b"channel\0")]
            signals = [decode_signal(value) for value in _values(txn, self._tables, b"signal\0")]
        self.meters = {meter.key: meter for meter in meters}
        self._index_keys({key.id: key for key in keys})
        self.channels = {channel.key: channel for channel in channels}
        self.signals = {signal.key: signal for signal in signals}

    def apply(self, txn: lmdb.Transaction, record: CatalogRecord, position: int) -> None:
        """Write what the record at this position of the log changes."""
        key = _table_key(record.kind, record.key)
        if record.definition is None:
            self._tables.delete(txn, b"catalog", key)
        else:
            self._tables.put(txn, b"catalog", key, record.definition)
            if record.kind == "meter":
                self.meter_versions.put(txn, record.definition, position)

    def fold(self, record: CatalogRecord) -> None:
        """Take the record into memory, once it is on disk. Whole dictionaries are swapped, so that readers need no lock."""
        if record.kind == "meter":
            meters = {key: meter for key, meter in self.meters.items() if key != record.key}
            if record.definition is not None:
                meters[record.key] = _decode_meter(record.definition)
            self.meters = dict(sorted(meters.items()))
        elif record.kind == "api_key":
            keys = {key_id: key for key_id, key in self.api_keys.items() if key_id != record.key}
            if record.definition is not None:
                keys[record.key] = _decode_key(record.definition)
            self._index_keys(keys)
        elif record.kind == "channel":
            self.channels = _with(self.channels, record, _decode_channel)
        elif record.kind == "signal":
            self.signals = _with(self.signals, record, decode_signal)
        elif record.kind == "customer":
            described = record.definition
            self._zone_changed(record.key, "UTC" if described is None else _decode_customer(described).time_zone)

    def stored_within(self, txn: lmdb.Transaction, kind: Kind, key: str) -> bytes | None:
        """Return a definition in MessagePack as a transaction sees it."""
        return self._tables.get_within(txn, b"catalog", _table_key(kind, key))

    def customer(self, key: str) -> Customer:
        """Return one described customer. Raises `NotFound`."""
        stored = self._tables.get(b"catalog", _table_key("customer", key))
        if stored is None:
            raise NotFound("customer", key)
        return _decode_customer(stored)

    def has_customer(self, key: str) -> bool:
        """Whether somebody described the customer."""
        return self._tables.get(b"catalog", _table_key("customer", key)) is not None

    def customers(
        self, *, limit: int, cursor: str | None, search: CustomerSearch | None = None
    ) -> tuple[list[Customer], str | None]:
        """Return described customers by key, and the cursor of the next page. Raises `InvalidQuestion` for a foreign cursor.

        A search looks at `_LOOKED_AT_MAX` customers at most, so that a page may be short, or empty, and still have a next one.
        """
        prefix = b"customer\0"
        start = prefix if cursor is None else _cursor_key(cursor, prefix)
        found: list[Customer] = []
        with self._tables.read() as txn, txn.cursor(db=self._tables.tables[b"catalog"]) as entries:
            is_at, last, looked_at = entries.set_range(start), start, 0
            while (
                is_at and len(found) < limit and looked_at < _LOOKED_AT_MAX and bytes(entries.key()).startswith(prefix)
            ):
                if bytes(entries.key()) != start:
                    customer = _decode_customer(open_row(entries.key(), entries.value()))
                    if search is None or search.finds(customer.key, customer.name, customer.email):
                        found.append(customer)
                    last, looked_at = bytes(entries.key()), looked_at + 1
                is_at = entries.next()
            has_more = is_at and bytes(entries.key()).startswith(prefix)
        if not has_more or last == start:
            return found, None
        return found, base64.urlsafe_b64encode(last).decode().rstrip("=")

    def _index_keys(self, keys: dict[str, ApiKey]) -> None:
        self.api_keys = dict(sorted(keys.items()))
        self.api_keys_by_hash = {key.secret_hash: key for key in keys.values()}


def _nobody_follows(_customer: str, _zone: str) -> None:
    """Tell nobody."""


def _with(
    known: dict[str, _Defined], record: CatalogRecord, decode: Callable[[bytes], _Defined]
) -> dict[str, _Defined]:
    changed = {key: each for key, each in known.items() if key != record.key}
    if record.definition is not None:
        changed[record.key] = decode(record.definition)
    return dict(sorted(changed.items()))


def _values(txn: lmdb.Transaction, tables: Tables, prefix: bytes) -> list[bytes]:
    found: list[bytes] = []
    with txn.cursor(db=tables.tables[b"catalog"]) as cursor:
        is_at = cursor.set_range(prefix)
        while is_at and bytes(cursor.key()).startswith(prefix):
            found.append(open_row(cursor.key(), cursor.value()))
            is_at = cursor.next()
    return found


def _table_key(kind: str, key: str) -> bytes:
    encoded = key.encode()
    if len(encoded) > _KEY_BYTES_MAX:
        encoded = encoded[:_KEY_BYTES_MAX] + hashlib.sha256(encoded).digest()[:16]
    return kind.encode() + b"\0" + encoded


def _cursor_key(cursor: str, prefix: bytes) -> bytes:
    try:
        key = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    except ValueError:
        key = b""
    if not key.startswith(prefix) or len(key) > 511:  # noqa: PLR2004 - LMDB's limit
        raise InvalidQuestion("cursor", "is none that this list gave out")
    return key
