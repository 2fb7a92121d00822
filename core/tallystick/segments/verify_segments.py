"""Do the segments hold exactly the events of the log? Compared by sums of hashes, in memory that does not grow with the rows.

How: segments are sorted by customer, the log by position, and neither fits in memory. So each row, and each property
of a row, becomes a 64-bit hash that covers its position, and the hashes of `_BUCKET_POSITIONS` consecutive positions
are added up (16 bytes of memory for 4,096 events). Sums do not care about order, nor about which properties have a
column of their own. Where the sums of a bucket differ, its rows are read again from both sides and compared position
by position. A missing, doubled, changed or foreign row changes a sum but for one case in 2^64. What an entry says of
its file is compared as well, since questions leave files out by it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl

from tallystick.event_columns import EventColumns
from tallystick.usage.event_frames import POSITION, PROPERTY_PREFIX, TIME

from .event_table import TYPE, event_table
from .segment_entry import TYPES_LISTED_MAX, SegmentEntry
from .segment_file import DamagedSegment, SegmentFile
from .segment_layout import CORE_COLUMNS, REST, property_names, take_apart

_BUCKET_POSITIONS: Final = 4_096
_ROWS_AT_ONCE: Final = 131_072
_TEXTS: Final = msgspec.json.Decoder(dict[str, str])

_Hashes = tuple[npt.NDArray[np.int64], npt.NDArray[np.uint64]]


class Difference(msgspec.Struct, frozen=True):
    """The first position at which segments and log differ, and how."""

    position: int
    detail: str


def check_files(directory: Path, entries: Iterable[SegmentEntry]) -> list[DamagedSegment]:
    """Read every file and return those that are missing or not what was written, by first position; each names its file."""
    damaged: list[DamagedSegment] = []
    for entry in sorted(entries, key=lambda entry: entry.first_position):
        try:
            SegmentFile(directory, entry).verify()
        except DamagedSegment as error:
            damaged.append(error)
    return damaged


def verify_segments(
    directory: Path, entries: Iterable[SegmentEntry], events: Iterator[EventColumns]
) -> Difference | None:
    """Compare the segments with all events of the log that should be in them, given by rising position.

    Reads each file once and each event once. Raises `DamagedSegment` for a file whose checksum is wrong.
    """
    files = [SegmentFile(directory, entry) for entry in entries]
    sums = _Sums()
    wrong: list[Difference] = []
    for file in files:
        facts = _Facts()
        for rows in _slices(file):
            facts.add(rows)
            for hashed in _hashes(rows):
                sums.add(hashed)
        wrong += facts.compare(file.entry)
    difference = _compare_with_log(files, sums, events)
    return min([*wrong, *([difference] if difference else [])], key=lambda found: found.position, default=None)


class _Sums:
    """Sums of hashes by bucket of positions, wrapping at 2^64."""

    def __init__(self) -> None:
        self._sums = np.zeros(1_024, np.uint64)

    def add(self, hashed: _Hashes) -> None:
        positions, hashes = hashed
        if not len(positions):
            return
        buckets = positions // _BUCKET_POSITIONS
        last = int(buckets.max())
        if last >= len(self._sums):
            grown = np.zeros(max(last + 1, 2 * len(self._sums)), np.uint64)
            grown[: len(self._sums)] = self._sums
            self._sums = grown
        np.add.at(self._sums, buckets, hashes)

    def first_difference(self, other: _Sums, start: int, end: int | None) -> int | None:
        """Return the first bucket in `[start, end)` whose sums differ."""
        length = max(len(self._sums), len(other._sums))
        differing = np.flatnonzero(self._padded(length)[start:end] != other._padded(length)[start:end])
        return start + int(differing[0]) if len(differing) else None

    def _padded(self, length: int) -> npt.NDArray[np.uint64]:
        return np.pad(self._sums, (0, length - len(self._sums)))


class _Facts:
    """What an entry claims, gathered from the rows."""

    def __init__(self) -> None:
        self._parts: list[pl.DataFrame] = []
        self._types: set[str] = set()
        self._has_rest = False

    def add(self, rows: pl.DataFrame) -> None:
        self._parts.append(
            rows.select(
                pl.len().alias("rows"),
                pl.col(POSITION).min().alias("first_position"),
                pl.col(POSITION).max().alias("last_position"),
                pl.col(TIME).min().alias("first_time"),
                pl.col(TIME).max().alias("last_time"),
            )
        )
        self._types.update(rows[TYPE].unique().to_list())
        self._has_rest = self._has_rest or rows[REST].null_count() < rows.height

    def compare(self, entry: SegmentEntry) -> list[Difference]:
        parts = pl.concat(self._parts)
        found: dict[str, object] = parts.select(
            pl.col("rows").sum(),
            pl.col("first_position", "first_time").min(),
            pl.col("last_position", "last_time").max(),
        ).row(0, named=True)
        found["types"] = tuple(sorted(self._types)) if len(self._types) <= TYPES_LISTED_MAX else None
        found["has_rest"] = self._has_rest
        return [
            Difference(
                entry.first_position,
                f"segment {entry.file} is listed with {name} {getattr(entry, name)!r} and has {value!r}",
            )
            for name, value in found.items()
            if getattr(entry, name) != value
        ]


def _compare_with_log(files: Sequence[SegmentFile], stored: _Sums, events: Iterator[EventColumns]) -> Difference | None:
    logged = _Sums()
    compared = 0  # buckets
    recent: list[EventColumns] = []
    for batch in _batches(events):
        recent = [columns for columns in recent if columns.end_position > compared * _BUCKET_POSITIONS] + batch
        for hashed in _hashes(_frame(batch)):
            logged.add(hashed)
        complete = batch[-1].end_position // _BUCKET_POSITIONS
        bucket = stored.first_difference(logged, compared, complete)
        if bucket is not None:
            return _first_difference(files, recent, bucket)
        compared = complete
    bucket = stored.first_difference(logged, compared, None)
    return None if bucket is None else _first_difference(files, recent, bucket)


def _first_difference(files: Sequence[SegmentFile], recent: Sequence[EventColumns], bucket: int) -> Difference:
    first = bucket * _BUCKET_POSITIONS
    last = first + _BUCKET_POSITIONS - 1
    stored: dict[int, int] = {}
    counts: dict[int, int] = {}
    for file in files:
        if file.entry.first_position <= last and file.entry.last_position >= first:
            rows = file.rows().filter(pl.col(POSITION).is_between(first, last)).collect(engine="streaming")
            _add_by_position(stored, rows)
            for position in rows[POSITION].to_list():
                counts[position] = counts.get(position, 0) + 1
    logged: dict[int, int] = {}
    near = [columns for columns in recent if columns.first_position <= last and columns.end_position > first]
    _add_by_position(logged, _frame(near).filter(pl.col(POSITION).is_between(first, last)))
    position = min(
        position for position in stored.keys() | logged.keys() if stored.get(position) != logged.get(position)
    )
    if position not in stored:
        return Difference(position, "the event is in the log and in no segment")
    if position not in logged:
        return Difference(position, "a segment has a row that the log does not have")
    if counts[position] > 1:
        return Difference(position, f"the event is in the segments {counts[position]} times")
    return Difference(position, "a segment has another event than the log")


def _add_by_position(sums: dict[int, int], rows: pl.DataFrame) -> None:
    for positions, hashes in _hashes(rows):
        for position, value in zip(positions.tolist(), hashes.tolist(), strict=True):
            sums[position] = sums.get(position, 0) + value


def _slices(file: SegmentFile) -> Iterator[pl.DataFrame]:
    rows = file.rows()
    for start in range(0, file.entry.rows + 1, _ROWS_AT_ONCE):
        # One row more than the entry claims would be seen: the last slice is not cut at it.
        yield rows.slice(start, _ROWS_AT_ONCE).collect(engine="streaming")


def _batches(events: Iterator[EventColumns]) -> Iterator[list[EventColumns]]:
    batch: list[EventColumns] = []
    rows = 0
    for columns in events:
        if len(columns):
            batch.append(columns)
            rows += len(columns)
        if rows >= _ROWS_AT_ONCE:
            yield batch
            batch, rows = [], 0
    if batch:
        yield batch


def _frame(events: Sequence[EventColumns]) -> pl.DataFrame:
    table = event_table(events)
    return take_apart(table, order=np.arange(table.height))


def _hashes(rows: pl.DataFrame) -> Iterator[_Hashes]:
    """Yield positions and hashes: one pair a row, one for each promoted property, one for each in the rest."""
    yield _hashed(rows.select(POSITION, pl.struct(CORE_COLUMNS).hash().alias("hash")))
    for name in property_names(rows):
        column = pl.col(PROPERTY_PREFIX + name)
        yield _hashed(rows.filter(column.is_not_null()).select(POSITION, _property_hash(pl.lit(name), column)))
    rest = rows.filter(pl.col(REST).is_not_null()).select(POSITION, REST)
    triples = [
        (position, name, text)
        for position, object_ in rest.iter_rows()
        for name, text in _TEXTS.decode(object_).items()
    ]
    others = pl.DataFrame(triples, schema={POSITION: pl.Int64, "name": pl.String, "text": pl.String}, orient="row")
    yield _hashed(others.select(POSITION, _property_hash(pl.col("name"), pl.col("text"))))


def _property_hash(name: pl.Expr, text: pl.Expr) -> pl.Expr:
    return pl.struct(pl.col(POSITION).alias("position"), name.alias("name"), text.alias("text")).hash().alias("hash")


def _hashed(pairs: pl.DataFrame) -> _Hashes:
    return pairs[POSITION].to_numpy(), pairs["hash"].to_numpy()
