"""A statement has one spelling, and every byte of it matters."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.event_columns import EventColumns, property_texts
from tallystick.instant import Instant, format_instant
from tallystick.meter import Meter
from tallystick.statement.leaf import leaf_hashes
from tallystick.statement.listed_events import listed_batch
from tallystick.statement.statement import (
    FORMAT,
    InvalidStatement,
    StatedDefinition,
    StatedMeter,
    StatedTotal,
    Statement,
    decode_statement,
    encode_statement,
    stated_definition,
)

METER = Meter(
    key="tokens", name="Tokens", event_type="call", aggregation="sum", filter={"b": ("x",), "a": ("y", "z")}, version=3
)
STATEMENT = Statement(
    format=FORMAT,
    customer="spät/acme",
    start="2026-10-01T00:00:00Z",
    end="2026-11-01T00:00:00Z",
    timezone="UTC",
    window="total",
    as_of=17,
    block=4,
    block_hash="ab" * 32,
    written_at="2026-11-02T03:04:05Z",
    events=2,
    merkle_root="cd" * 32,
    meters=(
        StatedMeter(
            key="tokens",
            version=3,
            position=5,
            definition=stated_definition(METER),
            windows=(),
            total=StatedTotal(msgspec.Raw(b"12345678901234567890123456.123456789012"), 2),
        ),
    ),
)


def test_a_statement_is_read_back_as_it_was_written() -> None:
    document = encode_statement(STATEMENT)
    read = decode_statement(document)
    assert encode_statement(read) == document
    assert decode_statement(document + b"\n") == read
    assert read.meters[0].definition.meter("tokens", 3) == METER


@settings(deadline=None)
@given(place=st.integers(0, 10_000), byte=st.integers(0, 255))
def test_no_byte_of_a_statement_can_be_changed(place: int, byte: int) -> None:
    document = bytearray(encode_statement(STATEMENT))
    place %= len(document)
    if document[place] == byte:
        return
    document[place] = byte
    with pytest.raises(InvalidStatement):
        decode_statement(bytes(document))


SPOILS: list[Callable[[bytes], bytes]] = [
    lambda document: document.replace(b'"as_of":17', b'"as_of": 17'),
    lambda document: document.replace(b'"events":2,', b'"events":2,"more":1,', 1),
    lambda document: b" " + document,
    lambda document: document[:-1],
    lambda document: msgspec.json.format(document, indent=2),
    lambda _document: b"",
    lambda _document: b"[]",
    lambda _document: b'{"format":"tallystick-statement-1"}',
]


@pytest.mark.parametrize("spoil", SPOILS)
def test_a_statement_that_is_spelled_otherwise_is_none(spoil: Callable[[bytes], bytes]) -> None:
    with pytest.raises(InvalidStatement):
        decode_statement(spoil(encode_statement(STATEMENT)))


def test_a_definition_holds_all_of_a_meter_that_moves_its_figures() -> None:
    left_out = {"key", "version", "dimensions", "created_at", "updated_at", "archived_at"}
    assert set(StatedDefinition.__struct_fields__) == set(Meter.__struct_fields__) - left_out


texts = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), min_size=1, max_size=20)
values = st.one_of(texts, st.booleans(), st.integers(-(10**20), 10**20))


@settings(deadline=None)
@given(
    event_id=texts,
    source=st.one_of(st.just(""), texts),
    customer=texts,
    time=st.integers(0, 10**18),
    properties=st.dictionaries(texts, values, max_size=5),
)
def test_a_leaf_is_the_same_from_the_log_and_from_a_list(
    event_id: str, source: str, customer: str, time: int, properties: dict[str, str | bool | int]
) -> None:
    columns = EventColumns(
        first_position=41,
        sources=[source],
        ids=[event_id],
        types=["call"],
        customers=[customer],
        times=np.array([time]),
        times_given=np.array([False]),
        received_at=np.array([0]),
        values=["1.5"],
        properties=[msgspec.json.encode(properties, order="sorted")],
    )
    listed = {
        "properties": properties,
        "value": 1.5,
        "time": format_instant(Instant(time)),
        "customer": customer,
        "type": "call",
        "id": event_id,
        "source": source,
        "position": 41,
        "received_at": "2026-10-01T00:00:00Z",
        "state": "counted",
    }
    events = listed_batch([msgspec.json.encode(listed)])
    assert leaf_hashes(events.events, [0], [41]) == leaf_hashes(columns, [0], [41])
    assert leaf_hashes(columns, [0], [42]) != leaf_hashes(columns, [0], [41])
    assert property_texts(events.events.properties[0]) == property_texts(columns.properties[0])


@pytest.mark.parametrize(
    "line",
    [
        b"{}",
        b'"x"',
        b'{"id":"a","source":"","type":"t","customer":"c","time":"2026-10-01T00:00:00Z","value":1,"properties":{}}',
        b'{"id":"a","source":"","type":"t","customer":"c","time":null,"value":1,"properties":{},"position":1}',
        b'{"id":"","source":"","type":"t","customer":"c","time":"2026-10-01T00:00:00Z","value":1,"properties":{},"position":1}',
        b"\xff",
    ],
)
def test_a_line_that_is_no_listed_event_is_named(line: bytes) -> None:
    with pytest.raises(InvalidStatement, match="line 7"):
        listed_batch([line], first_line=7)
