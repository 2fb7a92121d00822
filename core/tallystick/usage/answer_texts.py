"""The columns of an answer as texts, some thousand rows at a time: what JSON and CSV are put together from."""

from __future__ import annotations

import polars as pl

from .answer import PLACE, UsageRows
from .counted_events import WINDOW
from .figure_texts import figure_texts, instant_texts

START = "start"
END = "end"


def row_texts(rows: UsageRows, piece: pl.DataFrame) -> pl.DataFrame:
    """Return `START`, `END`, and the columns of `figure_texts`."""
    windows = piece[WINDOW].to_numpy()
    times = {START: rows.edges[windows], END: rows.edges[windows + 1]}
    return figure_texts(piece).with_columns(
        instant_texts(pl.Series(instants, dtype=pl.Int64)).alias(name) for name, instants in times.items()
    )


def group_texts(rows: UsageRows, piece: pl.DataFrame) -> list[pl.Series]:
    """Return the texts of the groups of these rows: a column for each name they are grouped by."""
    columns = rows.totals.columns if rows.totals.names else []
    places = piece[PLACE]
    return [rows.totals.table[column].gather(places) for column in columns]
