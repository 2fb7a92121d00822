"""One record of a file: an event as JSON, or the reason why it can be none."""

from __future__ import annotations

import hashlib
from typing import Final

import msgspec

EVENT_BYTES_MAX: Final = 1024 * 1024


class Fault(msgspec.Struct, frozen=True):
    """Why a record did not become an event; `code` as the appliance would say it."""

    code: str
    detail: str


class Record(msgspec.Struct, frozen=True):
    """`place` says where it stands, as a person would look for it; `event` is its JSON (as far as it has one)."""

    place: str
    event: bytes
    fault: Fault | None = None


class MadeUpIds:
    """Ids for records that carry none, so that loading the same file again is loading the same events.

    An id is made of the file's first record (its bytes, hashed) and the record's number. So it stays the same when the file grows, is
    renamed, moved or packed; and every record is an event of its own, though another one may say the same.
    What it does not survive is an insertion or a removal in the middle: the records after it get the ids of their neighbours, and the
    appliance refuses those as conflicts rather than counting them twice.
    """

    def __init__(self, seed: str | None) -> None:
        self._stem = _stem(seed.encode("utf-8", "surrogatepass")) if seed is not None else None

    def id_of(self, number: int, first_record: bytes) -> str:
        """Return the id of record `number` (from 1) of the file that begins with `first_record`."""
        stem = self._stem
        if stem is None:
            stem = self._stem = _stem(first_record)
        return f"{stem}-{number}"


def _stem(seed: bytes) -> str:
    # 96 bits: two files share a stem by chance once in 10^14 pairs of ten million files each.
    return "file-" + hashlib.sha256(seed).hexdigest()[:24]
