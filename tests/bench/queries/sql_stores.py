"""DuckDB, ClickHouse's engine and PostgreSQL: a table each, the same events, the same questions in SQL.

Values are kept as what Tallystick promises for them: a decimal of scale 12 in 38 digits. `narrow` keeps 18 digits of scale 2 instead,
which suits these events and no others. Text columns of ClickHouse are LowCardinality, its parts merged; PostgreSQL has an index that
covers questions about one customer, and is vacuumed. Ids are left out, since no question reads them.
"""

from __future__ import annotations

import asyncio
import io
import os
import subprocess
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import polars as pl

from tests.bench.measured_process import resident_bytes
from tests.bench.queries.asked import FILTERED_REGION, TOP, Asked, Question
from tests.bench.queries.month_of_events import EVENT_TYPE

THREADS = 2
# Any: `make bench-queries` alone installs them, and most have no types.
_duckdb: Any = import_module("duckdb")
_chdb: Any = import_module("chdb.session")
_arrow: Any = import_module("pyarrow")
_asyncpg: Any = import_module("asyncpg")
Columns = Any


def sql(asked: Asked, *, day: str, events: str = "count(*)") -> str:
    """Return the question; `day` is how this SQL calls the day of an event. The whole month is meant, which is all that the table holds."""
    match asked.question:
        case Question.CUSTOMER_BY_DAY:
            return (
                f"SELECT {day} AS day, sum(value), {events} FROM events "
                f"WHERE type = '{EVENT_TYPE}' AND customer = '{asked.customer}' GROUP BY day"
            )
        case Question.TOP_CUSTOMERS:
            return (
                f"SELECT customer, sum(value) AS total, {events} FROM events "
                f"WHERE type = '{EVENT_TYPE}' GROUP BY customer ORDER BY total DESC, customer LIMIT {TOP}"
            )
        case Question.CUSTOMERS_BY_DAY:
            return (
                f"SELECT customer, {day} AS day, sum(value), {events} FROM events "
                f"WHERE type = '{EVENT_TYPE}' GROUP BY customer, day"
            )
        case Question.ENDPOINTS_OF_REGION:
            return (
                f"SELECT endpoint, sum(value), {events} FROM events "
                f"WHERE type = '{EVENT_TYPE}' AND region = '{FILTERED_REGION}' GROUP BY endpoint"
            )
        case Question.DISTINCT_BY_DAY:
            return f"SELECT {day} AS day, count(DISTINCT customer) FROM events WHERE type = '{EVENT_TYPE}' GROUP BY day"


def _rows_of(table: Columns) -> list[tuple[object, ...]]:
    frame = pl.DataFrame(table)
    days = [name for name, kind in frame.schema.items() if kind == pl.Date]
    texts = [name for name, kind in frame.schema.items() if kind == pl.Binary]
    return frame.with_columns(pl.col(days).to_physical(), pl.col(texts).cast(pl.String)).rows()


class DuckdbStore:
    """A table in its own file."""

    def __init__(self, folder: Path, parquet: Path, *, narrow: bool) -> None:
        path, self._added = folder / f"duckdb-{'narrow' if narrow else 'wide'}.db", folder / "duckdb-added.parquet"
        is_loaded = path.exists()
        self._connection = _duckdb.connect(str(path), config={"threads": THREADS})
        if not is_loaded:
            value = "DECIMAL(18, 2)" if narrow else "DECIMAL(38, 12)"
            self._connection.execute(
                f"CREATE TABLE events (type VARCHAR, customer VARCHAR, time TIMESTAMP, value {value}, endpoint VARCHAR, region VARCHAR)"
            )
            self._insert(str(parquet))
            self._connection.execute("CHECKPOINT")

    def _insert(self, source: str) -> None:
        # Cents are divided as decimals; a float would be written nowhere.
        self._connection.execute(
            f"INSERT INTO events SELECT '{EVENT_TYPE}', customer, epoch_ms(time_ms), "
            f"cents::DECIMAL(18, 2) * 0.01::DECIMAL(3, 2), endpoint, region FROM '{source}'"
        )

    def ask(self, asked: Asked) -> Columns:
        """Answer as Arrow columns."""
        return self._connection.sql(sql(asked, day="time::DATE")).to_arrow_table()

    def rows(self, asked: Asked, answer: object) -> list[tuple[object, ...]]:
        """Return the rows."""
        del asked
        return _rows_of(answer)

    def add(self, events: pl.DataFrame) -> None:
        """Insert them from a file."""
        path = self._added
        events.write_parquet(path)
        self._connection.execute("BEGIN")
        self._insert(str(path))
        self._connection.execute("COMMIT")
        path.unlink()

    def memory_bytes(self) -> int:
        """Return the memory of this process."""
        return resident_bytes(os.getpid())

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


