"""The same events are the same whatever carried them: format, key order, layout and spelling of numbers."""

from __future__ import annotations

import json
from decimal import Decimal
from random import Random
from typing import cast

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.decode import UnknownMediaType
from tallystick.event import Event
from tallystick.event_batch import EventBatch
from tallystick.event_columns import decode_properties
from tallystick.instant import Instant, format_instant, parse_instant
from tallystick.rejection import Code
from tests.core.decode.decoding import (
    CLOUD_EVENT,
    CLOUD_EVENTS,
    JSON,
    LINES,
    MSGPACK,
    decode,
    one,
    refusal,
    rows_of,
)

texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20)
numbers = st.decimals(-(10**9), 10**9, places=6) | st.integers(-(10**15), 10**15)
names = texts.filter(lambda name: "." not in name and name != "value")
properties = st.dictionaries(names, texts | st.booleans() | numbers, max_size=6)
times = st.integers(0, 1_793_527_200_000_000_000).map(lambda nanoseconds: format_instant(Instant(nanoseconds)))
events = st.fixed_dictionaries(
    {"id": texts, "type": texts, "customer": texts, "source": texts, "properties": properties},
    optional={"time": times},
)


def json_text(value: object, random: Random) -> str:
    """Write JSON with the keys in any order and numbers spelled in any way that names the same number."""
    if isinstance(value, dict):
        members = cast("dict[str, object]", value)
        pairs = [(json_text(name, random), json_text(member, random)) for name, member in members.items()]
        random.shuffle(pairs)
        space = random.choice(("", " ", "\t"))
        return "{" + ",".join(f"{space}{name}:{space}{member}" for name, member in pairs) + "}"
    if isinstance(value, bool | str):
        return json.dumps(value, ensure_ascii=random.random() < 0.5)
    number = f"{Decimal(str(value)):f}"
    return random.choice((number, f"{Decimal(number):e}", number + ("0" if "." in number else ".0")))


def plain(value: object) -> object:
    """Return the value as MessagePack can carry it."""
    if isinstance(value, dict):
        return {name: plain(member) for name, member in cast("dict[str, object]", value).items()}
    return float(value) if isinstance(value, Decimal) else value


def contents_of(batch: EventBatch) -> list[tuple[str, str, bytes]]:
    assert not batch.rejected
    return [
        (
            row.source,
            row.id,
            Event(
                source=row.source,
                id=row.id,
                type=row.type,
                customer=row.customer,
                time=row.time,
                time_given=row.is_timed,
                value=Decimal(row.value),
                properties=decode_properties(row.properties),
            ).content_hash,
        )
        for row in rows_of(batch)
    ]


@settings(max_examples=60, deadline=None)
@given(sent=st.lists(events, min_size=1, max_size=4), seed=st.integers(0, 2**32))
def test_identity_and_content_are_the_same_in_every_format(sent: list[dict[str, object]], seed: int) -> None:
    random = Random(seed)
    written = [json_text(event, random) for event in sent]
    cloud = [
        {"specversion": "1.0", "subject": event["customer"], "data": event["properties"]}
        | {name: event[name] for name in ("id", "source", "type", "time") if name in event}
        for event in sent
    ]
    as_json = decode("[" + ",".join(written) + "]")
    reference = contents_of(as_json)
    assert contents_of(decode("\n".join(written), LINES)) == reference
    assert contents_of(decode(msgspec.msgpack.encode([plain(event) for event in sent]), MSGPACK)) == reference
    assert (
        contents_of(decode("[" + ",".join(json_text(event, random) for event in cloud) + "]", CLOUD_EVENTS))
        == reference
    )
    assert [contents_of(decode(text))[0] for text in written] == reference
    as_lines = decode("\n".join(written), LINES)
    assert list(as_lines.columns.properties) == list(as_json.columns.properties)


