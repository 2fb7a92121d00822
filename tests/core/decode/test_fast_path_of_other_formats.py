"""The fast paths of CloudEvents and of MessagePack are their rules, only faster."""

from __future__ import annotations

import struct
from random import Random

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.decode.cloud_event import check_cloud_event
from tallystick.decode.event_rules import CheckedEvent, check_event
from tallystick.decode.json_reader import read_json
from tallystick.decode.msgpack_reader import read_msgpack
from tallystick.decode.refused import Refused
from tallystick.event_batch import EventBatch
from tests.core.decode.decoding import CLOUD_EVENTS, LIMITS, MSGPACK, RECEIVED_AT, Row, decode, rows_of

LATEST = RECEIVED_AT + LIMITS.future_ns_max

ATTRIBUTES = {
    "specversion": (('"1.0"',), ('"0.3"', "1.0", "null", '"1.\\u0030"')),
    "id": (('"a"', '"b c"'), ('""', "null", "5", '"\\u0000"', '"\\/"')),
    "source": (('"s"', '"/gateway"'), ('""', "null", '"' + "s" * 257 + '"', "[]")),
    "type": (('"t"',), ('""', "null", '"\\ud800"')),
    "subject": (('"c"', '"ü"'), ('""', "null", "{}")),
    "time": (
        ('"2026-11-01T10:00:00.123Z"',),
        ('"2026-11-01T10:00:00"', "null", "1793527200123", '"3000-01-01T00:00:00Z"'),
    ),
    "datacontenttype": (('"application/json"',), ('"text/plain"', "null", '"application/json; charset=utf-8"', "5")),
    "dataschema": (('"https://example.com/schema"', "null"), ("5", '"\\u0000"')),
    "data": (
        ('{"value":2.50,"region":"eu"}', '{"region":"eu","tokens":812}', '{ "value" : "1e1" }', "{}", "null"),
        (
            '{"value":"two"}',
            '{"value":true}',
            '{"value":null}',
            '{"value":1e30}',
            '{"value":{"in":1}}',
            '{"a":{"b":{"c":1}},"d":{}}',
            '{"a.b":1,"a":{"b":1}}',
            '{"a":[1]}',
            '{"a":1,"a":1}',
            '{"value":NaN}',
            "[]",
            '"x"',
        ),
    ),
    "traceparent": ((), ('"00-1"', "1", "NaN")),
    "data_base64": ((), ('"AAAA"',)),
}


def cloud_event_text(random: Random, oddness: float) -> str:
    pairs: list[str] = []
    for name, (usual, odd) in ATTRIBUTES.items():
        is_odd = random.random() < oddness
        if (
            (is_odd and random.random() < 0.3)
            or not (usual or is_odd)
            or (name[:4] in {"time", "data"} and random.random() < 0.3)
        ):
            continue
        pairs.append(f'"{name}":{random.choice(odd if is_odd else usual)}')
        if random.random() < oddness / 4:
            pairs.append(pairs[-1])
    random.shuffle(pairs)
    return "{" + random.choice((",", ", ")).join(pairs) + "}"


def packed_text(text: str) -> bytes:
    return msgspec.msgpack.encode(text)


