"""Properties cut out of JSON are the texts that comparing goes by, however they are spelt."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import msgspec
import numpy as np
import polars as pl
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tallystick.event import PropertyValue, property_text
from tallystick.segments.property_texts import PropertyTexts
from tests.core.segments.recorded import NASTY_NAMES, PLAIN_NAMES, canonical_json, property_sets

decode = msgspec.json.Decoder(dict[str, str]).decode
PropertySets = list[dict[str, PropertyValue]]


def texts_of(sets: PropertySets) -> tuple[PropertyTexts, list[dict[str, str]]]:
    distinct = list({canonical_json(properties).decode(): properties for properties in sets}.items())
    texts = PropertyTexts(pl.Series([text for text, _ in distinct], dtype=pl.String))
    return texts, [{name: property_text(value) for name, value in properties.items()} for _, properties in distinct]


@settings(max_examples=100, deadline=None)
@given(sets=st.lists(property_sets(), max_size=12), promoted=st.sets(st.sampled_from(PLAIN_NAMES + NASTY_NAMES)))
@example(sets=[{"a": ",", ":x": "1"}], promoted=set())
@example(sets=[{":a": "x", "b": "y"}], promoted={"b"})
@example(sets=[{":": False, "region": ""}], promoted={"region"})
@example(sets=[{"a": ':"', "b": "{"}, {"a": "x,", "b": True}], promoted={"a"})
@example(sets=[{"a": Decimal("99999999999999999999999999.999999999999")}], promoted={"a"})
def test_columns_and_rest_together_hold_each_text_once(sets: PropertySets, promoted: set[str]) -> None:
    texts, wanted = texts_of(sets)
    names = sorted(promoted)
    columns = texts.columns(names)
    for name in names:
        assert columns[f"p:{name}"].to_list() == [properties.get(name) for properties in wanted]
    rest = [decode(text or "{}") for text in texts.rest(frozenset(promoted)).to_list()]
    assert rest == [{name: text for name, text in properties.items() if name not in promoted} for properties in wanted]


@settings(max_examples=50, deadline=None)
@given(sets=st.lists(property_sets(), max_size=12), weight=st.integers(1, 3))
def test_names_are_counted_by_the_events_that_have_them(sets: PropertySets, weight: int) -> None:
    texts, wanted = texts_of(sets)
    weights = np.arange(weight, weight + len(wanted), dtype=np.int64)
    counts: Counter[str] = Counter()
    for properties, each in zip(wanted, weights.tolist(), strict=True):
        counts.update(dict.fromkeys(properties, each))
    assert texts.name_counts(weights) == counts


def test_more_names_than_are_cut_one_by_one_are_decoded_all_at_once() -> None:
    sets: PropertySets = [{f"name{n}": str(n) for n in range(start, start + 20)} for start in range(10)]
    texts, wanted = texts_of(sets)
    assert texts.columns(["name5", "name15"]).rows() == [(p.get("name5"), p.get("name15")) for p in wanted]