@settings(max_examples=60, deadline=None)
@given(sent=properties, seed=st.integers(0, 2**32))
def test_properties_come_out_as_they_went_in(sent: dict[str, object], seed: int) -> None:
    row = one(json_text({"type": "t", "customer": "c", "properties": sent}, Random(seed)))
    assert decode_properties(row.properties) == {
        name: value if isinstance(value, str | bool) else Decimal(str(value)) for name, value in sent.items()
    }
    assert one(b'{"type":"t","customer":"c","properties":%b}' % row.properties).properties == row.properties


def test_events_without_an_id_get_the_same_one_in_every_format() -> None:
    event = {"type": "t", "customer": "c", "time": "2026-11-01T10:00:00Z", "value": 0.1, "properties": {"a": 1.5}}
    reference = one(event).id
    assert one(json.dumps(event), LINES).id == reference
    assert one(msgspec.msgpack.encode(event), MSGPACK).id == reference
    assert one({**event, "value": "1e-1", "properties": {"a": "1.50"}}).id != reference
    assert one({**event, "value": "1e-1", "properties": {"a": "1.5"}}).id == reference


def test_a_derived_id_is_the_same_for_ever() -> None:
    event = {"type": "t", "customer": "c", "time": "2026-11-01T10:00:00Z", "properties": {"a": 1, "b": True, "c": "x"}}
    assert one(event).id == "9c60ff62a035fbef63b0ce7ce476b095"


def test_a_bad_line_is_one_rejection_and_blank_lines_are_none() -> None:
    batch = decode('{"type":"t","customer":"a"}\r\n\n  \n{"type":\n{"type":"t","customer":"b"}\n\n', LINES)
    assert [(row.place, row.customer) for row in rows_of(batch)] == [(0, "a"), (2, "b")]
    assert [(entry.rejected.index, entry.rejected.code, entry.raw) for entry in batch.rejected] == [
        (1, Code.INVALID_JSON, b'{"type":')
    ]


@pytest.mark.parametrize(
    "body",
    [
        '{"type":"t","customer":"a"}{"type":"t","customer":"b"}\n{"type":"t","customer":"c"}',
        '{"type":"t","customer":"a"},\n{"type":"t","customer":"c"}',
        '{"type":"t",\n"customer":"b"}\n{"type":"t","customer":"c"}',
        '{"type":"t","customer":"x\ny"}\n{"type":"t","customer":"c"}',
        '[{"type":"t","customer":"x"}]\n{"type":"t","customer":"c"}',
    ],
)
def test_a_line_is_exactly_one_event(body: str) -> None:
    batch = decode(body, LINES)
    assert [row.customer for row in rows_of(batch)] == ["c"]
    assert batch.rejected


TYPE_AND_CUSTOMER = b"\xa4type\xa1t\xa8customer\xa1c"


