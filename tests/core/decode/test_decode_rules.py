"""The rules of an event, one by one: what is taken, what is refused and with which code."""

from __future__ import annotations

import json

import pytest

from tallystick.instant import NS_PER_HOUR, parse_instant
from tallystick.rejection import Code
from tests.core.decode.decoding import JSON, RECEIVED_AT, decode, one, refusal, rows_of, with_fields


def test_an_event_of_every_field_is_taken_as_it_was_sent() -> None:
    row = one(
        {
            "id": "01J",
            "type": "api_call",
            "customer": "acme",
            "time": "2026-11-01T10:00:00.123Z",
            "value": 1.5,
            "properties": {"region": "eu", "tokens": 812, "cached": True},
            "source": "gateway-1",
        }
    )
    assert row[1:] == (
        "gateway-1",
        "01J",
        "api_call",
        "acme",
        parse_instant("2026-11-01T10:00:00.123Z"),
        True,
        "1.5",
        b'{"cached":true,"region":"eu","tokens":812}',
    )


def test_what_is_left_out_has_its_default() -> None:
    row = one({"type": "t", "customer": "c"})
    assert (row.source, row.time, row.is_timed, row.value, row.properties) == ("", RECEIVED_AT, False, "1", b"{}")


def test_null_in_an_optional_field_is_the_same_as_leaving_it_out() -> None:
    bare = one({"id": "x", "type": "t", "customer": "c"})
    nulls = dict.fromkeys(("time", "value", "properties", "source"))
    assert one(with_fields(**nulls)) == bare
    assert len(one({"type": "t", "customer": "c", "id": None}).id) == 32


