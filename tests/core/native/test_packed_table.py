"""Tables and segments made from packs are those made from lists."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from random import Random

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal, assert_series_equal

from tallystick.event import PropertyValue
from tallystick.event_columns import EventColumns, columns_of_pack
from tallystick.packed_events import packed_lists
from tallystick.segments.event_table import PROPERTIES, event_table, properties_of
from tallystick.segments.packed_table import EventParts, PackedProperties, parts_of, taken_apart
from tallystick.segments.property_texts import PropertyTexts
from tallystick.segments.segment_layout import lay_out
from tests.core.segments.recorded import Recorded, as_columns, recorded_events

NAMES = ("region", "tokens", "no one has it", "a\\b")


@pytest.fixture(autouse=True)
def _natively(native_library: None) -> None:
    """Nothing here means anything without the library."""


def packed(columns: EventColumns) -> EventColumns:
    pack = packed_lists(
        (columns.sources, columns.ids, columns.types, columns.customers, columns.values, columns.properties),
        times=columns.times,
        received_at=columns.received_at,
        times_given=columns.times_given,
    )
    return columns_of_pack(pack, first_position=columns.first_position)


def parts(events: list[EventColumns]) -> EventParts:
    found = parts_of(events)
    assert found is not None
    return found


def cut(events: list[EventColumns], random: Random) -> list[EventColumns]:
    """Return the same rows as pieces of packs, some of them empty."""
    pieces: list[EventColumns] = []
    for columns in map(packed, events):
        edges = sorted([0, len(columns), *(random.randint(0, len(columns)) for _ in range(2))])
        pieces += [columns.piece(start, end) for start, end in pairwise(edges)]
    return pieces


@settings(max_examples=150, deadline=None)
@given(events=recorded_events(), seed=st.integers(0, 2**32))
def test_a_table_of_packs_is_the_table_of_their_lists(events: list[Recorded], seed: int) -> None:
    lists = as_columns(events)
    pieces = cut(lists, Random(seed))
    assert_frame_equal(event_table(pieces), event_table(lists))
    assert_series_equal(properties_of(pieces), properties_of(lists))


@settings(max_examples=150, deadline=None)
@given(events=recorded_events().filter(len), seed=st.integers(0, 2**32))
def test_a_segment_of_packs_is_the_segment_of_their_lists(events: list[Recorded], seed: int) -> None:
    lists = as_columns(events)
    pieces = cut(lists, Random(seed))
    assert_frame_equal(lay_out(event_table(pieces), parts(pieces)), lay_out(event_table(lists)))


@settings(max_examples=150, deadline=None)
@given(events=recorded_events().filter(len), promoted=st.sets(st.sampled_from(NAMES)))
def test_properties_are_taken_apart_as_texts_are(events: list[Recorded], promoted: set[str]) -> None:
    pieces = [packed(columns) for columns in as_columns(events)]
    objects, found = taken_apart(parts(pieces), PROPERTIES)
    plain = PropertyTexts(objects.texts)
    weights = np.arange(1, len(objects.texts) + 1)
    assert found.name_counts(weights) == plain.name_counts(weights)
    assert_frame_equal(found.columns(NAMES), plain.columns(NAMES))
    assert_series_equal(found.rest(frozenset(promoted)), plain.rest(frozenset(promoted)))


def test_usual_properties_are_taken_apart_by_the_library() -> None:
    properties: dict[str, PropertyValue] = {"a": 'x"\\\n\x1fü', "b": True}
    event = Recorded(position=1, type="t", customer="c", time=1, value=Decimal(1), properties=properties)
    (events,) = as_columns([event])
    objects, found = taken_apart(parts([packed(events)]), PROPERTIES)
    assert isinstance(found, PackedProperties)
    assert found.columns(["a", "b"]).rows() == [('x"\\\n\x1fü', "true")]
    assert objects.codes.tolist() == [0]


@settings(max_examples=60, deadline=None)
@given(texts=st.lists(st.text(st.characters(exclude_categories=("Cs",)), max_size=300), min_size=1, max_size=50))
def test_distinct_texts_are_numbered_as_they_come(texts: list[str]) -> None:
    count = len(texts)
    instants = np.zeros(count, np.int64)
    pack = packed_lists(
        (texts, texts, texts, texts, ["1"] * count, [b"{}"] * count),
        times=instants,
        received_at=instants,
        times_given=np.ones(count, np.bool_),
    )
    found, first_rows = parts([columns_of_pack(pack)]).distinct("texts", 0)
    assert found.texts.to_list() == list(dict.fromkeys(texts))
    assert [found.texts[code] for code in found.codes.tolist()] == texts
    assert [texts[row] for row in first_rows.tolist()] == found.texts.to_list()


def test_many_distinct_texts_are_told_apart() -> None:
    texts = [f"customer-{number % 7_000}" for number in range(20_000)]
    instants = np.zeros(len(texts), np.int64)
    pack = packed_lists(
        (texts, texts, texts, texts, ["1"] * len(texts), [b"{}"] * len(texts)),
        times=instants,
        received_at=instants,
        times_given=np.ones(len(texts), np.bool_),
    )
    found, _ = parts([columns_of_pack(pack)]).distinct("texts", 3)
    assert len(found.texts) == 7_000
    assert found.texts.gather(found.codes).to_list() == texts


def test_columns_that_nobody_takes_over_are_freed() -> None:
    pack = packed_lists(
        (["s"], ["i"], ["t"], ["c"], ["1.5"], [b"{}"]),
        times=np.zeros(1, np.int64),
        received_at=np.zeros(1, np.int64),
        times_given=np.ones(1, np.bool_),
    )
    found = parts([columns_of_pack(pack)])
    assert found.values("value").to_list() == [pl.Series(["1.5"]).cast(pl.Decimal(38, 12))[0]]
    for _ in range(3):
        properties = taken_apart(found, PROPERTIES)[1]
        del properties
