"""The distinct texts of a column, and which of them stands in each row: what is done once a text need not be done once a row."""

from __future__ import annotations

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl


class DistinctTexts(msgspec.Struct, frozen=True):
    """`texts` holds each text once; row `i` of the column has `texts[codes[i]]`."""

    texts: pl.Series
    codes: npt.NDArray[np.int64]


def distinct_texts(column: pl.Series) -> DistinctTexts:
    """Return the distinct texts of a column without nulls, in no order.

    Grouping takes 0.3 µs a row when all differ; `unique` followed by `replace_strict` took 0.9.
    """
    groups = pl.DataFrame([column.alias("text")]).with_row_index("row").group_by("text").agg("row")
    codes = np.empty(len(column), np.int64)
    codes[groups["row"].explode().to_numpy()] = np.repeat(np.arange(groups.height), groups["row"].list.len().to_numpy())
    return DistinctTexts(groups["text"].alias(column.name), codes)


def ranked(distinct: DistinctTexts) -> DistinctTexts:
    """Return the distinct texts sorted, so that codes compare as the texts do."""
    order = distinct.texts.arg_sort().to_numpy()
    ranks = np.empty(len(order), np.int64)
    ranks[order] = np.arange(len(order))
    return DistinctTexts(distinct.texts.gather(order), ranks[distinct.codes])
