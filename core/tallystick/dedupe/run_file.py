"""A run file opened for reading: finds the positions of keys in it, page by page.

Promises: nothing is answered from a page, fence or filter whose checksum fails: `DamagedStore` instead, whatever the damage. In memory are
16 bytes for each page of 85 keys, and a page only while it is looked at: pages are read, not mapped, so that a large run adds nothing
to the resident size, and a failing disk is an `OSError` rather than a signal. Safe for any number of threads.
Does not: test the filter; the index does, for all runs at once. A file that was removed goes on being readable until the last user is done.
"""

from __future__ import annotations

import os
import weakref
from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from xxhash import xxh3_64_intdigest, xxh3_128, xxh3_128_digest

from tallystick.errors import DamagedStore, NewerFormat

from .identity_hash import Hashes, Positions
from .run_entry import RunEntry
from .run_header import (
    FORMAT_VERSION,
    HEADER_BYTES,
    KEYS_PER_PAGE,
    PAGE_BYTES,
    InvalidHeader,
    RunLayout,
    decode_header,
    header_checksum,
)
from .run_writer import page_checksums

Rows = npt.NDArray[np.int64]

_HASH_BYTES: Final = KEYS_PER_PAGE * 8
# Below this many keys one after the other is faster: numpy's calls cost 140 µs before the first key, a single page read 4 µs.
_ONE_BY_ONE_MAX: Final = 64
# So many keys are looked up at a time that their pages take 8 MiB at most.
_KEYS_AT_A_TIME: Final = 8_192
_READ_BYTES_MAX: Final = 1 << 30


