"""Texts that senders chose, as JSON: what msgspec writes, whatever they hold."""

from __future__ import annotations

import msgspec
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from tallystick.usage.json_texts import json_objects, json_texts

TEXTS = st.none() | st.text(max_size=5) | st.text(alphabet='"\\\x00\x1f\x7f\n é\u2028𝄞', max_size=5)


def encoded(value: object) -> str:
    return msgspec.json.encode(value).decode()


@given(texts=st.lists(TEXTS, max_size=6))
def test_a_column_of_texts_is_written_as_msgspec_writes_each(texts: list[str | None]) -> None:
    assert json_texts(pl.Series(texts, dtype=pl.String)).to_list() == [encoded(text) for text in texts]


@given(rows=st.lists(st.tuples(TEXTS, TEXTS), max_size=5), names=st.tuples(st.text(max_size=3), st.text(max_size=3)))
def test_columns_become_objects(rows: list[tuple[str | None, str | None]], names: tuple[str, str]) -> None:
    columns = [pl.Series([row[place] for row in rows], dtype=pl.String) for place in (0, 1)]
    found = json_objects(names, columns, height=len(rows)).to_list()
    first, second = map(encoded, names)
    assert found == [f"{{{first}:{encoded(left)},{second}:{encoded(right)}}}" for left, right in rows]


def test_without_names_every_object_is_empty() -> None:
    assert json_objects((), [], height=2).to_list() == ["{}", "{}"]
