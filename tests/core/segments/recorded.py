"""Events as plain values, and plain answers about them: what segments and the live tail are compared with."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import accumulate, pairwise

import msgspec
import numpy as np
import polars as pl
from hypothesis import strategies as st

from tallystick.amount import canonical_amount
from tallystick.event import PropertyValue, property_text
from tallystick.event_columns import EventColumns
from tallystick.instant import NS_PER_HOUR, NS_PER_MS

NOON = 1_793_534_400 * 1_000_000_000
NASTY_NAMES = (
    "",
    ":",
    ":a",
    "k,",
    '"',
    "\\",
    "{",
    "}",
    "ü",
    "p:region",
    "rest",
    "a b",
    "tab\tname",
    "n" * 70,
    "^x$",
    "*",
)
PLAIN_NAMES = ("region", "tokens", "a.b", "x-y", "_", "toke")


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """One event of the log, as far as questions know it."""

    position: int
    type: str
    customer: str
    time: int
    value: Decimal
    properties: dict[str, PropertyValue]


def amounts() -> st.SearchStrategy[Decimal]:
    digits = st.integers(-(10**38) + 1, 10**38 - 1).map(lambda digits: Decimal(f"{digits}E-12"))
    return st.one_of(
        st.integers(-100, 10_000).map(Decimal), st.sampled_from(["0.01", "-1.5", "1E-12"]).map(Decimal), digits
    )


def property_values() -> st.SearchStrategy[PropertyValue]:
    texts = st.text(max_size=6) | st.sampled_from(['"', "\\", "x,", "{", '","a":1', "true", "1.50", "", "null"])
    return st.one_of(texts, st.booleans(), amounts())


def property_sets() -> st.SearchStrategy[dict[str, PropertyValue]]:
    names = st.one_of(st.sampled_from(PLAIN_NAMES), st.sampled_from(NASTY_NAMES), st.text(max_size=4))
    return st.dictionaries(names, property_values(), max_size=5)


def times() -> st.SearchStrategy[int]:
    near_an_hour = st.integers(-3, 3).map(lambda hours: NOON + hours * NS_PER_HOUR)
    return st.one_of(
        near_an_hour,
        st.tuples(near_an_hour, st.integers(-2, 2)).map(sum),
        st.integers(-5_000, 5_000).map(lambda ms: NOON + ms * NS_PER_MS),
        st.integers(0, NOON),
    )


@st.composite
def recorded_events(draw: st.DrawFn, *, max_size: int = 40) -> list[Recorded]:
    """Events by position, with gaps between some of them, as voids and other entries of the log leave."""
    gaps = draw(st.lists(st.sampled_from([1, 1, 1, 2, 5_000]), min_size=0, max_size=max_size))
    few_properties = st.sampled_from(draw(st.lists(property_sets(), min_size=1, max_size=6)))
    return [
        Recorded(
            position=position,
            type=draw(st.sampled_from(["api_call", "completion", "ü"])),
            customer=draw(
                st.sampled_from(["acme", "acme ", "b", "ärger", "zoo\x00"]) | st.text(min_size=1, max_size=3)
            ),
            time=draw(times()),
            value=draw(amounts()),
            properties=draw(few_properties),
        )
        for position in accumulate(gaps)
    ]


def canonical_json(properties: dict[str, PropertyValue]) -> bytes:
    pairs = [msgspec.json.encode(name) + b":" + _json(value) for name, value in sorted(properties.items())]
    return b"{" + b",".join(pairs) + b"}"


def as_columns(events: Sequence[Recorded]) -> list[EventColumns]:
    """Return the events as columns, one for each run of consecutive positions."""
    edges = [
        0,
        *(index + 1 for index, (a, b) in enumerate(pairwise(events)) if b.position != a.position + 1),
        len(events),
    ]
    return [_columns(events[start:end]) for start, end in pairwise(edges) if start < end]


def cut_columns(events: Sequence[Recorded], cuts: Sequence[int]) -> list[list[EventColumns]]:
    """Return the events cut at these places, each part as columns."""
    edges = sorted({0, len(events), *(cut for cut in cuts if cut < len(events))})
    return [as_columns(events[start:end]) for start, end in pairwise(edges)]


def answered(frames: Sequence[pl.LazyFrame]) -> list[tuple[object, ...]]:
    """Return the rows of frames by position."""
    return sorted((row for frame in frames for row in frame.collect().iter_rows()), key=lambda row: row[0])


def expected(events: Sequence[Recorded], names: Sequence[str]) -> list[tuple[object, ...]]:
    """Return the rows that frames of exactly these events have."""
    return [
        (event.position, event.time, event.customer, event.value, *(_text(event, name) for name in names))
        for event in sorted(events, key=lambda event: event.position)
    ]


def _text(event: Recorded, name: str) -> str | None:
    return property_text(event.properties[name]) if name in event.properties else None


def _json(value: PropertyValue) -> bytes:
    if isinstance(value, Decimal):
        return canonical_amount(f"{value:f}").encode()
    return msgspec.json.encode(value)


def _columns(events: Sequence[Recorded]) -> EventColumns:
    instants = np.array([event.time for event in events], np.int64)
    return EventColumns(
        first_position=events[0].position,
        sources=[""] * len(events),
        ids=[f"id-{event.position}" for event in events],
        types=[event.type for event in events],
        customers=[event.customer for event in events],
        times=instants,
        times_given=np.ones(len(events), np.bool_),
        received_at=instants,
        values=[canonical_amount(f"{event.value:f}") for event in events],
        properties=[canonical_json(event.properties) for event in events],
    )
