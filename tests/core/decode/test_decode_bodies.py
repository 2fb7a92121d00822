"""Requests that are refused or survive as a whole: no JSON, too large, too many, anything at all."""

from __future__ import annotations

import json
import time
import tracemalloc
from contextlib import suppress
from random import Random

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tallystick.decode import (
    MEDIA_TYPES,
    BodyTooLarge,
    DecodeLimits,
    TooManyEvents,
    UnreadableBody,
    decode_events,
)
from tallystick.rejection import Code
from tallystick.testing import SeededEntropy
from tests.core.decode.decoding import CLOUD_EVENTS, JSON, LINES, MSGPACK, RECEIVED_AT, decode, rows_of

EVENT = b'{"type":"t","customer":"c"}'


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" \n ",
        b"hello",
        b"{not json",
        b"{not json}",
        b'{"type":"t"',
        b'{"type":"t","customer":"c"} trailing',
        b'[{"type":"t","customer":"c"}',
        b'[{"type":"t","customer":"c"}] trailing',
        b'[{"type":"t","customer":"c}]',
        b"[" * 10_000,
        b'{"a":' * 10_000,
        b"[foo]",
        b"\xff\xfe",
        b"\x00",
        b"]",
    ],
    ids=lambda body: repr(body[:30]),
)
@pytest.mark.parametrize("media_type", [JSON, CLOUD_EVENTS])
def test_a_body_that_is_not_json_is_unreadable(body: bytes, media_type: str) -> None:
    with pytest.raises(UnreadableBody):
        decode(body, media_type)


def test_a_body_of_no_readable_line_is_unreadable() -> None:
    with pytest.raises(UnreadableBody):
        decode("hello\nworld", LINES)


@pytest.mark.parametrize("body", [b"\x92\x80", b"\xc1", b"\x81\xa1", b"{}", b"\xdd\x00\x00\x00\x05", b"\x91" * 5_000])
def test_a_body_that_is_not_messagepack_is_unreadable(body: bytes) -> None:
    with pytest.raises(UnreadableBody):
        decode(body, MSGPACK)


def test_an_empty_array_holds_no_events() -> None:
    for body, media_type in ((b"[]", JSON), (b" [ ] ", JSON), (b"[]", CLOUD_EVENTS), (b"\x90", MSGPACK)):
        batch = decode(body, media_type)
        assert (len(batch), batch.rejected) == (0, [])


def test_a_trailing_comma_costs_no_event() -> None:
    batch = decode(b"[" + EVENT + b"," + EVENT + b",]")
    assert [row.place for row in rows_of(batch)] == [0, 1]
    assert [(entry.rejected.index, entry.rejected.code) for entry in batch.rejected] == [(2, Code.INVALID_JSON)]


@pytest.mark.parametrize("media_type", [JSON, LINES, MSGPACK])
def test_ten_thousand_events_are_taken_and_one_more_is_too_many(media_type: str) -> None:
    packed = msgspec.msgpack.encode({"type": "t", "customer": "c"})

    def body(count: int) -> bytes:
        match media_type:
            case "application/json":
                return b"[" + b",".join([EVENT] * count) + b"]"
            case "application/msgpack":
                return b"\xdc" + count.to_bytes(2) + packed * count
            case _:
                return b"\n".join([EVENT] * count)

    assert len(decode(body(10_000), media_type)) == 10_000
    with pytest.raises(TooManyEvents):
        decode(body(10_001), media_type)
    with pytest.raises(TooManyEvents):
        decode(body(10_001).replace(b"c", b""), media_type) if media_type != MSGPACK else decode(body(10_001), MSGPACK)


def test_a_body_over_the_limit_is_too_large() -> None:
    with pytest.raises(BodyTooLarge):
        decode(b" " * 101, limits=DecodeLimits(body_bytes_max=100))
    with pytest.raises(TooManyEvents):
        decode(b"[" + EVENT + b"," + EVENT + b"]", limits=DecodeLimits(events_max=1))


