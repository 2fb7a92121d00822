"""What tests of decoding share: a request decoded at a fixed time, and its events as rows that compare."""

from __future__ import annotations

import json
from typing import NamedTuple

from tallystick.decode import DecodeLimits, decode_events
from tallystick.event_batch import EventBatch
from tallystick.instant import Instant
from tallystick.rejection import Code
from tallystick.testing import ManualClock, SeededEntropy

JSON = "application/json"
LINES = "application/x-ndjson"
MSGPACK = "application/msgpack"
CLOUD_EVENT = "application/cloudevents+json"
CLOUD_EVENTS = "application/cloudevents-batch+json"

RECEIVED_AT = ManualClock("2026-11-01T12:00:00Z").now()
LIMITS = DecodeLimits()

GOOD: dict[str, object] = {"id": "good", "type": "t", "customer": "c"}


class Row(NamedTuple):
    place: int
    source: str
    id: str
    type: str
    customer: str
    time: Instant
    is_timed: bool
    value: str
    properties: bytes


def decode(body: bytes | str, media_type: str = JSON, limits: DecodeLimits = LIMITS) -> EventBatch:
    body = body.encode() if isinstance(body, str) else body
    return decode_events(body, media_type=media_type, received_at=RECEIVED_AT, limits=limits, entropy=SeededEntropy())


def rows_of(batch: EventBatch) -> list[Row]:
    events = batch.columns
    columns = (events.sources, events.ids, events.types, events.customers, events.values, events.properties)
    assert {len(column) for column in (*columns, batch.indexes, events.times, events.times_given)} == {len(batch)}
    # What encodes them later takes no subclass of these.
    assert {type(text) for column in columns[:-1] for text in column} <= {str}
    assert {type(canonical) for canonical in events.properties} <= {bytes}
    return [
        Row(
            place=batch.indexes[row],
            source=events.sources[row],
            id=events.ids[row],
            type=events.types[row],
            customer=events.customers[row],
            time=Instant(int(events.times[row])),
            is_timed=bool(events.times_given[row]),
            value=events.values[row],
            properties=events.properties[row],
        )
        for row in range(len(batch))
    ]


def one(event: object, media_type: str = JSON) -> Row:
    """Decode one event that must be accepted; anything but bytes is sent as JSON."""
    batch = decode(event if isinstance(event, bytes | str) else json.dumps(event), media_type)
    assert not batch.rejected, batch.rejected[0].rejected
    (row,) = rows_of(batch)
    return row


def refusal(event: object, media_type: str = JSON) -> Code:
    """Decode an event that must be refused between two that must live; return the code."""
    text = event if isinstance(event, bytes) else (event if isinstance(event, str) else json.dumps(event)).encode()
    good = json.dumps(GOOD)
    if media_type != JSON:
        good = json.dumps({"specversion": "1.0", "id": "good", "source": "s", "type": "t", "subject": "c"})
    batch = decode(b"[%b,%b,%b]" % (good.encode(), text, good.encode()), media_type)
    assert [row.place for row in rows_of(batch)] == [0, 2], "a neighbour was lost"
    (rejected,) = batch.rejected
    assert rejected.rejected.index == 1
    assert rejected.raw == text.strip()
    assert 0 < len(rejected.rejected.detail) < 400
    assert rejected.rejected.detail.isprintable()
    return rejected.rejected.code


def with_fields(**fields: object) -> dict[str, object]:
    return {"id": "x", "type": "t", "customer": "c", **fields}
