"""What is derived from the events: the dedupe index, the live tail, the segments, and the snapshot that questions see.

Up to the manifest's position they are files; after it they are memory, replayed from the log at a start. All of it can be dropped and
made again. Methods that change something belong to the thread that owns the write side (the writer, or whoever opens the store); `view` is
swapped whole, so that readers need no lock and see each commit entirely or not at all.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import structs

from tallystick.data_directory import DataDirectory
from tallystick.dedupe import DedupeIndex, OpenRun, RunEntry, SealedKeys, identity_hashes, remove_runs, write_run
from tallystick.dedupe import remove_unlisted as remove_unlisted_runs
from tallystick.errors import DamagedStore
from tallystick.event_columns import EventColumns
from tallystick.failpoints import hit
from tallystick.instant import Instant
from tallystick.log.event_log import EventLog
from tallystick.segments.live_tail import LiveTail
from tallystick.segments.segment_entry import SegmentEntry
from tallystick.segments.segment_set import SegmentSet
from tallystick.segments.store_segment import remove_numbered, remove_unlisted
from tallystick.segments.write_segments import write_segments

from .block_cache import BlockCache
from .manifest import Manifest
from .view import View
from .void_index import Voids

# Numbers are plenty, and a checkpoint learns only while writing how many files its events need.
_SEGMENTS_PER_CHECKPOINT_MAX: Final = 1_000
# Events that take more than this, packed, count as several where memory is bounded; usual ones take a fifth of it.
_BYTES_PER_EVENT: Final = 512


class SealedTail(msgspec.Struct, frozen=True, eq=False):
    """What a checkpoint writes: the events and keys (None: no events) of one stretch of the log, which ends at `position`.

    `index` is the one whose keys they are: a recovery meanwhile makes another.
    """

    tail: LiveTail
    keys: SealedKeys | None
    index: DedupeIndex
    packed_bytes: int
    position: int
    generation: int


class CheckpointFiles(msgspec.Struct, frozen=True, eq=False):
    """What a checkpoint wrote, not yet named by the manifest; the run is open already."""

    run: OpenRun | None
    segments: list[SegmentEntry]
    first_number: int


class Projections:
    """The derived state of one data directory."""

    def __init__(self, directory: DataDirectory, log: EventLog, cache: BlockCache) -> None:
        self._directory = directory
        self._numbers = threading.Lock()
        self._log = log
        self._cache = cache
        # Raised by each reset, as it begins and as it ends, so that a checkpoint or merge begun before or within it is given up.
        self.generation = 0
        self._next_file = 1
        self.sealed: SealedTail | None = None

    def reset(self, manifest: Manifest) -> None:
        """Start from what the manifest names, with an empty tail; questions keep the view of before until `publish`.

        Raises `DamagedStore` if a file is missing or not as written.
        """
        self.generation += 1
        self.manifest = manifest
        self.sealed = None
        with self._numbers:
            # Whoever reserved numbers before may still be writing: the manifest knows nothing of them, and they stay his.
            self._next_file = max(self._next_file, manifest.next_file)
        remove_unlisted(self._directory.segments_path, manifest.segments)
        remove_unlisted_runs(self._directory.dedupe_path, manifest.runs)
        self._check_segments_are_there(manifest)
        self.index = DedupeIndex(self._directory.dedupe_path, runs=manifest.runs)
        self._segments = SegmentSet(self._directory.segments_path, manifest.segments)
        self._tail, self._tail_bytes = LiveTail(), 0
        self.generation += 1

    @property
    def tail_events(self) -> int:
        """How many events are in memory only, sealed or not."""
        sealed = self.sealed  # read once: the writer may end the checkpoint meanwhile
        return len(self._tail) + (len(sealed.tail) if sealed else 0)

    @property
    def tail_weight(self) -> int:
        """The events that are in memory only, large ones counted as several: what bounds of memory are compared with."""
        sealed = self.sealed
        size_bytes = self._tail_bytes + (sealed.packed_bytes if sealed else 0)
        return max(self.tail_events, size_bytes // _BYTES_PER_EVENT)

    @property
    def event_count(self) -> int:
        """How many events the log holds."""
        return self.manifest.event_count + self.tail_events

    def hashes(self, columns: EventColumns) -> npt.NDArray[np.uint64]:
        """Return the keys of the events in the index."""
        seed = self.manifest.hash_seed
        packed = columns.packed
        if packed is not None and len(packed) == packed.pack.rows:
            return packed.pack.identity_hashes(seed)
        return identity_hashes(columns.sources, columns.ids, seed=seed)

    def fold(self, columns: EventColumns, hashes: npt.NDArray[np.uint64], *, packed_bytes: int) -> None:
        """Take events that are on disk, `packed_bytes` of them, into the index and the tail; `publish` shows them."""
        positions = np.arange(columns.first_position, columns.end_position, dtype=np.int64)
        self.index.add(hashes, positions)
        self._tail.append(columns)
        self._tail_bytes += packed_bytes

    def publish(self, voids: Voids) -> None:
        """Let questions see everything up to the head of the log."""
        tails = (self._tail,) if self.sealed is None else (self.sealed.tail, self._tail)
        self.view = View(
            head=self._log.head,
            event_count=self.event_count,
            index=self.index,
            hash_seed=self.manifest.hash_seed,
            segments=self._segments,
            tails=tails,
            voids=voids,
        )

    def columns_at(self, position: int) -> EventColumns:
        """Return the events of the log around a position, from memory where they are there."""
        for tail in self.view.tails:
            if (found := tail.find(position)) is not None:
                return found[0]
        return self._cache.columns_at(position)

    @property
    def next_file(self) -> int:
        """The first number that no file has, for the manifest."""
        return self._next_file

    def reserve_files(self, count: int) -> int:
        """Return the first of `count` numbers for files that no other file has or had."""
        with self._numbers:
            first = self._next_file
            self._next_file += count
            return first

    def seal(self, position: int) -> SealedTail:
        """Begin a checkpoint on the write side: what was folded so far, up to `position`, is to be written; the rest goes to a new tail."""
        sealed = SealedTail(
            tail=self._tail,
            keys=self.index.seal(),
            index=self.index,
            packed_bytes=self._tail_bytes,
            position=position,
            generation=self.generation,
        )
        self.sealed = sealed
        self._tail, self._tail_bytes = LiveTail(), 0
        return sealed

    def write_files(self, sealed: SealedTail) -> CheckpointFiles:
        """Write what was sealed; on any thread. Raises `OSError` if the disk does not take it, and leaves nothing there then."""
        hit("checkpoint.sealed")
        first_number = self.reserve_files(_SEGMENTS_PER_CHECKPOINT_MAX)
        entry: RunEntry | None = None
        try:
            events = sealed.tail.events()
            segments = write_segments(self._directory.segments_path, events, next_number=first_number)
            hit("checkpoint.segments_written")
            if sealed.keys is None:
                return CheckpointFiles(None, segments, first_number)
            entry = write_run(
                self._directory.dedupe_path,
                sealed.keys,
                number=self.reserve_files(1),
                first_received_at=Instant(min(int(each.received_at.min()) for each in events)),
                last_received_at=Instant(max(int(each.received_at.max()) for each in events)),
            )
            hit("checkpoint.run_written")
            return CheckpointFiles(sealed.index.open_run(entry), segments, first_number)
        except Exception:
            # It is tried again every second: what it leaves would fill a disk that is full already.
            self._remove_files(first_number, entry)
            raise

    def remove_files(self, sealed: SealedTail, files: CheckpointFiles) -> None:
        """Take away what a checkpoint wrote, once it is certain that no manifest names it."""
        if files.run is not None:
            sealed.index.discard(files.run)
        self._remove_files(files.first_number, None if files.run is None else files.run.entry)

    def _remove_files(self, first_number: int, run: RunEntry | None) -> None:
        remove_numbered(self._directory.segments_path, range(first_number, first_number + _SEGMENTS_PER_CHECKPOINT_MAX))
        if run is not None:
            remove_runs(self._directory.dedupe_path, [run])

    def manifest_with(self, sealed: SealedTail, files: CheckpointFiles, *, keys_used: dict[str, Instant]) -> Manifest:
        """Return the manifest that names the files of a checkpoint too."""
        runs = () if files.run is None else (files.run.entry,)
        return structs.replace(
            self.manifest,
            position=sealed.position,
            event_count=self.manifest.event_count + len(sealed.tail),
            next_file=self.next_file,
            runs=(*self.manifest.runs, *runs),
            segments=(*self.manifest.segments, *files.segments),
            keys_used=dict(keys_used),
        )

    def adopt(self, manifest: Manifest, sealed: SealedTail, files: CheckpointFiles) -> None:
        """End a checkpoint on the write side, once its manifest is on disk: the files stand for what was sealed."""
        if files.run is not None and sealed.keys is not None:
            self.index.adopt(files.run, sealed.keys)
        self.sealed = None
        self.manifest = manifest
        self._segments = self._segments.with_changes(added=files.segments)

    def adopt_merge(self, manifest: Manifest, *, made: Sequence[SegmentEntry], gone: Sequence[SegmentEntry]) -> None:
        """Look into merged segments from now on; what they were made of is deleted once the last question is done with it."""
        self.manifest = manifest
        before = self._segments
        self._segments = before.with_changes(added=made, removed=gone)
        before.retire(gone)

    def _check_segments_are_there(self, manifest: Manifest) -> None:
        """Raise `DamagedStore` for a file that is missing or cut; what is in it is checked when it is first read."""
        for entry in manifest.segments:
            path = self._directory.segments_path / entry.file
            try:
                found = path.stat().st_size
            except FileNotFoundError as error:
                raise DamagedStore(entry.first_position, f"segment {entry.file} is missing") from error
            if found != entry.file_bytes:
                detail = f"segment {entry.file} has {found} bytes instead of {entry.file_bytes}"
                raise DamagedStore(entry.first_position, detail)
