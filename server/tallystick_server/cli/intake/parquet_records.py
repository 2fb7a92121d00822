"""Records of a Parquet file, read batch by batch: decimals, integers, times and texts exactly, floats by their shortest spelling."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, Final

import msgspec
import numpy as np
import polars as pl

from tallystick.amount import plain
from tallystick.instant import InvalidInstant, checked_instant, format_instant
from tallystick_server.cli.failure import Failure

from .field_map import PROPERTIES, FieldMap, Fragment, event_json
from .record import MadeUpIds, Record

BATCH_ROWS: Final = 20_000
_STRUCT: Final = msgspec.json.Encoder(decimal_format="number")
_NS_PER: Final = {"ms": 1_000_000, "us": 1_000, "ns": 1}


def parquet_records(path: str, fields: FieldMap, ids: MadeUpIds) -> Iterator[Record]:
    """Yield a record for each row. Raises `Failure` for a file that is no Parquet, or has columns that no event can hold."""
    try:
        scan = pl.scan_parquet(path)
        schema = scan.collect_schema()
        fields.check_columns(list(schema.names()), path)
        plan = _plan(schema, fields, path)
        yield from _records(scan, plan, fields, ids)
    except pl.exceptions.PolarsError as error:
        raise Failure(f"{path}: cannot be read as Parquet ({error})") from error


def row_count(path: str) -> int | None:
    """Return how many rows the file says it has, None if it does not say."""
    try:
        return int(pl.scan_parquet(path).select(pl.len()).collect().item())
    except (pl.exceptions.PolarsError, OSError):
        return None


_Read = Callable[[pl.Series], list[Fragment]]


def _plan(schema: pl.Schema, fields: FieldMap, path: str) -> list[tuple[str, str, _Read]]:
    return [
        (column, target, _reader(target, column, kind, fields, path))
        for column, kind in schema.items()
        for target in fields.targets(column)
    ]


def _records(
    scan: pl.LazyFrame, plan: list[tuple[str, str, _Read]], fields: FieldMap, ids: MadeUpIds
) -> Iterator[Record]:
    constants = fields.constants()
    first: bytes | None = None
    number = 0
    for frame in scan.collect_batches(chunk_size=BATCH_ROWS, maintain_order=True):
        columns = [(target, read(frame[column])) for column, target, read in plan]
        names = [target for target, _ in columns]
        for row in zip(*(fragments for _, fragments in columns), strict=True):
            number += 1
            found = [*zip(names, row, strict=True), *constants]
            if first is None:
                first = event_json(found)
            if not any(target == "id" and fragment is not None for target, fragment in found):
                found.insert(0, ("id", b'"' + ids.id_of(number, first).encode() + b'"'))
            yield Record(f"row {number}", event_json(found))


def _reader(target: str, column: str, kind: pl.DataType, fields: FieldMap, path: str) -> _Read:  # noqa: C901, PLR0911 - one for each kind of column
    if target == "time":
        return _time_reader(column, kind, fields, path)
    match kind:
        case pl.String() | pl.Categorical() | pl.Enum():
            fragment = fields.text_fragment(target)
            return lambda series: [
                None if text is None else fragment(text) for text in series.cast(pl.String).to_list()
            ]
        case pl.Boolean():
            return lambda series: [None if on is None else b"true" if on else b"false" for on in series.to_list()]
        case pl.Decimal():
            return _each(lambda value: _number(target, plain(value)))
        case pl.Float32():
            return _each(lambda value: _number(target, shortest(np.float32(value))))
        case pl.Float64():
            return _each(lambda value: _number(target, shortest(value)))
        case pl.Date():
            return _each(lambda value: msgspec.json.encode(value.isoformat()))
        case pl.Datetime() if target.startswith("properties."):
            return _instants(kind)
        case pl.Null():
            return lambda series: [None] * len(series)
        case _ if kind.is_integer():
            return _each(lambda value: _number(target, str(value)))
        case pl.Struct() if target == PROPERTIES:
            return _each(_struct)
        case _:
            raise Failure(f"{path}: the column {column!a} holds {kind}, which no event can; leave it out with --ignore")


def _time_reader(column: str, kind: pl.DataType, fields: FieldMap, path: str) -> _Read:
    reading = fields.reading
    match kind:
        case pl.Datetime():
            if kind.time_zone is None and reading.zone is None:
                raise Failure(
                    f"{path}: the times in {column!a} have no zone; say which with --timezone, such as --timezone UTC"
                )
            zone = str(reading.zone) if kind.time_zone is None else None
            return _instants(kind, zone)
        case pl.String() | pl.Categorical() | pl.Enum():
            return _each(reading.fragment)
        case pl.Date():
            return _each(lambda value: reading.fragment(value.isoformat()))
        case _ if kind.is_integer():
            return _each(lambda value: reading.fragment(str(value)))
        case _:
            raise Failure(f"{path}: the column {column!a} holds {kind}, which is no time")


def _instants(kind: pl.Datetime, zone: str | None = None) -> _Read:
    ns_per = _NS_PER[kind.time_unit]

    def read(series: pl.Series) -> list[Fragment]:
        if zone is not None:
            series = series.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
        counts: list[int | None] = series.dt.epoch(kind.time_unit).to_list()
        return [None if count is None else _instant(count * ns_per) for count in counts]

    return read


def _instant(nanoseconds: int) -> Fragment:
    try:
        return b'"' + format_instant(checked_instant(nanoseconds)).encode() + b'"'
    except InvalidInstant:
        # The appliance names the fault; milliseconds are what it reads bare numbers as.
        return str(nanoseconds // 1_000_000).encode()


def _each(fragment: Callable[[Any], Fragment]) -> _Read:  # Any: a cell of a column whose kind the caller knows
    return lambda series: [None if cell is None else fragment(cell) for cell in series.to_list()]


def _number(target: str, digits: str) -> Fragment:
    if target == "value" or target.startswith("properties."):
        return digits.encode() if digits[-1:].isdigit() else msgspec.json.encode(digits)
    return msgspec.json.encode(digits)


def shortest(value: float | np.float32) -> str:
    """Return the shortest decimal that reads back as the same float, without `e+` noise; `nan` and `inf` as the words they are."""
    if not math.isfinite(value):
        return str(float(value))
    text = np.format_float_positional(value, unique=True, trim="-")
    return plain(Decimal(text))


def _struct(cell: dict[str, Any]) -> Fragment:  # Any: as above
    kept = {name: value for name, value in cell.items() if value is not None}
    return _STRUCT.encode(kept) if kept else None