class RunFile:
    """One run, open. Raises `DamagedStore` when the file is missing or is not the one that the entry names."""

    def __init__(self, directory: Path, entry: RunEntry) -> None:
        self.entry = entry
        self._path = directory / entry.file
        try:
            self._fd = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError as error:
            raise self._damage("the file is missing") from error
        self._close = weakref.finalize(self, os.close, self._fd)
        self.layout = RunLayout(entry.count)
        size = os.fstat(self._fd).st_size
        if size != entry.file_bytes or size != self.layout.file_bytes:
            raise self._damage(f"the file has {size} bytes instead of {entry.file_bytes}")
        encoded = self._read(HEADER_BYTES, 0)
        try:
            header = decode_header(encoded)
        except InvalidHeader as error:
            raise self._damage(str(error)) from error
        if header.version > FORMAT_VERSION:
            raise NewerFormat(str(self._path), found=header.version, known=FORMAT_VERSION)
        if header_checksum(encoded) != entry.checksum or header.count != entry.count:
            raise self._damage("it is another file than the one that was written")
        self._filter_checksum = header.filter_checksum
        tables = self._read(self.layout.page_count * 16, self.layout.tables_at)
        if xxh3_128_digest(tables) != header.tables_checksum:
            raise self._damage("its page table was changed")
        both = np.frombuffer(tables, "<u8").astype(np.uint64, copy=False)
        self.fences, self._checksums = both[: self.layout.page_count], both[self.layout.page_count :]
        # The same as Python's integers: a look at one of them costs a quarter of what numpy takes.
        self._fence_numbers, self._checksum_numbers = self.fences.data, self._checksums.data
        # Lookups jump about: what the kernel would read ahead is not what comes next.
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(self._fd, 0, 0, os.POSIX_FADV_RANDOM)

    def read_filter(self, into: npt.NDArray[np.uint64]) -> None:
        """Fill `into`, which has `layout.filter_words` words, with the run's filter."""
        view = into.data.cast("B")
        digest = xxh3_128()
        at = 0
        while at < len(view):
            part = view[at : at + _READ_BYTES_MAX]
            read = os.preadv(self._fd, [part], self.layout.filter_at + at)
            if not read:
                raise self._damage("the file ends within its filter")
            digest.update(part[:read])
            at += read
        if digest.digest() != self._filter_checksum:
            raise self._damage("its filter was changed")
        if np.little_endian is False:
            into.byteswap(inplace=True)

    def find(self, hashes: Hashes) -> tuple[Rows, Positions]:
        """Return for each stored key with one of the hashes the row of the hash, and the position; rows ascend."""
        if hashes.size <= _ONE_BY_ONE_MAX:
            pairs = [(row, position) for row, key in enumerate(hashes.tolist()) for position in self.find_one(key)]
            both = np.array(pairs, np.int64).reshape(-1, 2)
            return both[:, 0], both[:, 1]
        if hashes.size <= _KEYS_AT_A_TIME:
            return self._find(hashes)
        found = [
            (rows + at, positions)
            for at in range(0, hashes.size, _KEYS_AT_A_TIME)
            for rows, positions in [self._find(hashes[at : at + _KEYS_AT_A_TIME])]
        ]
        return np.concatenate([rows for rows, _ in found]), np.concatenate([positions for _, positions in found])

    def find_one(self, key: int) -> list[int]:
        """Return the positions of one hash."""
        fences = self._fence_numbers
        first = last = bisect_right(fences, key) - 1
        if last < 0:
            return []
        # A hash equal to a fence may also end the page before.
        while first > 0 and fences[first] == key:
            first -= 1
        pattern = key.to_bytes(8, "little")
        found: list[int] = []
        for number in range(first, last + 1):
            page = os.pread(self._fd, PAGE_BYTES, HEADER_BYTES + number * PAGE_BYTES)
            if len(page) != PAGE_BYTES:
                raise self._damage(f"the file ends within page {number}")
            if xxh3_64_intdigest(page) != self._checksum_numbers[number]:
                raise self._damage(f"page {number} was changed")
            end = min(self.entry.count - number * KEYS_PER_PAGE, KEYS_PER_PAGE) * 8
            at = page.find(pattern, 0, end)
            while at >= 0:
                if at % 8 == 0:
                    place = _HASH_BYTES + at // 2
                    found.append(self.entry.first_position + int.from_bytes(page[place : place + 4], "little"))
                at = page.find(pattern, at + 1, end)
        return found

    def _find(self, hashes: Hashes) -> tuple[Rows, Positions]:
        # A hash equal to a fence may also end the page before.
        first = np.maximum(np.searchsorted(self.fences, hashes, "left") - 1, 0)
        last = np.searchsorted(self.fences, hashes, "right") - 1
        inside = last >= 0
        wanted = [first[inside], last[inside]]
        long = np.flatnonzero(last - first > 1)  # one hash over more than two pages: hundreds of equal hashes
        wanted += [np.arange(first[row] + 1, last[row]) for row in long]
        pages = np.unique(np.concatenate(wanted))
        if not pages.size:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        # Pages in file order, put end to end, are sorted as a whole, whatever lies between them.
        stored, positions = self._keys_of(self._checked_pages(pages), int(pages[-1]))
        start = np.searchsorted(stored, hashes, "left")
        counts = np.searchsorted(stored, hashes, "right") - start
        rows = np.repeat(np.arange(hashes.size), counts)
        within = np.arange(rows.size) - np.repeat(np.cumsum(counts) - counts, counts)
        return rows, positions[start[rows] + within]

    def chunks(self, page_count: int) -> Iterator[tuple[Hashes, Positions]]:
        """Yield all keys in order, that many pages at a time, each page checked."""
        for start in range(0, self.layout.page_count, page_count):
            end = min(start + page_count, self.layout.page_count)
            yield self._keys_of(self._checked_pages(np.arange(start, end)), end - 1)

    def _keys_of(self, pages: npt.NDArray[np.uint8], last_page: int) -> tuple[Hashes, Positions]:
        """Return the keys of checked pages, of which `last_page` is the last."""
        size = pages.shape[0] * KEYS_PER_PAGE
        if last_page == self.layout.page_count - 1:
            size -= -self.entry.count % KEYS_PER_PAGE
        hashes = pages[:, :_HASH_BYTES].view("<u8").reshape(-1)[:size]
        positions = pages[:, _HASH_BYTES : _HASH_BYTES + KEYS_PER_PAGE * 4].view("<u4").reshape(-1)[:size]
        return hashes.astype(np.uint64, copy=False), positions + np.int64(self.entry.first_position)

    def _checked_pages(self, numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
        """Return the pages of those ascending numbers, one a row."""
        pages = np.empty((numbers.size, PAGE_BYTES), np.uint8)
        view = pages.data.cast("B")
        # Neighbours are read by one call.
        starts = np.concatenate(([0], np.flatnonzero(np.diff(numbers) != 1) + 1))
        for start, end, number in zip(
            starts.tolist(), [*starts[1:].tolist(), numbers.size], numbers[starts].tolist(), strict=True
        ):
            part = view[start * PAGE_BYTES : end * PAGE_BYTES]
            if os.preadv(self._fd, [part], HEADER_BYTES + number * PAGE_BYTES) != len(part):
                raise self._damage(f"the file ends within page {number}")
        wrong = np.flatnonzero(page_checksums(pages) != self._checksums[numbers])
        if wrong.size:
            raise self._damage(f"page {numbers[wrong[0]]} was changed")
        return pages

    def _read(self, size: int, at: int) -> bytes:
        data = os.pread(self._fd, size, at)
        if len(data) != size:
            raise self._damage("the file is cut short")
        return data

    def _damage(self, detail: str) -> DamagedStore:
        return DamagedStore(self.entry.first_position, f"the dedupe index's {self._path.name}: {detail}")
