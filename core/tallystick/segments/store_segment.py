"""Putting a segment file on disk so that it is there whole or not at all.

Steps: write a temporary file, fsync it, rename it, fsync the directory. Only then may a manifest name it. A crash
between leaves a file that no manifest names; `remove_unlisted` takes such files away at the next start, and writing
the same number again replaces it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import polars as pl
import xxhash

from tallystick.durable_files import sync_directory, write_all
from tallystick.failpoints import hit
from tallystick.usage.event_frames import POSITION, TIME

from .event_table import TYPE
from .segment_entry import TYPES_LISTED_MAX, SegmentEntry
from .segment_layout import REST, encode, property_names

SUFFIX: Final = ".parquet"
_TEMPORARY_SUFFIX: Final = ".tmp"


def store_segment(directory: Path, frame: pl.DataFrame, *, number: int, level: int) -> SegmentEntry:
    """Write a segment frame that has rows, and return its entry once it is on disk."""
    encoded = encode(frame)
    content = encoded.content
    types = frame[TYPE].unique().sort()
    file = f"{number:012d}{SUFFIX}"
    _write(directory, file, content)
    return SegmentEntry(
        file=file,
        rows=frame.height,
        level=level,
        first_position=_int(frame[POSITION].min()),
        last_position=_int(frame[POSITION].max()),
        first_time=_int(frame[TIME].min()),
        last_time=_int(frame[TIME].max()),
        file_bytes=len(content),
        checksum=xxhash.xxh3_128_digest(content),
        types=tuple(types.to_list()) if len(types) <= TYPES_LISTED_MAX else None,
        properties=property_names(frame),
        has_rest=frame[REST].null_count() < frame.height,
        time_unit_ns=encoded.time_unit_ns,
        time_start=encoded.time_start,
        value_scale=encoded.value_scale,
    )


def remove_unlisted(directory: Path, entries: Iterable[SegmentEntry]) -> list[str]:
    """Delete segment files that no entry names, and return their names: what a crash or a merge before the last stop left behind.

    For start-up only: a file that is being written now is not listed yet.
    """
    listed = {entry.file for entry in entries}
    unlisted = [
        path
        for path in sorted(directory.iterdir())
        if path.suffix in {SUFFIX, _TEMPORARY_SUFFIX} and path.name not in listed
    ]
    for path in unlisted:
        path.unlink()
    return [path.name for path in unlisted]


def remove_numbered(directory: Path, numbers: Iterable[int]) -> None:
    """Delete the segment files of these numbers, if they are there: what a checkpoint or a merge that failed wrote until then."""
    for number in numbers:
        (directory / f"{number:012d}{SUFFIX}").unlink(missing_ok=True)


def _write(directory: Path, file: str, content: bytes) -> None:
    temporary = directory / (file + _TEMPORARY_SUFFIX)
    hit("segments.begin")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            write_all(descriptor, content, at=0)
            hit("segments.written")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        hit("segments.synced")
        temporary.rename(directory / file)
        hit("segments.renamed")
        sync_directory(directory)
        hit("segments.directory_synced")
    except OSError:
        # Nothing names the file yet; on a full disk its space is needed.
        temporary.unlink(missing_ok=True)
        raise


def _int(value: Any) -> int:  # Any: what Polars calls a Python literal
    return int(value)
