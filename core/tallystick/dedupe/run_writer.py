"""Writes a run file: sorted keys in, chunk by chunk, a durable file out.

Promises: memory bounded by a chunk, whatever the number of keys; the file appears under its name only whole and synced, with mode 0600;
whatever fails on the way leaves at most a `.partial` file, which `remove_unlisted` sweeps.
Does not: sort, or say that the run exists: the engine's manifest does.
Disk writes are synced every few megabytes, so that the log's own fsync never waits behind half a gigabyte of a merge.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

import numpy as np
import numpy.typing as npt
from xxhash import xxh3_64_intdigest, xxh3_128, xxh3_128_digest

from tallystick.durable_files import sync_directory, write_all
from tallystick.failpoints import hit
from tallystick.instant import Instant

from .block_filter import FilterStream, Words
from .identity_hash import Hashes, Positions
from .run_entry import RunEntry
from .run_header import (
    FORMAT_VERSION,
    HEADER_BYTES,
    KEYS_PER_PAGE,
    PAGE_BYTES,
    POSITION_SPAN_MAX,
    RunHeader,
    RunLayout,
    encode_header,
    header_checksum,
)

RUN_SUFFIX: Final = ".run"
PARTIAL_SUFFIX: Final = ".partial"
_SYNC_BYTES: Final = 8 * 1024 * 1024
_HASH_BYTES: Final = KEYS_PER_PAGE * 8


def run_file_name(number: int) -> str:
    """Return the name of the run file of that number; numbers are never used twice."""
    return f"dedupe-{number:012d}{RUN_SUFFIX}"


class RunWriter:
    """One run file being written; `add` the keys in order, then `finish`. Ends by itself as a `with` that failed."""

    def __init__(
        self,
        directory: Path,
        *,
        number: int,
        count: int,
        first_position: int,
        last_position: int,
        first_received_at: Instant,
        last_received_at: Instant,
    ) -> None:
        if count < 1 or not 0 <= last_position - first_position < POSITION_SPAN_MAX:
            raise ValueError(
                f"a run of {count} keys from position {first_position} to {last_position} cannot be written"
            )
        self._directory = directory
        self._name = run_file_name(number)
        self._count = count
        self._first_position, self._last_position = first_position, last_position
        self._first_received_at, self._last_received_at = first_received_at, last_received_at
        self._layout = RunLayout(count)
        self._filter = FilterStream(self._layout.filter_words)
        self._filter_digest = xxh3_128()
        self._filter_at = self._layout.filter_at
        self._pages_at = HEADER_BYTES
        self._rest_hashes: Hashes = np.empty(0, np.uint64)
        self._rest_positions: Positions = np.empty(0, np.int64)
        self._fences: list[Hashes] = []
        self._checksums: list[Hashes] = []
        self._unsynced_bytes = 0
        self._added = 0
        self._fd = os.open(self._partial_path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)

    @property
    def _partial_path(self) -> Path:
        return self._directory / f"{self._name}{PARTIAL_SUFFIX}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
            # Only a failure is tidied up: a crash, real or rehearsed, leaves the file to the sweep at the next start.
            if kind is not None and issubclass(kind, Exception):
                with suppress(OSError):
                    self._partial_path.unlink()

    def add(self, hashes: Hashes, positions: Positions) -> None:
        """Write the next keys: hashes ascending, and none smaller than those added before."""
        self._added += hashes.size
        self._write_filter(self._filter.push(hashes))
        if self._rest_hashes.size:
            hashes = np.concatenate((self._rest_hashes, hashes))
            positions = np.concatenate((self._rest_positions, positions))
        whole = hashes.size - hashes.size % KEYS_PER_PAGE
        self._rest_hashes, self._rest_positions = hashes[whole:].copy(), positions[whole:].copy()
        self._write_pages(hashes[:whole], positions[:whole])

    def finish(self) -> RunEntry:
        """Write what is left, sync, and give the file its name; returns once it will survive a power cut."""
        if self._added != self._count:
            raise ValueError(f"{self._added} keys were added to a run of {self._count}")
        missing = -self._rest_hashes.size % KEYS_PER_PAGE
        filled = np.concatenate((self._rest_positions, np.full(missing, self._first_position)))
        self._write_pages(np.concatenate((self._rest_hashes, np.zeros(missing, np.uint64))), filled)
        self._write_filter(self._filter.finish())
        tables = np.concatenate((*self._fences, *self._checksums)).astype("<u8").tobytes()
        write_all(self._fd, tables, at=self._layout.tables_at)
        header = encode_header(
            RunHeader(
                version=FORMAT_VERSION,
                count=self._count,
                first_position=self._first_position,
                last_position=self._last_position,
                first_received_at=self._first_received_at,
                last_received_at=self._last_received_at,
                tables_checksum=xxh3_128_digest(tables),
                filter_checksum=self._filter_digest.digest(),
            )
        )
        write_all(self._fd, header, at=0)
        hit("dedupe.run_written")
        os.fsync(self._fd)
        hit("dedupe.run_synced")
        os.close(self._fd)
        self._fd = -1
        self._partial_path.replace(self._directory / self._name)
        hit("dedupe.run_renamed")
        sync_directory(self._directory)
        hit("dedupe.run_durable")
        return RunEntry(
            file=self._name,
            count=self._count,
            first_position=self._first_position,
            last_position=self._last_position,
            first_received_at=self._first_received_at,
            last_received_at=self._last_received_at,
            file_bytes=self._layout.file_bytes,
            checksum=header_checksum(header),
        )

    def _write_filter(self, words: Words) -> None:
        if words.size:
            data = words.astype("<u8", copy=False).tobytes()
            self._filter_digest.update(data)
            self._write(data, self._filter_at)
            self._filter_at += len(data)

    def _write_pages(self, hashes: Hashes, positions: Positions) -> None:
        page_count = hashes.size // KEYS_PER_PAGE
        if not page_count:
            return
        pages = np.zeros((page_count, PAGE_BYTES), np.uint8)
        by_page = hashes.reshape(page_count, KEYS_PER_PAGE)
        pages[:, :_HASH_BYTES].view("<u8")[:] = by_page
        relative = (positions - self._first_position).reshape(page_count, KEYS_PER_PAGE)
        pages[:, _HASH_BYTES : _HASH_BYTES + KEYS_PER_PAGE * 4].view("<u4")[:] = relative
        self._fences.append(by_page[:, 0].copy())
        self._checksums.append(page_checksums(pages))
        self._write(pages.data.cast("B"), self._pages_at)
        self._pages_at += pages.size

    def _write(self, data: bytes | memoryview, at: int) -> None:
        write_all(self._fd, data, at=at)
        self._unsynced_bytes += len(data)
        if self._unsynced_bytes >= _SYNC_BYTES:
            os.fdatasync(self._fd)
            self._unsynced_bytes = 0


def page_checksums(pages: npt.NDArray[np.uint8]) -> Hashes:
    """Return the xxh3_64 of each page."""
    flat = pages.data.cast("B")
    cuts = range(0, len(flat), PAGE_BYTES)
    return np.fromiter(map(xxh3_64_intdigest, [flat[at : at + PAGE_BYTES] for at in cuts]), np.uint64, len(cuts))


def remove_runs(directory: Path, entries: Iterable[RunEntry]) -> None:
    """Remove the files of runs that the manifest no longer names; idempotent."""
    for entry in entries:
        hit("dedupe.run_removed")
        (directory / entry.file).unlink(missing_ok=True)


def remove_unlisted(directory: Path, listed: Iterable[RunEntry]) -> list[str]:
    """Remove run files that the manifest does not name, whole or partial: what a crash left behind. Returns their names."""
    keep = {entry.file for entry in listed}
    left = [
        path
        for path in directory.glob("dedupe-*")
        if path.name.endswith((RUN_SUFFIX, RUN_SUFFIX + PARTIAL_SUFFIX)) and path.name not in keep
    ]
    for path in left:
        path.unlink(missing_ok=True)
    return sorted(path.name for path in left)