class ClickhouseStore:
    """ClickHouse's engine in this process."""

    def __init__(self, folder: Path, parquet: Path, *, narrow: bool) -> None:
        path, self._added = folder / f"clickhouse-{'narrow' if narrow else 'wide'}", folder / "clickhouse-added.parquet"
        is_loaded = path.exists()
        self._session: Any = _chdb.Session(str(path))
        self._query(f"SET max_threads = {THREADS}")
        if not is_loaded:
            value = "Decimal(18, 2)" if narrow else "Decimal(38, 12)"
            self._query("CREATE DATABASE IF NOT EXISTS bench ENGINE = Atomic")
            self._query(
                "CREATE TABLE bench.events (type LowCardinality(String), customer LowCardinality(String), time DateTime64(3, 'UTC'), "
                f"value {value}, endpoint LowCardinality(String), region LowCardinality(String)) "
                "ENGINE = MergeTree ORDER BY (type, customer, time)"
            )
            self._insert(str(parquet))
            self._query("OPTIMIZE TABLE bench.events FINAL")
        self._query("USE bench")

    def _query(self, text: str, form: str = "CSV") -> Any:  # Any: chdb has no types
        return self._session.query(text, form)

    def _insert(self, source: str) -> None:
        self._query(
            f"INSERT INTO bench.events SELECT '{EVENT_TYPE}', customer, fromUnixTimestamp64Milli(time_ms, 'UTC'), "
            f"toDecimal128(cents, 12) / 100, endpoint, region FROM file('{source}', Parquet)"
        )

    def ask(self, asked: Asked) -> Columns:
        """Answer as Arrow columns."""
        answer = self._query(sql(asked, day="toDate32(time)"), "ArrowStream")
        return _arrow.ipc.open_stream(_arrow.py_buffer(answer.bytes())).read_all()

    def rows(self, asked: Asked, answer: object) -> list[tuple[object, ...]]:
        """Return the rows."""
        del asked
        return _rows_of(answer)

    def add(self, events: pl.DataFrame) -> None:
        """Insert them from a file."""
        path = self._added
        events.write_parquet(path)
        self._insert(str(path))
        path.unlink()

    def memory_bytes(self) -> int:
        """Return the memory of this process."""
        return resident_bytes(os.getpid())

    def close(self) -> None:
        """End the session."""
        self._session.close()


class PostgresqlStore:
    """A table in a cluster that somebody else has started."""

    def __init__(self, dsn: str, parquet: Path, *, narrow: bool) -> None:
        self._loop = asyncio.new_event_loop()
        self._connection: Any = self._loop.run_until_complete(_asyncpg.connect(dsn))
        self._parquet, self._narrow = parquet, narrow
        if not self._wait(self._connection.fetchval("SELECT to_regclass('events')")):
            self._wait(self._fill())

    def _wait(self, step: Any) -> Any:  # Any: asyncpg's rows
        return self._loop.run_until_complete(step)

    async def _fill(self) -> None:
        value = "numeric(18, 2)" if self._narrow else "numeric(38, 12)"
        execute = self._connection.execute
        await execute(
            f"CREATE UNLOGGED TABLE events (type text, customer text, time timestamptz, value {value}, endpoint text, region text)"
        )
        for piece in pl.read_parquet(self._parquet).iter_slices(500_000):
            await self._copy(piece)
        await execute("SET maintenance_work_mem = '1GB'")
        await execute("CREATE INDEX ON events (type, customer, time) INCLUDE (value)")
        await execute("CREATE INDEX ON events (type, region, endpoint) INCLUDE (value)")
        await execute("VACUUM (ANALYZE) events")

    async def _copy(self, events: pl.DataFrame) -> None:
        table = events.select(
            pl.lit(EVENT_TYPE).alias("type"),
            "customer",
            pl.from_epoch("time_ms", time_unit="ms").dt.strftime("%Y-%m-%d %H:%M:%S%.3f+00").alias("time"),
            (pl.col("cents").cast(pl.Decimal(18, 2)) / 100).alias("value"),
            "endpoint",
            "region",
        )
        source = io.BytesIO(table.write_csv(include_header=False).encode())
        await self._connection.copy_to_table("events", source=source, format="csv")

    def ask(self, asked: Asked) -> list[Any]:
        """Answer as records."""
        return self._wait(self._connection.fetch(sql(asked, day="(time AT TIME ZONE 'UTC')::date")))

    def rows(self, asked: Asked, answer: object) -> list[tuple[object, ...]]:
        """Return the rows."""
        del asked
        return [tuple(_plain(cell) for cell in record) for record in cast("list[Any]", answer)]

    def add(self, events: pl.DataFrame) -> None:
        """Copy them in."""
        self._wait(self._copy(events))

    def memory_bytes(self) -> int:
        """Return the memory of the server's processes, what they share counted once."""
        found = subprocess.run(["pgrep", "-x", "postgres"], capture_output=True, check=True, text=True).stdout.split()
        total = 0
        for pid in found:
            fields = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            total += next(int(line.split()[1]) * 1024 for line in fields if line.startswith("Pss:"))
        return total

    def close(self) -> None:
        """Hang up."""
        self._wait(self._connection.close())
        self._loop.close()


def _plain(cell: Any) -> object:  # Any: asyncpg's values
    return cell.toordinal() - 719_163 if hasattr(cell, "toordinal") else cell