USUAL_TEXTS = (packed_text("a"), packed_text("ü 🦀"), b"\xd9\x01b")
ODD_TEXTS = (
    packed_text(""),
    packed_text("\0"),
    packed_text("x" * 300),
    b"\xa1\xff",
    b"\xc0",
    b"\x05",
    b"\xc4\x01a",
    b"\x80",
)
MEMBERS = {
    "id": (USUAL_TEXTS, ODD_TEXTS),
    "type": (USUAL_TEXTS, ODD_TEXTS),
    "customer": (USUAL_TEXTS, ODD_TEXTS),
    "source": (USUAL_TEXTS, ODD_TEXTS),
    "time": (
        (packed_text("2026-11-01T10:00:00.123Z"), msgspec.msgpack.encode(1_793_527_200_123)),
        (
            b"\xd6\xff\x00\x00\x00\x01",
            b"\xc0",
            b"\x00",
            b"\xff",
            b"\xcb" + struct.pack(">d", 5.0),
            b"\xcf" + b"\xff" * 8,
            b"\xd4\x01a",
        ),
    ),
    "value": (
        (b"\x05", msgspec.msgpack.encode(0.1), packed_text("1.50"), b"\xff"),
        (
            b"\xcb" + struct.pack(">d", float("nan")),
            b"\xca" + struct.pack(">f", 0.1),
            packed_text("x"),
            b"\xc3",
            b"\xc0",
            b"\x90",
        ),
    ),
    "properties": (
        (msgspec.msgpack.encode({"b": "x", "a": 1.5, "c": True}), b"\x80"),
        (
            b"\x82\xa1a\x01\xa1a\x01",
            b"\x81\xa1a\x90",
            b"\x81\xa1a\xc0",
            b"\x81\x01\x01",
            b"\x90",
            b"\xc0",
            b"\x81\xa1\xff\x01",
            b"\x81\xa0\x01",
        ),
    ),
    "x": ((), USUAL_TEXTS),
}


def packed_event(random: Random, oddness: float) -> bytes:
    pairs: list[bytes] = []
    for name, (usual, odd) in MEMBERS.items():
        is_odd = random.random() < oddness
        if not (usual or is_odd) or (name not in {"type", "customer"} and random.random() < 0.4):
            continue
        pairs.append(packed_text(name) + random.choice(odd if is_odd else usual))
        if random.random() < oddness / 4:
            pairs.append(pairs[-1])
    random.shuffle(pairs)
    size = bytes([0x80 + len(pairs)]) if random.random() < 0.9 else b"\xde" + len(pairs).to_bytes(2)
    return size + b"".join(pairs)


def agree(batch: EventBatch, outcomes: list[CheckedEvent | Refused]) -> None:
    rows = rows_of(batch)
    taken = [(place, event) for place, event in enumerate(outcomes) if isinstance(event, CheckedEvent)]
    assert rows == [
        Row(
            place=place,
            source=event.source,
            id=row.id if event.id is None else event.id,
            type=event.type,
            customer=event.customer,
            time=RECEIVED_AT if event.time is None else event.time,
            is_timed=event.time is not None,
            value=event.value,
            properties=event.properties,
        )
        for (place, event), row in zip(taken, rows, strict=True)
    ]
    assert [(entry.rejected.index, entry.rejected.code, entry.rejected.detail) for entry in batch.rejected] == [
        (place, refused.code, refused.detail) for place, refused in enumerate(outcomes) if isinstance(refused, Refused)
    ]


oddnesses = st.sampled_from((0.0, 0.005, 0.05, 0.3))
counts = st.sampled_from((1, 2, 12, 120))


@settings(max_examples=80, deadline=None)
@given(seed=st.integers(0, 2**32), oddness=oddnesses, count=counts)
def test_the_fast_path_of_cloud_events_gives_what_their_rules_give(seed: int, oddness: float, count: int) -> None:
    random = Random(seed)
    events = [cloud_event_text(random, oddness) for _ in range(count)]
    outcomes: list[CheckedEvent | Refused] = []
    for event in events:
        try:
            outcomes.append(check_cloud_event(read_json(event.encode()), latest=LATEST))
        except Refused as refused:
            outcomes.append(refused)
    agree(decode("[" + ",".join(events) + "]", CLOUD_EVENTS), outcomes)
    agree(decode(events[0], CLOUD_EVENTS), outcomes[:1])


@settings(max_examples=80, deadline=None)
@given(seed=st.integers(0, 2**32), oddness=oddnesses, count=counts)
def test_the_fast_path_of_messagepack_gives_what_the_rules_give(seed: int, oddness: float, count: int) -> None:
    random = Random(seed)
    events = [packed_event(random, oddness) for _ in range(count)]
    outcomes: list[CheckedEvent | Refused] = []
    for event in events:
        try:
            outcomes.append(check_event(read_msgpack(event), latest=LATEST))
        except Refused as refused:
            outcomes.append(refused)
    agree(decode(b"\xdc" + count.to_bytes(2) + b"".join(events), MSGPACK), outcomes)
    agree(decode(events[0], MSGPACK), outcomes[:1])
