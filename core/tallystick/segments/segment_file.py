"""One segment file in use: verified before its first use, readable for as long as anyone reads, deleted when nobody can any more.

Promises: the whole file is read and its checksum compared once in a process before anything in it is believed; a
file that is missing, cut or changed raises `DamagedSegment`. A lazy frame keeps a descriptor of its own, so that it
can be collected after the file was deleted.
Does not: notice bits that flip on the disk after the file was verified, until the next start or `check_files`.
"""

from __future__ import annotations

import errno
import os
import threading
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, Final

import msgspec
import polars as pl
import xxhash

from tallystick.amount import SCALE
from tallystick.errors import DamagedStore, Overloaded, TallystickError
from tallystick.usage.event_frames import CUSTOMER, POSITION, PROPERTY_PREFIX, TIME, VALUE, VALUE_TYPE

from .customers_seen import count_customers, key_range
from .event_table import TYPE
from .segment_entry import SegmentEntry
from .segment_layout import REST, TEXTS_KEY
from .selection import Selection

_READ_BYTES: Final = 1 << 20
_decode_texts: Final = msgspec.json.Decoder(dict[str, list[str]]).decode
# 200 kB a file at most.
_COUNTS_KEPT_MAX: Final = 4_096


class DamagedSegment(DamagedStore):
    """A segment file is not what was written; the log still is, so it can be made again."""

    def __init__(self, entry: SegmentEntry, detail: str) -> None:
        TallystickError.__init__(
            self,
            f"segment {entry.file} (positions {entry.first_position} to {entry.last_position}) {detail}; "
            "segments are derived from the log: rebuild them",
        )
        self.position, self.detail, self.file = entry.first_position, detail, entry.file


class _Fate:
    """Whether a file is deleted once nobody uses it. Outlives the `SegmentFile`, so it cannot be an attribute of it."""

    is_retired = False


