"""The compiled reader is the rules, only faster: what it answers they answer, and at any doubt it answers nothing."""

from __future__ import annotations

import json
from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tallystick.decode import DecodeLimits
from tallystick.decode import decode as decode_module
from tallystick.decode.fast_columns import Moment
from tallystick.decode.native_form import NativeForm, read_natively
from tallystick.event_batch import EventBatch
from tallystick.packed_events import PackedEvents
from tests.core.decode.decoding import JSON, LIMITS, LINES, RECEIVED_AT, Row, decode, rows_of
from tests.core.decode.odd_events import event_text, expected, requests, row_of

MOMENT = Moment(received_at=RECEIVED_AT, latest=RECEIVED_AT + LIMITS.future_ns_max)
FORMS = ((NativeForm.JSON, JSON), (NativeForm.LINES, LINES))
SURROGATE_PAIR = "\\ud83d\\ude00"


@pytest.fixture(autouse=True)
def _natively(native_library: None) -> None:
    """Nothing here means anything without the library."""


def read(body: bytes, form: NativeForm = NativeForm.JSON) -> list[Row] | None:
    events = read_natively(body, form, limits=LIMITS, moment=MOMENT)
    return None if events is None else rows_of(batch_of(events))


def batch_of(events: PackedEvents) -> EventBatch:
    return EventBatch(received_at=RECEIVED_AT, indexes=range(events.rows), columns=events, rejected=[])


def _read_nothing(*_arguments: object, **_named: object) -> None:
    """Stand in for the library where it is not."""