@pytest.mark.parametrize(
    ("element", "code"),
    [
        (b"\x82" + TYPE_AND_CUSTOMER, None),
        (b"\x83" + TYPE_AND_CUSTOMER + b"\xa4type\xa1t", Code.DUPLICATE_KEY),
        (b"\x83" + TYPE_AND_CUSTOMER + b"\xa1x\xa1t", Code.UNKNOWN_FIELD),
        (b"\x83" + TYPE_AND_CUSTOMER + b"\xaaproperties\x82\xa1a\x01\xa1a\x01", Code.DUPLICATE_KEY),
        (b"\x83" + TYPE_AND_CUSTOMER + b"\xaaproperties\x81\xa1a\x90", Code.NESTED_PROPERTY),
        (b"\x83" + TYPE_AND_CUSTOMER + b"\xaaproperties\x81\xa1a\xc4\x01x", Code.INVALID_PROPERTIES),
        (b"\x83" + TYPE_AND_CUSTOMER + b"\xaaproperties\x81\xa1a\xcb\x7f\xf8\0\0\0\0\0\0", Code.INVALID_PROPERTIES),
        (b"\x83" + TYPE_AND_CUSTOMER + b"\xaaproperties\x81\x01\x01", Code.INVALID_EVENT),
        (b"\x83" + TYPE_AND_CUSTOMER + b"\xa5value\xcb\x7f\xf0\0\0\0\0\0\0", Code.INVALID_VALUE),
        (b"\x83" + TYPE_AND_CUSTOMER + b"\xa5value\xcb\x7f\xe0\0\0\0\0\0\0", Code.VALUE_OUT_OF_RANGE),
        (b"\x83" + TYPE_AND_CUSTOMER + b"\xa2id\xa1\xff", Code.INVALID_ENCODING),
        (b"\x83" + TYPE_AND_CUSTOMER + b"\xa2id\xa1\0", Code.INVALID_ID),
        (b"\x83" + TYPE_AND_CUSTOMER + b"\xa2id\xa2a\0", Code.INVALID_ID),
        (b"\x83" + TYPE_AND_CUSTOMER + b"\xaaproperties" + b"\x81\xa1a" * 40 + b"\x01", Code.TOO_DEEP),
        (b"\x01", Code.INVALID_EVENT),
    ],
)
def test_a_bad_event_in_messagepack_is_refused_and_its_neighbours_live(element: bytes, code: Code | None) -> None:
    good = b"\x82" + TYPE_AND_CUSTOMER
    batch = decode(b"\x93" + good + element + good, MSGPACK)
    assert {0, 2} <= {row.place for row in rows_of(batch)}
    assert [entry.rejected.code for entry in batch.rejected] == ([] if code is None else [code])
    assert batch.media_type == MSGPACK


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        (b"\xd6\xff\x00\x00\x00\x01", "1970-01-01T00:00:01Z"),
        (b"\xd7\xff" + ((5 << 34) | 1).to_bytes(8), "1970-01-01T00:00:01.000000005Z"),
        (b"\xc7\x0c\xff" + (7).to_bytes(4) + (1).to_bytes(8), "1970-01-01T00:00:01.000000007Z"),
        (b"\xcd\x03\xe8", "1970-01-01T00:00:01Z"),
    ],
)
def test_messagepack_timestamps_are_kept_to_the_nanosecond(time: bytes, expected: str) -> None:
    row = one(b"\x83" + TYPE_AND_CUSTOMER + b"\xa4time" + time, MSGPACK)
    assert row.time == parse_instant(expected)


def test_a_float_of_messagepack_is_the_shortest_decimal_that_names_it() -> None:
    row = one(msgspec.msgpack.encode({"type": "t", "customer": "c", "value": 0.1, "properties": {"a": 1e3}}), MSGPACK)
    assert (row.value, row.properties) == ("0.1", b'{"a":1000}')


CLOUD = {"specversion": "1.0", "id": "x", "source": "s", "type": "t", "subject": "c"}


def test_a_cloud_event_is_an_event() -> None:
    row = one(
        {**CLOUD, "time": "2026-11-01T10:00:00Z", "data": {"region": "eu", "usage": {"in": 3, "out": {"x": 1}}}},
        CLOUD_EVENT,
    )
    assert (row.source, row.id, row.type, row.customer, row.value) == ("s", "x", "t", "c", "1")
    assert row.properties == b'{"region":"eu","usage.in":3,"usage.out.x":1}'


@pytest.mark.parametrize(
    ("data", "value", "canonical"),
    [
        ({"value": 2.50}, "2.5", b'{"value":2.5}'),
        ({"value": 2}, "2", b'{"value":2}'),
        ({"value": "2.50"}, "2.5", b'{"value":"2.50"}'),
        ({"value": "two"}, "1", b'{"value":"two"}'),
        ({"value": "1e400"}, "1", b'{"value":"1e400"}'),
        ({"value": True}, "1", b'{"value":true}'),
        ({"value": None, "a": {}}, "1", b"{}"),
        ({"value": {"in": 3}}, "1", b'{"value.in":3}'),
        (None, "1", b"{}"),
    ],
)
def test_the_value_in_the_data_of_a_cloud_event_is_also_its_value(data: object, value: str, canonical: bytes) -> None:
    alone = one({**CLOUD, "data": data}, CLOUD_EVENT)
    assert (alone.value, alone.properties) == (value, canonical)
    # Among many, through the fast path or next to what keeps it from being taken.
    batch = decode(json.dumps([{**CLOUD, "data": data}] * 20 + [{**CLOUD, "data": {"a": [1]}}]), CLOUD_EVENTS)
    assert {(row.value, row.properties) for row in rows_of(batch)} == {(value, canonical)}
    assert len(batch) == 20


