"""Refused events, kept with their reason until they are re-submitted or given up.

A fold over the blocks of kind `QUARANTINE`, in the tables of the log. The same bytes refused for the same reason are one entry that was
seen several times, so that a client in a loop does not fill the disk with copies; past the limit the oldest entries make room.
An entry's name is the log position and place of its first record: `1042-3`.
"""

from __future__ import annotations

import hashlib
import struct
from typing import Final

import lmdb
import msgspec

from tallystick.errors import InvalidQuestion, NotFound
from tallystick.event_batch import EventBatch, RejectedEvent
from tallystick.instant import Instant
from tallystick.log.records import QuarantineEntry, QuarantineRecord
from tallystick.log.tables import Tables, open_row
from tallystick.store import QuarantinedEvent, QuarantinePage, QuarantineReason, QuarantineReasons

_NAME: Final = struct.Struct(">QI")
_HASH_BYTES: Final = 16
_COUNTED_MAX: Final = 20_000
_COUNTED_BYTES_MAX: Final = 64 * 1024 * 1024


class _Kept(msgspec.Struct, array_like=True):
    entry: QuarantineEntry
    times_seen: int


_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(_Kept).decode


def quarantine_entry(batch: EventBatch, refused: RejectedEvent) -> QuarantineEntry:
    """Return what is kept of one refused event of a request."""
    rejected = refused.rejected
    return QuarantineEntry(
        received_at=batch.received_at,
        index=rejected.index,
        code=rejected.code.value,
        detail=rejected.detail,
        content_type=batch.media_type,
        raw=refused.raw,
    )


class Quarantine:
    """The fold. `apply` belongs to the writer's thread; reads to any."""

    def __init__(self, tables: Tables, *, entries_max: int) -> None:
        self._tables = tables
        self._entries_max = entries_max

    def apply(self, txn: lmdb.Transaction, record: QuarantineRecord, position: int) -> None:
        """Write what the record at `position` changes."""
        tables = self._tables
        for place, entry in enumerate(record.entries):
            digest = _digest(entry)
            known = tables.get_within(txn, b"quarantine_hashes", digest)
            stored = None if known is None else tables.get_within(txn, b"quarantine", known)
            if known is not None and stored is not None:
                kept = _decode(stored)
                kept.times_seen += 1
                tables.put(txn, b"quarantine", known, _encode(kept))
                continue
            name = _NAME.pack(position, place)
            tables.put(txn, b"quarantine", name, _encode(_Kept(entry, 1)))
            tables.put(txn, b"quarantine_hashes", digest, name)
        for text in record.discarded:
            if (name := _parsed_name(text)) is not None:
                self._remove(txn, name)
        self._make_room(txn)

    def _make_room(self, txn: lmdb.Transaction) -> None:
        entries = self._tables.tables[b"quarantine"]
        for _ in range(txn.stat(entries)["entries"] - self._entries_max):
            with txn.cursor(db=entries) as cursor:
                cursor.first()
                name = bytes(cursor.key())
            self._remove(txn, name)

    def _remove(self, txn: lmdb.Transaction, name: bytes) -> None:
        stored = self._tables.get_within(txn, b"quarantine", name)
        if stored is not None:
            self._tables.delete(txn, b"quarantine_hashes", _digest(_decode(stored).entry))
            self._tables.delete(txn, b"quarantine", name)

    def page(self, *, limit: int, cursor: str | None, code: str | None) -> QuarantinePage:
        """Return entries, newest first. Looks at 20 entries for each that is asked for at most, so a page may be short."""
        start = None
        if cursor is not None and (start := _parsed_name(cursor)) is None:
            raise InvalidQuestion("cursor", "is none that this list gave out")
        items: list[QuarantinedEvent] = []
        last_seen = b""
        with self._tables.read() as txn, txn.cursor(db=self._tables.tables[b"quarantine"]) as entries:
            is_at = entries.last() if start is None else _before(entries, start)
            for _ in range(20 * limit):
                if not is_at or len(items) == limit:
                    break
                last_seen = bytes(entries.key())
                item = _shown(last_seen, open_row(last_seen, entries.value()))
                if code is None or item.code == code:
                    items.append(item)
                is_at = entries.prev()
            next_cursor = _text(last_seen) if is_at else None
        return QuarantinePage(items=items, next_cursor=next_cursor)

    def reasons(self) -> QuarantineReasons:
        """Return the reasons of the newest entries: of 20,000, or of as many as 64 MiB hold, which takes a tenth of a second or two."""
        found: dict[str, QuarantineReason] = {}
        counted = size_bytes = 0
        with self._tables.read() as txn, txn.cursor(db=self._tables.tables[b"quarantine"]) as entries:
            entry_count = txn.stat(self._tables.tables[b"quarantine"])["entries"]
            is_at = entries.last()
            while is_at and counted < _COUNTED_MAX and size_bytes < _COUNTED_BYTES_MAX:
                stored = open_row(entries.key(), entries.value())
                kept = _decode(stored)
                found[kept.entry.code] = _with(found.get(kept.entry.code), kept)
                counted, size_bytes = counted + 1, size_bytes + len(stored)
                is_at = entries.prev()
        items = sorted(found.values(), key=lambda reason: (-reason.entry_count, reason.code))
        return QuarantineReasons(items, entry_count, counted)

    def entry(self, entry_id: str) -> QuarantinedEvent:
        """Return one entry. Raises `NotFound`."""
        name = _parsed_name(entry_id)
        stored = None if name is None else self._tables.get(b"quarantine", name)
        if name is None or stored is None:
            raise NotFound("quarantined event", entry_id)
        return _shown(name, stored)


def _digest(entry: QuarantineEntry) -> bytes:
    digest = hashlib.sha256(f"{entry.code}\0{entry.content_type}\0".encode())
    digest.update(entry.raw)
    return digest.digest()[:_HASH_BYTES]


def _before(entries: lmdb.Cursor, name: bytes) -> bool:
    """Move to the newest entry older than `name`."""
    return entries.prev() if entries.set_range(name) else entries.last()


def _with(reason: QuarantineReason | None, kept: _Kept) -> QuarantineReason:
    """Count an entry that is older than those counted before."""
    at = Instant(kept.entry.received_at)
    if reason is None:
        return QuarantineReason(kept.entry.code, 1, kept.times_seen, at, at)
    return QuarantineReason(
        reason.code, reason.entry_count + 1, reason.times_seen + kept.times_seen, reason.newest_at, at
    )


def _shown(name: bytes, stored: bytes) -> QuarantinedEvent:
    kept = _decode(stored)
    entry = kept.entry
    return QuarantinedEvent(
        id=_text(name),
        received_at=Instant(entry.received_at),
        index=entry.index,
        code=entry.code,
        detail=entry.detail,
        content_type=entry.content_type,
        raw=entry.raw,
        times_seen=kept.times_seen,
    )


def _text(name: bytes) -> str:
    position, place = _NAME.unpack(name)
    return f"{position}-{place}"


def _parsed_name(text: str) -> bytes | None:
    position, _, place = text.partition("-")
    if not (position.isdecimal() and place.isdecimal() and len(text) <= 30):  # noqa: PLR2004 - two 64-bit numbers
        return None
    try:
        return _NAME.pack(int(position), int(place))
    except struct.error:
        return None