def test_a_property_that_is_null_is_no_property() -> None:
    assert one(with_fields(properties={"a": None, "b": 1})).properties == b'{"b":1}'


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"type": None}, Code.MISSING_TYPE),
        ({"customer": None}, Code.MISSING_CUSTOMER),
        ({"type": ""}, Code.INVALID_TYPE),
        ({"type": "t" * 129}, Code.INVALID_TYPE),
        ({"type": 5}, Code.INVALID_TYPE),
        ({"type": "a\0b"}, Code.INVALID_TYPE),
        ({"customer": ""}, Code.INVALID_CUSTOMER),
        ({"customer": "c" * 257}, Code.INVALID_CUSTOMER),
        ({"customer": ["c"]}, Code.INVALID_CUSTOMER),
        ({"id": ""}, Code.INVALID_ID),
        ({"id": "i" * 300}, Code.INVALID_ID),
        ({"id": 17}, Code.INVALID_ID),
        ({"id": "\0"}, Code.INVALID_ID),
        ({"source": "s" * 257}, Code.INVALID_SOURCE),
        ({"source": {}}, Code.INVALID_SOURCE),
        ({"time": "yesterday"}, Code.INVALID_TIME),
        ({"time": "2026-11-01T10:00:00"}, Code.INVALID_TIME),
        ({"time": "2026-02-30T10:00:00Z"}, Code.INVALID_TIME),
        ({"time": "1969-12-31T23:59:59Z"}, Code.INVALID_TIME),
        ({"time": -1}, Code.INVALID_TIME),
        ({"time": True}, Code.INVALID_TIME),
        ({"time": 1.5}, Code.INVALID_TIME),
        ({"time": "1793527200000"}, Code.INVALID_TIME),
        ({"time": "2026-11-01T13:00:00.000000001Z"}, Code.TIME_IN_FUTURE),
        ({"time": "9999-12-31T23:59:59Z"}, Code.TIME_IN_FUTURE),
        ({"time": 10**30}, Code.TIME_IN_FUTURE),
        ({"value": True}, Code.INVALID_VALUE),
        ({"value": "1_000"}, Code.INVALID_VALUE),
        ({"value": " 1"}, Code.INVALID_VALUE),
        ({"value": "NaN"}, Code.INVALID_VALUE),
        ({"value": "\u0661"}, Code.INVALID_VALUE),
        ({"value": ""}, Code.INVALID_VALUE),
        ({"value": [1]}, Code.INVALID_VALUE),
        ({"value": "1e400"}, Code.VALUE_OUT_OF_RANGE),
        ({"value": "1e999999999"}, Code.VALUE_OUT_OF_RANGE),
        ({"value": 10**26}, Code.VALUE_OUT_OF_RANGE),
        ({"value": -(10**26)}, Code.VALUE_OUT_OF_RANGE),
        ({"properties": []}, Code.INVALID_PROPERTIES),
        ({"properties": "a"}, Code.INVALID_PROPERTIES),
        ({"properties": {"": 1}}, Code.INVALID_PROPERTIES),
        ({"properties": {"n" * 257: 1}}, Code.INVALID_PROPERTIES),
        ({"properties": {"n": "x" * 8_193}}, Code.INVALID_PROPERTIES),
        ({"properties": {"n": "a\0"}}, Code.INVALID_PROPERTIES),
        ({"properties": {"a\0": "n"}}, Code.INVALID_PROPERTIES),
        ({"properties": {"n": {}}}, Code.NESTED_PROPERTY),
        ({"properties": {"n": [1]}}, Code.NESTED_PROPERTY),
        ({"properties": {"n": 10**26}}, Code.VALUE_OUT_OF_RANGE),
        ({"properties": {f"n{n}": n for n in range(129)}}, Code.TOO_MANY_PROPERTIES),
        ({"colour": "red"}, Code.UNKNOWN_FIELD),
    ],
    ids=str,
)
def test_a_field_that_breaks_its_rule_is_refused_and_its_neighbours_live(fields: dict[str, object], code: Code) -> None:
    assert refusal(with_fields(**fields)) == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('{"customer":"c"}', Code.MISSING_TYPE),
        ('{"type":"t"}', Code.MISSING_CUSTOMER),
        ("{}", Code.MISSING_TYPE),
        ("5", Code.INVALID_EVENT),
        ("null", Code.INVALID_EVENT),
        ('"text"', Code.INVALID_EVENT),
        ("[]", Code.INVALID_EVENT),
        ('{"type":"t","customer":"c","value":NaN}', Code.INVALID_JSON),
        ('{"type":"t","customer":"c","value":-Infinity}', Code.INVALID_JSON),
        ('{"type":"t","customer":"c","properties":{"a":Infinity}}', Code.INVALID_JSON),
        ('{"type":"t","customer":"c","value":1e400}', Code.VALUE_OUT_OF_RANGE),
        ('{"type":"t","customer":"c","value":1e999999999}', Code.VALUE_OUT_OF_RANGE),
        ('{"type":"t","customer":"c","properties":{"a":1e400}}', Code.VALUE_OUT_OF_RANGE),
        ('{"type":"t","customer":"c","value":01}', Code.INVALID_JSON),
        ('{"type":"t","customer":"c",}', Code.INVALID_JSON),
        ("{'type':'t'}", Code.INVALID_JSON),
        ("", Code.INVALID_JSON),
        ('{"type":"t","type":"t","customer":"c"}', Code.DUPLICATE_KEY),
        ('{"type":"t","customer":"c","properties":{"a":1,"a":1}}', Code.DUPLICATE_KEY),
        ('{"type":"t","customer":"c","properties":{"a":1,"\\u0061":1}}', Code.DUPLICATE_KEY),
        ('{"type":"t","t\\u0079pe":"t","customer":"c"}', Code.DUPLICATE_KEY),
        ('{"type":"t","customer":"c","properties":{},"properties":{}}', Code.DUPLICATE_KEY),
        ('{"type":"t","customer":"\\ud800"}', Code.INVALID_ENCODING),
        ('{"type":"t","customer":"c","properties":{"a":"\\udfff x"}}', Code.INVALID_ENCODING),
        ('{"type":"t","customer":"c","properties":{"\\ud800":1}}', Code.INVALID_ENCODING),
        ('{"type":"t","customer":"c","properties":' + '{"a":' * 10_000 + "1" + "}" * 10_001, Code.TOO_DEEP),
        ('{"type":"t","customer":"c","properties":{"a":' + "[" * 10_000 + "]" * 10_000 + "}}", Code.TOO_DEEP),
        ('{"type":"t","customer":"c","properties":{"a":' + "[" * 20 + "]" * 20 + "}}", Code.NESTED_PROPERTY),
    ],
    ids=lambda value: str(value)[:60],
)
def test_json_that_cannot_be_taken_is_refused_and_its_neighbours_live(text: str, code: Code) -> None:
    assert refusal(text) == code


@pytest.mark.parametrize(
    "raw",
    [
        b'{"type":"t","customer":"\xff"}',
        b'{"type":"t","customer":"c","properties":{"a":"\xed\xa0\x80"}}',
        b'{"type":"t","customer":"c","properties":{"\xc3":1}}',
        b'{"type":"t","customer":"c","\xff":1}',
        b'{"type":"t","customer":"c","value":"\xff"}',
    ],
)
def test_bytes_that_are_not_utf_8_are_refused_and_their_neighbours_live(raw: bytes) -> None:
    assert refusal(raw) == Code.INVALID_ENCODING


