"""A leaf of a statement's tree: the hash of one event at its place in the log.

Promises: a leaf is SHA-256(0x00, content), and the content is the MessagePack of an array: position, source, id, type, customer, time in
nanoseconds since 1970, value as its canonical decimal text, and the properties as an array of pairs (name, text) by name. Texts are those
by which values compare (`event.property_text`), so that whoever has the event in any form can make the same bytes.
The time is the one that the event counts with: the arrival, where the sender gave none.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Final

import msgspec

from tallystick.decode.canonical_memo import CanonicalMemo
from tallystick.event_batch import EventLists
from tallystick.event_columns import EventColumns, property_texts
from tallystick.event_lists import entries_at

from .merkle import LEAF_PREFIX

_encode: Final = msgspec.msgpack.Encoder().encode


def leaf_hashes(columns: EventColumns | EventLists, rows: Sequence[int], positions: Sequence[int]) -> list[bytes]:
    """Return the leaf of each of these rows, which stand at these positions of the log, in their order."""
    times: list[int] = columns.times[rows].tolist()
    contents = zip(
        positions,
        entries_at(columns.sources, rows),
        entries_at(columns.ids, rows),
        entries_at(columns.types, rows),
        entries_at(columns.customers, rows),
        times,
        entries_at(columns.values, rows),
        packed_properties(entries_at(columns.properties, rows)),
        strict=True,
    )
    return [sha256(LEAF_PREFIX + _encode(content)).digest() for content in contents]


def packed_properties(objects: list[bytes]) -> list[msgspec.Raw]:
    """Return canonical JSON objects as MessagePack arrays of pairs (name, text), by name."""
    found = _PACKED.of_each(objects)
    return _packed(objects) if found is None else found


def _packed(objects: list[bytes]) -> list[msgspec.Raw]:
    return [msgspec.Raw(_encode(sorted(property_texts(each).items()))) for each in objects]


# Senders repeat themselves: a distinct object costs 5 µs, one that came before 0.1.
_PACKED: Final[CanonicalMemo[msgspec.Raw]] = CanonicalMemo(_packed, known={b"{}": msgspec.Raw(_encode([]))})