@pytest.mark.parametrize(
    ("event", "code"),
    [
        ({**CLOUD, "specversion": "0.3"}, Code.INVALID_EVENT),
        ({**CLOUD, "specversion": 1.0}, Code.INVALID_EVENT),
        ({name: value for name, value in CLOUD.items() if name != "specversion"}, Code.INVALID_EVENT),
        ({**CLOUD, "subject": None}, Code.MISSING_CUSTOMER),
        ({**CLOUD, "subject": ""}, Code.INVALID_CUSTOMER),
        ({**CLOUD, "type": None}, Code.MISSING_TYPE),
        ({**CLOUD, "id": None}, Code.INVALID_ID),
        ({**CLOUD, "source": ""}, Code.INVALID_SOURCE),
        ({**CLOUD, "time": "noon"}, Code.INVALID_TIME),
        ({**CLOUD, "data": [1]}, Code.INVALID_PROPERTIES),
        ({**CLOUD, "data": "text"}, Code.INVALID_PROPERTIES),
        ({**CLOUD, "data": {"a": [1]}}, Code.NESTED_PROPERTY),
        ({**CLOUD, "data": {"a.b": 1, "a": {"b": 2}}}, Code.DUPLICATE_KEY),
        ({**CLOUD, "data": {"value": 1e30}}, Code.VALUE_OUT_OF_RANGE),
        ({**CLOUD, "data_base64": "AAAA"}, Code.INVALID_PROPERTIES),
        ({**CLOUD, "datacontenttype": "text/plain"}, Code.INVALID_PROPERTIES),
        (5, Code.INVALID_EVENT),
    ],
    ids=str,
)
def test_a_bad_cloud_event_is_refused_and_its_neighbours_live(event: object, code: Code) -> None:
    assert refusal(event, CLOUD_EVENTS) == code


def test_what_tracing_adds_to_a_cloud_event_is_no_part_of_it() -> None:
    traced = {
        **CLOUD,
        "traceparent": "00-1",
        "dataschema": "https://example.com/s",
        "datacontenttype": "application/json; charset=utf-8",
    }
    assert one(traced, CLOUD_EVENT) == one(CLOUD, CLOUD_EVENT)
    assert one({**CLOUD, "datacontenttype": "application/json", "dataschema": None}, CLOUD_EVENT) == one(
        CLOUD, CLOUD_EVENT
    )


@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        ("application/json; charset=utf-8", '{"type":"t","customer":"c"}'),
        ('Application/JSON;charset="UTF-8"', '{"type":"t","customer":"c"}'),
        ("application/jsonl", '{"type":"t","customer":"c"}\n'),
        ("application/x-ndjson ; charset=utf-8", '{"type":"t","customer":"c"}\n'),
        ("application/json", '\ufeff{"type":"t","customer":"c"}'),
    ],
)
def test_media_types_may_carry_what_they_usually_carry(media_type: str, body: str) -> None:
    assert len(decode(body, media_type)) == 1


@pytest.mark.parametrize(
    "media_type", ["", "text/plain", "application/xml", "application/json; charset=latin-1", "json", "\r\n"]
)
def test_other_media_types_are_refused(media_type: str) -> None:
    with pytest.raises(UnknownMediaType, match="application/x-ndjson"):
        decode("{}", media_type)


def test_what_the_quarantine_is_told_about_the_bytes_is_what_one_event_is_written_in() -> None:
    assert decode('{"type":"t"}\n{"type":"t","customer":"c"}', LINES).media_type == JSON
    assert decode("[{}]", CLOUD_EVENTS).media_type == CLOUD_EVENT