def test_the_longest_texts_are_taken() -> None:
    row = one(
        {
            "id": "🦀" * 256,
            "type": "ü" * 128,
            "customer": "c" * 256,
            "source": "s" * 256,
            "properties": {"n" * 256: "x" * 8_192} | {f"n{n}": n for n in range(127)},
        }
    )
    assert (len(row.id), len(row.type), len(row.customer), len(row.source)) == (256, 128, 256, 256)
    assert len(json.loads(row.properties)) == 128


@pytest.mark.parametrize(
    ("sent", "canonical"),
    [
        ("1", "1"),
        ("1.0", "1"),
        ('"1"', "1"),
        ("1e2", "100"),
        ("-0", "0"),
        ("-0.0", "0"),
        ("0.30000000000000004", "0.3"),
        ("1e-13", "0"),
        ("0.0000000000005", "0"),
        ("0.0000000000015", "0.000000000002"),
        ("9" * 26 + ".5", "9" * 26 + ".5"),
        ('"' + "9" * 26 + ".123456789012" + '"', "9" * 26 + ".123456789012"),
        ("null", "1"),
    ],
)
def test_a_value_is_kept_exactly_in_canonical_spelling(sent: str, canonical: str) -> None:
    assert one(f'{{"type":"t","customer":"c","value":{sent}}}').value == canonical


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ('"2026-11-01T10:00:00Z"', "2026-11-01T10:00:00Z"),
        ('"2026-11-01t10:00:00z"', "2026-11-01T10:00:00Z"),
        ('"2026-11-01 10:00:00Z"', "2026-11-01T10:00:00Z"),
        ('"2026-11-01T12:00:00.123456789+02:00"', "2026-11-01T10:00:00.123456789Z"),
        ('"2026-11-01T10:00:00.1234567899Z"', "2026-11-01T10:00:00.123456789Z"),
        ("1793527200123", "2026-11-01T10:00:00.123Z"),
        ("1793527200123.0", "2026-11-01T10:00:00.123Z"),
        ("1.793527200123e12", "2026-11-01T10:00:00.123Z"),
        ("0", "1970-01-01T00:00:00Z"),
    ],
)
def test_a_time_is_kept_to_the_nanosecond_whatever_its_spelling(sent: str, expected: str) -> None:
    row = one(f'{{"type":"t","customer":"c","time":{sent}}}')
    assert row.time == parse_instant(expected)
    assert row.is_timed


def test_a_time_an_hour_ahead_is_the_last_one_taken() -> None:
    assert one(with_fields(time="2026-11-01T13:00:00Z")).time == RECEIVED_AT + NS_PER_HOUR


def test_a_rejection_carries_the_id_if_it_could_be_read() -> None:
    batch = decode('[{"id":"seen","type":""},{"id":"\\ud800","type":"t"},{"id":5},{"type":"t"},7]')
    assert [entry.rejected.id for entry in batch.rejected] == ["seen", None, None, None, None]


def test_a_rejection_says_what_was_wrong_and_where() -> None:
    batch = decode(
        '[{"type":"t","customer":"c","properties":{"tokens":NaN}},'
        '{"type":"t","customer":"c","time":"noon"},'
        '{"type":"t","customer":"c","properties":{"tags":["a"]}}]'
    )
    assert [entry.rejected.detail for entry in batch.rejected] == [
        "properties.tokens: NaN is not JSON; leave the field out, or send a number",
        "time: 'noon' is not an RFC 3339 time with a zone, such as 2026-11-01T10:00:00.123Z",
        "properties.tags: must be text, a number or a boolean, not an array",
    ]


def test_what_the_quarantine_keeps_of_an_event_is_bounded() -> None:
    text = '{"type":"t","customer":"c","properties":{"n":"' + "x" * 200_000 + '"}}'
    (entry,) = decode(text).rejected
    assert len(entry.raw) == 65_536


def test_events_without_an_id_get_one_from_their_content_or_at_random() -> None:
    timed = {"type": "t", "customer": "c", "time": "2026-11-01T10:00:00Z"}
    untimed = {"type": "t", "customer": "c"}
    batch = decode(json.dumps([timed, untimed, timed, untimed, {**timed, "value": 2}, {**timed, "source": "s"}]))
    ids = [row.id for row in rows_of(batch)]
    assert ids[0] == ids[2]
    assert len(set(ids)) == 5
    assert all(len(event_id) == 32 for event_id in ids)


def test_a_batch_knows_its_request() -> None:
    body = b'[{"type":"t","customer":"c"}]'
    batch = decode(body)
    assert (batch.received_at, batch.decoded_bytes, batch.media_type) == (RECEIVED_AT, len(body), JSON)