def by_the_rules(body: bytes, media_type: str, limits: DecodeLimits = LIMITS) -> list[Row] | None:
    """Return the rows if every event is valid, by the slower paths alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decode_module, "read_natively", _read_nothing)
        try:
            batch = decode(body, media_type, limits)
        except ValueError:
            return None
    return None if batch.rejected else rows_of(batch)


def agrees(body: bytes) -> None:
    for form, media_type in FORMS:
        rows = read(body, form)
        if rows is not None:
            assert rows == by_the_rules(body, media_type)


def with_field(name: str, json_text: str) -> bytes:
    return b'{"id":"x","type":"t","customer":"c","%b":%b}' % (name.encode(), json_text.encode("utf-8", "surrogatepass"))


@settings(max_examples=150, deadline=None)
@given(events=requests())
def test_what_is_read_natively_is_what_the_rules_say(events: list[str]) -> None:
    taken, refused = expected(events)
    for body, form in (("[" + ",".join(events) + "]", NativeForm.JSON), ("\n".join(events), NativeForm.LINES)):
        rows = read(body.encode(), form)
        if rows is not None:
            assert not refused
            assert rows == [row_of(index, event, event.id or "") for index, event in taken]


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), count=st.sampled_from((1, 2, 50)))
def test_ordinary_requests_are_read_natively(seed: int, count: int) -> None:
    random = Random(seed)
    events = [event_text(random, 0.0) for _ in range(count)]
    events = [event if '"id"' in event else '{"id":"i",' + event[1:].lstrip() for event in events]
    assert read(("[" + ",".join(events) + "]").encode()) is not None
    assert read("\n".join(events).encode(), NativeForm.LINES) is not None
    assert read(events[0].encode()) is not None


@settings(max_examples=300, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_a_mutated_body_is_read_as_the_rules_read_it(seed: int) -> None:
    random = Random(seed)
    events = [event_text(random, 0.05) for _ in range(random.choice((1, 1, 2, 5)))]
    body = bytearray(random.choice(("[" + ",".join(events) + "]", "\n".join(events), events[0])).encode())
    for _ in range(random.choice((1, 1, 2, 4))):
        place = random.randrange(len(body) + 1)
        match random.randrange(4):
            case 0:
                body[place : place + 1] = bytes([random.randrange(256)])
            case 1:
                body[place : place + random.randrange(1, 9)] = b""
            case 2:
                body[place:place] = random.choice(
                    (b'"', b"\\", b",", b":", b"{", b"}", b"[", b"]", b"\n", b"0", b"e", b"\xc3")
                )
            case _:
                start = random.randrange(len(body) + 1)
                body[place:place] = body[start : start + random.randrange(1, 40)]
    agrees(bytes(body))


def test_every_beginning_of_a_body_is_read_as_the_rules_read_it() -> None:
    event = b'{"id":"\\u00fc\xc3\xbc","type":"t","customer":"c","time":"2026-11-01T10:00:00Z","value":-1.5e1,"properties":@}'
    body = b"[%b]" % event.replace(b"@", b'{"b":"\\n","a":true}')
    for end in range(len(body)):
        assert read(body[:end]) is None
    assert read(body) == by_the_rules(body, JSON) is not None


digits = st.text("0123456789", max_size=30)
number_texts = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(("", "-", "+", "--")),
    digits,
    st.one_of(st.just(""), st.just("."), digits.map(lambda text: "." + text)),
    st.one_of(
        st.just(""),
        st.builds(
            "{}{}{}".format, st.sampled_from("eE"), st.sampled_from(("", "+", "-")), st.text("0123456789", max_size=3)
        ),
    ),
)


@settings(max_examples=600, deadline=None)
@given(number=st.one_of(number_texts, st.floats(allow_nan=False).map(repr), st.integers().map(str)))
@example("99999999999999999999999999.9999999999995")
@example("99999999999999999999999999.9999999999994")
@example("0.0000000000005")
@example("0.0000000000015")
@example("-0.0000000000025")
@example("0.00000000000050")
@example("0.000000000000500001")
@example("-0")
@example("-0.0e5")
@example("1e25")
@example("1e26")
@example("123456e-18")
@example("0e999")
def test_amounts_are_the_rules_amounts(number: str) -> None:
    for text in (number, f'"{number}"'):
        agrees(with_field("value", text))
    agrees(with_field("properties", '{"n":' + number + "}"))
    agrees(with_field("time", number))


def test_usual_amounts_are_no_doubt() -> None:
    for number in (
        "0.1",
        "-12.50",
        "1e3",
        "1E-7",
        "2.5e+2",
        "0.30000000000000004",
        "12345678901234567890123456.123456789012",
        "-0",
    ):
        assert read(with_field("value", number)) is not None
        assert read(with_field("properties", '{"n":' + number + "}")) is not None


time_texts = st.builds(
    "{}-{:02d}-{:02d}{}{:02d}:{:02d}:{:02d}{}{}".format,
    st.sampled_from(("1969", "1970", "2000", "2024", "2026", "2100", "2261", "2262", "9999")),
    st.integers(0, 13),
    st.integers(0, 32),
    st.sampled_from("Tt X"),
    st.integers(0, 24),
    st.integers(0, 60),
    st.integers(0, 61),
    st.one_of(st.just(""), st.text("0123456789", max_size=12).map(lambda text: "." + text)),
    st.sampled_from(("Z", "z", "", "+00:00", "-00:00", "+02:00", "-23:59", "+24:00", "+01:60", "+1:00", "Z ")),
)


@settings(max_examples=600, deadline=None)
@given(time=time_texts)
def test_instants_are_the_rules_instants(time: str) -> None:
    # Whatever the year, the time is not too far ahead.
    limits = DecodeLimits(future_ns_max=2**62)
    moment = Moment(received_at=RECEIVED_AT, latest=RECEIVED_AT + limits.future_ns_max)
    body = with_field("time", json.dumps(time))
    events = read_natively(body, NativeForm.JSON, limits=limits, moment=moment)
    if events is not None:
        assert rows_of(batch_of(events)) == by_the_rules(body, JSON, limits)


texts = st.text(st.characters(), max_size=40)


def spelled(text: str, random: Random) -> str:
    """Return the text as JSON, each character written in one of the ways there are."""
    return '"' + "".join(_spelled_character(character, random) for character in text) + '"'


def _spelled_character(character: str, random: Random) -> str:
    plain = character if character not in '"\\' and character >= " " else json.dumps(character)[1:-1]
    if random.random() < 0.7:
        return plain
    return "".join(f"\\u{unit:04x}" for unit in memoryview(character.encode("utf-16-le", "surrogatepass")).cast("H"))


@settings(max_examples=400, deadline=None)
@given(text=texts, other=texts, seed=st.integers(0, 2**32))
def test_texts_and_properties_are_the_rules_texts(text: str, other: str, seed: int) -> None:
    random = Random(seed)
    for name in ("id", "source"):
        agrees(
            b'{"type":"t","customer":"c",'
            + with_field(name, spelled(text, random))[len('{"id":"x","type":"t","customer":"c",') :]
        )
    agrees(with_field("source", spelled(text, random)))
    members = [
        f"{spelled(name, random)}:{spelled(value, random)}"
        for name, value in ((text, other), (other, text), ("m", other))
    ]
    agrees(with_field("properties", "{" + ",".join(members) + "}"))


@pytest.mark.parametrize(
    "bytes_in_text",
    [
        b"\xc0\x80", b"\xc1\xbf", b"\xe0\x80\x80", b"\xe0\x9f\xbf", b"\xed\xa0\x80", b"\xed\xbf\xbf", b"\xf0\x80\x80\x80",
        b"\xf0\x8f\xbf\xbf", b"\xf4\x90\x80\x80", b"\xf5\x80\x80\x80", b"\xff", b"\x80", b"\xc3", b"\xe2\x82", b"\xf0\x9f\xa6",
        b"\x00", b"\x1f", b"\n", b"\\u0000", b"\\ud800", b"\\udc00\\ud800", b"\\ud800\\u0041", b"\\x", b"\\u12g4",
    ],
)  # fmt: skip
def test_a_text_that_is_none_is_a_doubt(bytes_in_text: bytes) -> None:
    for filler in (b"", b"abcdefgh" * 3):
        text = b'"' + filler + bytes_in_text + filler + b'"'
        for name in (b"id", b"customer", b"source", b"time", b"value"):
            event = {b"id": b'"i"', b"type": b'"t"', b"customer": b'"c"', name: text}
            assert read(b"{" + b",".join(b'"%b":%b' % pair for pair in event.items()) + b"}") is None
        assert read(b'{"id":"i","type":"t","customer":"c","properties":{"n":%b}}' % text) is None
        assert read(b'{"id":"i","type":"t","customer":"c","properties":{%b:1}}' % text) is None


def test_lengths_count_characters() -> None:
    for character, spelling in (("x", "x"), ("ü", "ü"), ("🦀", "🦀"), ("😀", SURROGATE_PAIR)):
        for name, most in (("type", 128), ("customer", 256), ("id", 256), ("source", 256)):
            fields = {"id": "i", "type": "t", "customer": "c", name: "@"}
            template = json.dumps(fields, ensure_ascii=False)
            assert read(template.replace("@", spelling * most).encode()) == by_the_rules(
                template.replace("@", character * most).encode(), JSON
            )
            assert read(template.replace("@", spelling * (most + 1)).encode()) is None


def test_properties_are_sorted_and_bounded() -> None:
    names = [f"n{number:03d}" for number in range(128)]
    for order in (names, names[::-1], sorted(names, key=lambda name: name[::-1])):
        body = with_field("properties", "{" + ",".join(f'"{name}":1' for name in order) + "}")
        assert read(body) == by_the_rules(body, JSON) is not None
    assert read(with_field("properties", "{" + ",".join(f'"n{number}":1' for number in range(129)) + "}")) is None
    nulls = with_field("properties", "{" + ",".join(f'"{name}":1,"{name}-":null' for name in names[:90]) + "}")
    assert read(nulls) == by_the_rules(nulls, JSON) is not None
    for limit, spelling in ((256, '{{"{}":1}}'), (8_192, '{{"n":"{}"}}')):
        assert read(with_field("properties", spelling.format("x" * limit))) is not None
        assert read(with_field("properties", spelling.format("x" * (limit + 1)))) is None


def test_a_body_of_nothing_but_exponents_is_a_doubt_rather_than_too_long() -> None:
    numbers = ",".join(f'"{number:02d}":1e25' for number in range(100))
    agrees(
        ("[" + ",".join([f'{{"id":"i","type":"t","customer":"c","properties":{{{numbers}}}}}'] * 200) + "]").encode()
    )


def test_more_events_than_allowed_are_a_doubt() -> None:
    event = b'{"id":"a","type":"b","customer":"c"}'
    assert len(read(b"[" + b",".join([event] * 10_000) + b"]") or ()) == 10_000
    assert read(b"[" + b",".join([event] * 10_001) + b"]") is None
    assert len(read(b"\n".join([event] * 10_000), NativeForm.LINES) or ()) == 10_000
    assert read(b"\n".join([event] * 10_001), NativeForm.LINES) is None


def test_an_event_a_line_spans_no_lines_and_shares_none() -> None:
    event = b'{"id":"a","type":"b","customer":"c"}'
    assert read(b"\n\n " + event + b" \r\n\t\n" + event + b"\n\n", NativeForm.LINES) is not None
    for body in (
        event + b" " + event,
        event.replace(b",", b",\n"),
        b"[" + event + b"]",
        event + b"\x0b\n" + event,
        b"",
        b"\n",
    ):
        assert read(body, NativeForm.LINES) is None
    for body in (
        event + event,
        event + b"\n" + event,
        b"[" + event,
        b"[" + event + b",]",
        b"[]",
        b"",
        b"[[" + event + b"]]",
    ):
        assert read(body) is None
