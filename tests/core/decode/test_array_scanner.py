"""Cutting an array without reading it: every valid array is cut where a JSON parser would cut it."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.decode import TooManyEvents, UnreadableBody, array_scanner
from tallystick.decode.array_scanner import outline, split_array

tricky = st.text(st.sampled_from('\\"[]{},: \n/aü'), max_size=12)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | tricky,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(tricky, inner, max_size=4),
    max_leaves=12,
)


@given(values=st.lists(json_values, max_size=6), indent=st.sampled_from((None, 2)), stretch=st.integers(1, 64))
def test_a_valid_array_is_cut_where_a_parser_would_cut_it(
    values: list[object], indent: int | None, stretch: int
) -> None:
    body = json.dumps(values, indent=indent, ensure_ascii=False).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(array_scanner, "_STRETCH_BYTES", stretch)
        elements = split_array(body, events_max=10)
    assert elements == [bytes(raw) for raw in msgspec.json.decode(body, type=list[msgspec.Raw])]


@pytest.mark.parametrize(
    ("body", "elements"),
    [
        (b"[]", []),
        (b" [ ] ", []),
        (b"[NaN, {x}, \xff]", [b"NaN", b"{x}", b"\xff"]),
        (b'["a\\\\", "\\\\\\"]"]', [b'"a\\\\"', b'"\\\\\\"]"']),
        (b"[1,]", [b"1", b""]),
        (b"[,]", [b"", b""]),
        (b"[{],1}]", None),
    ],
)
def test_what_stands_between_commas_is_an_element_whatever_it_is(body: bytes, elements: list[bytes] | None) -> None:
    if elements is None:
        with pytest.raises(UnreadableBody):
            split_array(body, events_max=10)
    else:
        assert split_array(body, events_max=10) == elements


@pytest.mark.parametrize("body", [b"", b"{}", b"[", b"[1", b"[1]]", b"[1] 2", b'["]', b"]["])
def test_brackets_that_do_not_match_make_a_body_unreadable(body: bytes) -> None:
    with pytest.raises(UnreadableBody):
        split_array(body, events_max=10)


def test_too_many_elements_are_refused() -> None:
    assert len(split_array(b"[1,2,3]", events_max=3)) == 3
    with pytest.raises(TooManyEvents):
        split_array(b"[1,2,3,4]", events_max=3)


def test_an_outline_sees_brackets_outside_strings_only() -> None:
    assert outline(b'{"a":["[[",{}],"b":1') == (3, 1, 7)
    assert outline(b"5") == (0, 0, 0)