class SegmentFile:
    """A file of the manifest. Shared by all snapshots that list it; safe to use from any thread."""

    def __init__(self, directory: Path, entry: SegmentEntry) -> None:
        self.entry = entry
        self._path = directory / entry.file
        self._is_verified = False
        self._counts: pl.DataFrame | None = None
        self._texts: dict[str, pl.Series] | None = None
        self._has_many_customers = False
        self._lock = threading.Lock()
        self._fate = _Fate()
        # Not at exit: the next start removes what no manifest lists.
        weakref.finalize(self, _delete_if_retired, self._path, self._fate).atexit = False

    def retire(self) -> None:
        """Delete the file as soon as no snapshot holds this object; the caller has put on disk a manifest without it."""
        self._fate.is_retired = True

    def verify(self) -> None:
        """Read the file and compare its checksum, unless that was done before. Raises `DamagedSegment`."""
        self.open().close()

    def open(self) -> BinaryIO:
        """Return the verified file.

        Raises `DamagedSegment`, or `Overloaded` when the process has no descriptor left.
        """
        try:
            file = self._path.open("rb")
        except OSError as error:
            raise _as_ours(self.entry, error) from error
        try:
            # Each time: reading past the end of a file that was cut after it was mapped would end the process.
            self._compare_size(file)
            with self._lock:
                if not self._is_verified:
                    self._compare_content(file)
                    self._is_verified = True
            file.seek(0)
        except BaseException:
            file.close()
            raise
        return file

    def scan(self) -> pl.LazyFrame:
        """Return the rows as they lie in the file (see `segment_layout`)."""
        with self.open() as file:
            return pl.scan_parquet(file, glob=False, hive_partitioning=False, cache=False)

    def frame(self, selection: Selection, properties: Sequence[str]) -> pl.LazyFrame:
        """Return the selected rows with the columns of `EventFrames`."""
        return self._selected(selection).select(
            pl.col(POSITION), self.time(), pl.col(CUSTOMER), self.value(), *self.property_texts(properties)
        )

    def frame_with_rest(self, selection: Selection, properties: Sequence[str]) -> pl.LazyFrame:
        """Return the selected rows as `frame` does, and `rest`: the properties without a column, as a JSON object of texts."""
        return self._selected(selection).select(
            pl.col(POSITION), self.time(), pl.col(CUSTOMER), *self.property_texts(properties), pl.col(REST)
        )

    def times_and_positions(self, selection: Selection) -> pl.LazyFrame:
        """Return `time` and `position` of the selected rows."""
        return self._selected(selection).select(self.time(), pl.col(POSITION))

    def customer_counts(self, *, after: str | None, last: str | None) -> pl.DataFrame:
        """Return counts of the customers with `after < key <= last`.

        A file of few customers is counted as a whole once, and the counts kept; of one with many, only the row groups
        of that range are read.
        """
        if self._counts is None and last is None and not self._has_many_customers:
            counts = count_customers(self.scan().select(pl.col(CUSTOMER), self.time())).collect(engine="streaming")
            self._has_many_customers = counts.height > _COUNTS_KEPT_MAX
            if not self._has_many_customers:
                self._counts = counts
        if self._counts is not None:
            return self._counts.filter(*key_range(after=after, last=last))
        rows = self.scan().filter(*key_range(after=after, last=last))
        return count_customers(rows.select(pl.col(CUSTOMER), self.time())).collect(engine="streaming")

    def rows(self) -> pl.LazyFrame:
        """Return everything: position, time, type, customer and value as in an event table, the promoted properties, and the rest."""
        return self.scan().select(
            pl.col(POSITION),
            self.time(),
            pl.col(TYPE),
            pl.col(CUSTOMER),
            self.value(),
            *self.property_texts(self.entry.properties),
            pl.col(REST),
        )

    def time(self) -> pl.Expr:
        """Return the time in nanoseconds."""
        return ((pl.col(TIME).cast(pl.Int64) + self.entry.time_start) * self.entry.time_unit_ns).alias(TIME)

    def value(self) -> pl.Expr:
        """Return the value in the type that questions expect."""
        scale = self.entry.value_scale
        if scale is None:
            return pl.col(VALUE).cast(VALUE_TYPE)
        units = pl.col(VALUE).cast(pl.Int128) * pl.lit(10 ** (SCALE - scale), dtype=pl.Int128)
        # A decimal's physical value: no arithmetic on decimals, which takes several times as long.
        return units.reinterpret(dtype=VALUE_TYPE).alias(VALUE)

    def coded_texts(self) -> dict[str, pl.Series]:
        """Return, for each property whose column holds codes, the texts that they stand for."""
        if self._texts is None:
            with self.open() as file:
                self._texts = {
                    name: pl.Series(texts, dtype=pl.String)
                    for name, texts in _decode_texts(pl.read_parquet_metadata(file).get(TEXTS_KEY, "{}")).items()
                }
        return self._texts

    def property_texts(self, names: Sequence[str]) -> list[pl.Expr]:
        """Return a String column `p:NAME` for each name, from its own column or from the rest."""
        promoted = frozenset(self.entry.properties)
        coded = self.coded_texts() if promoted.intersection(names) else {}
        in_rest = [name for name in names if name not in promoted] if self.entry.has_rest else []
        # Fields are renamed, since Polars takes a field's name such as `*` or `^x$` for a pattern.
        fields = {name: str(number) for number, name in enumerate(in_rest)}
        rest = pl.col(REST).str.json_decode(pl.Struct(dict.fromkeys(in_rest, pl.String)))
        rest = rest.struct.rename_fields(list(fields.values()))
        expressions: list[pl.Expr] = []
        for name in names:
            label = PROPERTY_PREFIX + name
            if name in coded:
                expressions.append(_text_of(pl.col(label), coded[name]))
            elif name in promoted:
                expressions.append(pl.col(label))
            elif name in fields:
                expressions.append(rest.struct.field(fields[name]).alias(label))
            else:
                expressions.append(pl.lit(None, dtype=pl.String).alias(label))
        return expressions

    def _selected(self, selection: Selection) -> pl.LazyFrame:
        frame = self.scan()
        predicate = selection.predicate(self.entry)
        return frame.filter(*predicate) if predicate else frame

    def _compare_size(self, file: BinaryIO) -> None:
        size = file.seek(0, os.SEEK_END)
        if size != self.entry.file_bytes:
            raise DamagedSegment(self.entry, f"has {size} bytes instead of {self.entry.file_bytes}")

    def _compare_content(self, file: BinaryIO) -> None:
        found = xxhash.xxh3_128()
        file.seek(0)
        try:
            while chunk := file.read(_READ_BYTES):
                found.update(chunk)
        except OSError as error:
            raise _as_ours(self.entry, error) from error
        if found.digest() != self.entry.checksum:
            raise DamagedSegment(
                self.entry, f"has the checksum {found.hexdigest()} instead of {self.entry.checksum.hex()}"
            )


def _text_of(codes: pl.Expr, texts: pl.Series) -> pl.Expr:
    # By Enum and cast it took five times as long.
    return codes.map_batches(texts.gather, return_dtype=pl.String, is_elementwise=True)


def _as_ours(entry: SegmentEntry, error: OSError) -> TallystickError:
    if error.errno in {errno.EMFILE, errno.ENFILE}:
        return Overloaded(f"no file descriptor is left to read segment {entry.file}; raise the limit on open files")
    return DamagedSegment(entry, f"cannot be read: {error}")


def _delete_if_retired(path: Path, fate: _Fate) -> None:
    if fate.is_retired:
        path.unlink(missing_ok=True)
