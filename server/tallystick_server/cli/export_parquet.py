"""Events as one Parquet file, a row group for each few pages, never all in memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import polars as pl
from polars.io.plugins import register_io_source

from .export_run import ListedEvent, columns_of

ROW_GROUP_ROWS: Final = 100_000

SCHEMA: Final = pl.Schema(
    {
        "id": pl.String(),
        "source": pl.String(),
        "type": pl.String(),
        "customer": pl.String(),
        "time": pl.Datetime("ns", "UTC"),
        "value": pl.Decimal(38, 12),
        "properties": pl.String(),
    }
)


def write_parquet(pages: Iterator[list[ListedEvent]], path: Path) -> None:
    """Write the pages; the frame flows through Polars' streaming engine."""

    def frames(
        _columns: list[str] | None, _predicate: pl.Expr | None, _row_count: int | None, _batch: int | None
    ) -> Iterator[pl.DataFrame]:
        for page in pages:
            yield pl.DataFrame(columns_of(page), schema={**SCHEMA, "time": pl.Int64()}).cast({"time": SCHEMA["time"]})

    source = register_io_source(frames, schema=SCHEMA)
    source.sink_parquet(path, compression="zstd", row_group_size=ROW_GROUP_ROWS, engine="streaming")