SENSELESS = [
    b"[" * (1 << 23),
    b"[" + b"{}," * 2_500_000 + b"{}]",
    b"[" + b"1," * 2_500_000 + b"1]",
    b"[[" + b"{}," * 2_500_000 + b"{}]]",
    b"{}" * 2_500_000,
    b"\n" * (1 << 23),
    b"{}\n" * 2_500_000,
    b'"' * (1 << 23),
    b"\\" * (1 << 23),
    b'[{"type":"' + b"\\n" * (1 << 22) + b'"}, NaN]',
    b"[" + b'{"a":1},[' * 800_000,
    b'{"properties":' + b"[" * (1 << 22) + b"]" * (1 << 22) + b"}",
    b'{"type":"t","customer":"c","properties":{"a":[' + b"{}," * 2_000_000 + b"{}]}}",
    b'{"type":"t","customer":"c","properties":{' + b'"a":1,' * 1_000_000 + b'"a":1}}',
    b"\x81\xaaproperties\xdd\x00\x7f\xff\xff" + b"\x90" * (1 << 23),
    b"\x93" + b"\x82\xa4type\xa1t\xa8customer\xa1c" + b"\x81\xaaproperties\xdc\xff\xff" + b"\x90" * 65_535 + b"\x80",
]


@pytest.mark.parametrize("body", SENSELESS, ids=lambda body: repr(body[:20]))
@pytest.mark.parametrize("media_type", [JSON, LINES, MSGPACK, CLOUD_EVENTS])
def test_large_senseless_bodies_take_neither_much_time_nor_much_memory(body: bytes, media_type: str) -> None:
    tracemalloc.start()
    start = time.thread_time()
    try:
        with suppress(UnreadableBody, TooManyEvents):
            decode(body, media_type)
        # Bounds for a slow machine that is traced; both are missed by far when millions of values become objects.
        assert time.thread_time() - start < 5
        assert tracemalloc.get_traced_memory()[1] < 12 * len(body) + (32 << 20)
    finally:
        tracemalloc.stop()


def test_ten_thousand_bad_events_are_refused_in_two_seconds() -> None:
    bad = {"id": "x", "type": "t", "customer": "", "properties": {"region": "eu", "tokens": 1, "cached": True}}
    body = json.dumps([bad] * 10_000).encode()
    start = time.thread_time()
    assert len(decode(body).rejected) == 10_000
    assert time.thread_time() - start < 2


def never_raises(body: bytes, media_type: str) -> None:
    try:
        batch = decode_events(
            body, media_type=media_type, received_at=RECEIVED_AT, limits=DecodeLimits(), entropy=SeededEntropy()
        )
    except (UnreadableBody, TooManyEvents, BodyTooLarge):
        return
    indexes = [row.place for row in rows_of(batch)] + [entry.rejected.index for entry in batch.rejected]
    assert sorted(indexes) == list(range(len(indexes)))


@settings(max_examples=150, deadline=None)
@given(body=st.binary(max_size=300), media_type=st.sampled_from(MEDIA_TYPES))
@example(b"\x80", MSGPACK)
@example(b"\x91\x80", MSGPACK)
@example(b"[{},1]", JSON)
def test_any_bytes_at_all_are_a_batch_or_one_of_the_errors(body: bytes, media_type: str) -> None:
    never_raises(body, media_type)


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**32), media_type=st.sampled_from(MEDIA_TYPES))
def test_a_damaged_request_is_a_batch_or_one_of_the_errors(seed: int, media_type: str) -> None:
    random = Random(seed)
    event = {
        "id": "x",
        "type": "t",
        "customer": "c",
        "time": "2026-11-01T10:00:00Z",
        "value": 1.5,
        "properties": {"a": True},
    }
    cloud = {"specversion": "1.0", "id": "x", "source": "s", "type": "t", "subject": "c", "data": {"a": {"b": 1}}}
    match media_type:
        case "application/msgpack":
            body = bytearray(msgspec.msgpack.encode([event] * 3))
        case "application/x-ndjson":
            body = bytearray(b"\n".join([json.dumps(event).encode()] * 3))
        case "application/json":
            body = bytearray(json.dumps([event] * 3).encode())
        case _:
            body = bytearray(json.dumps([cloud] * 3).encode())
    for _ in range(random.randrange(1, 6)):
        place = random.randrange(len(body))
        match random.randrange(3):
            case 0:
                body[place] = random.randrange(256)
            case 1:
                body[place : place + random.randrange(9)] = b""
            case _:
                body[place:place] = random.choice((b'"', b"\\", b"{", b"]", b",", b"\n", b"NaN", b"\xc1", b"\x00"))
        if not body:
            return
    never_raises(bytes(body), media_type)
