"""JSON of texts that senders chose, whole columns at once; the same as msgspec writes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
import polars as pl

# What JSON asks to be escaped; everything else stands as it is.
_ESCAPED: Final = r'["\\\x00-\x1f]'


def json_texts(texts: pl.Series) -> pl.Series:
    """Return each text as a JSON string, null as `null`."""
    plain = pl.DataFrame({"text": texts}).select(pl.concat_str(pl.lit('"'), "text", pl.lit('"')).fill_null("null"))
    quoted = plain.to_series()
    unusual = texts.str.contains(_ESCAPED).fill_null(value=False)
    if not unusual.any():
        return quoted
    escaped = [msgspec.json.encode(text).decode() for text in texts.filter(unusual)]
    return quoted.scatter(unusual.arg_true(), escaped)


def json_objects(names: Sequence[str], columns: Sequence[pl.Series], *, height: int) -> pl.Series:
    """Return a JSON object for each row: the texts of the columns under these names."""
    if not names:
        return pl.repeat("{}", height, dtype=pl.String, eager=True)
    parts: list[pl.Expr] = []
    for place, name in enumerate(names):
        key = msgspec.json.encode(name).decode()
        parts += [pl.lit(f"{'{' if place == 0 else ','}{key}:"), pl.col(f"{place}")]
    values = pl.DataFrame({f"{place}": json_texts(column) for place, column in enumerate(columns)})
    return values.select(pl.concat_str(*parts, pl.lit("}"))).to_series()
