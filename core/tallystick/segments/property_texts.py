"""The properties of many events as columns of text, from their canonical JSON objects.

Promises: a text is what `event.property_text` gives: numbers canonical, `true` and `false`, strings as they are;
null where the name is missing.
Does not: parse one event at a time where it can be helped. Objects without escapes whose names are plain words are cut
by regular expressions outside the interpreter (1.5 µs an object of four properties, against 3 through Python dicts);
all others are decoded.

Why cutting is exact: the objects are canonical (no spaces, no nesting). Each colon that follows a quote is taken out with
the escape-free value after it. Where no name begins with a colon, and what remains is a list of plain names in braces
(which hold no colon, no backslash), each value was matched exactly where it begins and ends, by induction from the left.
What is then found between `{"` or `,"` and `":` is a name: text within a string has no quotes, and what follows the last
quote of a string is no plain name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl

from tallystick.usage.event_frames import PROPERTY_PREFIX

_NAME: Final = r"[A-Za-z0-9_.\-]+"
_VALUE_TEXT: Final = r'"[^"\\]*"|[^"\\,{}\[\]]+'
# No capture group, which would make it three times slower; the quote is the one that ends the name.
_AFTER_NAME: Final = rf'":(?:{_VALUE_TEXT})'
_SHAPE: Final = rf'^\{{(?:"{_NAME}"(?:,"{_NAME}")*)?\}}$'
_PLAIN_NAME: Final = re.compile(_NAME, re.ASCII)

# Also found in some strings, whose objects are then decoded for nothing.
_NAME_BEGINS_WITH_COLON: Final = r'[{,]":'

# Cutting costs one pass over the text for each name, decoding one for all: past this many names decoding is quicker.
_CUT_NAMES_MAX: Final = 16
# Decoded objects are turned into columns a piece at a time: a dict of 128 properties takes 10 kB.
_DECODED_AT_ONCE: Final = 2_048
# A sender can make up names without end; the rare ones are forgotten, since only the frequent ones get a column.
_COUNTED_NAMES_MAX: Final = 100_000

_OBJECT: Final[msgspec.json.Decoder[dict[str, Any]]] = (
    msgspec.json.Decoder(  # Any: str, bool or int; other numbers stay the canonical text they are
        dict[str, Any], float_hook=str
    )
)


class PropertyTexts:
    """Distinct canonical JSON objects, given once each as a String column without nulls."""

    def __init__(self, objects: pl.Series) -> None:
        self._objects = objects.alias("object")
        shapes = self._objects.str.replace_all(_AFTER_NAME, '"').alias("shape")
        distinct = shapes.unique()
        plain = distinct.filter(distinct.str.contains(_SHAPE))
        self._names_of_shape = {shape: _names(shape) for shape in plain.to_list()}
        names = {name for names in self._names_of_shape.values() for name in names}
        if len(names) > _CUT_NAMES_MAX:
            self._names_of_shape = {}
        self._shapes = shapes
        is_ambiguous = self._objects.str.contains(_NAME_BEGINS_WITH_COLON)
        self._is_decoded = is_ambiguous | ~shapes.is_in(list(self._names_of_shape))

    def name_counts(self, weights: npt.NDArray[np.int64]) -> dict[str, int]:
        """Return how many events have each name, when object `i` stands for `weights[i]` events; rare names may be missing."""
        counts: dict[str, int] = {}
        cut = pl.DataFrame({"shape": self._shapes, "weight": weights}).filter(~self._is_decoded)
        for shape, weight in cut.group_by("shape").agg(pl.col("weight").sum()).iter_rows():
            for name in self._names_of_shape[shape]:
                counts[name] = counts.get(name, 0) + weight
        rows = self._is_decoded.arg_true().to_numpy()
        for decoded, weight in zip(self._decode(rows), weights[rows].tolist(), strict=True):
            for name in decoded:
                counts[name] = counts.get(name, 0) + weight
            if len(counts) > _COUNTED_NAMES_MAX:
                counts = dict(_most_frequent(counts, _COUNTED_NAMES_MAX // 2))
        return counts

    def columns(self, names: Sequence[str]) -> pl.DataFrame:
        """Return a String column `p:NAME` for each name, one row an object."""
        cut = self._objects.to_frame().select(
            [_cut(name).alias(PROPERTY_PREFIX + name) for name in names if _PLAIN_NAME.fullmatch(name)]
        )
        rows = self._is_decoded.arg_true()
        decoded = self._decoded_columns(rows.to_numpy(), names)
        columns: list[pl.Series] = []
        for name, texts in zip(names, decoded, strict=True):
            label = PROPERTY_PREFIX + name
            column = cut[label] if label in cut.columns else _nulls(label, len(self._objects))
            columns.append(column.scatter(rows, texts) if len(rows) else column)
        return pl.DataFrame(columns)

    def rest(self, promoted: frozenset[str]) -> pl.Series:
        """Return a canonical JSON object of texts for the names that are not promoted, null where there are none."""
        shapes = [shape for shape, names in self._names_of_shape.items() if not promoted.issuperset(names)]
        rows = (self._is_decoded | self._shapes.is_in(shapes)).arg_true()
        rest = _nulls("rest", len(self._objects))
        if not len(rows):
            return rest
        texts = [
            rest_text({name: text_of(value) for name, value in decoded.items() if name not in promoted})
            for decoded in self._decode(rows.to_numpy())
        ]
        return rest.scatter(rows, pl.Series(texts, dtype=pl.String))

    def _decoded_columns(self, rows: npt.NDArray[Any], names: Sequence[str]) -> list[pl.Series]:
        texts: list[list[str | None]] = [[] for _ in names]
        for decoded in self._decode(rows):
            for column, name in zip(texts, names, strict=True):
                value = decoded.get(name)
                column.append(None if value is None else text_of(value))
        return [pl.Series(column, dtype=pl.String) for column in texts]

    def _decode(self, rows: npt.NDArray[Any]) -> Iterator[dict[str, Any]]:
        for start in range(0, len(rows), _DECODED_AT_ONCE):
            yield from map(_OBJECT.decode, self._objects.gather(rows[start : start + _DECODED_AT_ONCE]).to_list())


def most_frequent(counts: Mapping[str, int], count: int) -> list[str]:
    """Return that many names with the highest counts, most frequent first, equally frequent ones by name."""
    return [name for name, _ in _most_frequent(counts, count)]


def text_of(value: Any) -> str:  # Any: what a canonical object holds, decoded
    """Return the text by which a decoded property value is compared, as `event.property_text` does."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def rest_text(texts: Mapping[str, str]) -> str | None:
    """Return the canonical JSON object of the texts; None for none."""
    return msgspec.json.encode(texts, order="sorted").decode() if texts else None


def _most_frequent(counts: Mapping[str, int], count: int) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:count]


def _nulls(label: str, count: int) -> pl.Series:
    return pl.Series(label, [None], dtype=pl.String).new_from_index(0, count)


def _names(shape: str) -> list[str]:
    return shape[1:-1].replace('"', "").split(",") if len(shape) > len("{}") else []


def _cut(name: str) -> pl.Expr:
    """Cut the text of one name out of objects that may be cut; what it makes of others is overwritten."""
    return pl.col("object").str.extract(rf'[{{,]"{re.escape(name)}":({_VALUE_TEXT})').str.strip_chars('"')
