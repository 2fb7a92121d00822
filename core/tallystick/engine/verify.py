"""Verify: walk the chain, derive every projection again from the log, compare with what is stored, name the first bad position.

One walk feeds everything: blocks are hashed and linked, events go to the comparisons of segments and of the dedupe index, and every other
record is folded into scratch tables by the same code that wrote the stored ones. Writes go on meanwhile: the tables are compared
within one transaction, up to the head that it sees. Memory is bounded; time is that of reading everything once.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import numpy as np

from tallystick.dedupe import PairsDigest, RunEntry, check_run, identity_hashes
from tallystick.engine_settings import EngineSettings
from tallystick.errors import DamagedStore
from tallystick.event import Position
from tallystick.event_columns import EventColumns
from tallystick.log.block import Block, BlockKind
from tallystick.log.event_log import EventLog
from tallystick.log.events_payload import decode_events
from tallystick.log.tables import COUNTED, Tables
from tallystick.log_head import EMPTY_HEAD
from tallystick.progress import Progress
from tallystick.segments.verify_segments import verify_segments
from tallystick.store import VerifyReport

from .manifest import Manifest, manifest_within, read_manifest
from .recovery import check_the_end_is_there
from .scratch_tables import ScratchTables

Report = Callable[[Progress], None]
_REPORT_EVERY_POSITIONS: Final = 100_000


class VerifiedFiles:
    """The directories that hold the files a manifest names."""

    def __init__(self, *, segments_path: Path, dedupe_path: Path) -> None:
        self.segments_path = segments_path
        self.dedupe_path = dedupe_path


def verify(
    tables: Tables, log: EventLog, files: VerifiedFiles, *, settings: EngineSettings, report: Report
) -> VerifyReport:
    """Return what was found. The caller sees to it that no file of the manifest is removed meanwhile."""
    with tempfile.TemporaryDirectory(prefix="tallystick-verify-") as folder:
        scratch = ScratchTables(Path(folder), settings)
        try:
            return _Verification(tables, log, files, scratch, report).run()
        finally:
            scratch.close()


class _Verification:
    def __init__(
        self, tables: Tables, log: EventLog, files: VerifiedFiles, scratch: ScratchTables, report: Report
    ) -> None:
        self._tables = tables
        self._log = log
        self._files = files
        self._scratch = scratch
        self._report = report
        self._end = log.head.position
        self._last = EMPTY_HEAD
        self._events = 0
        self._problems: list[tuple[int, str]] = []

    def run(self) -> VerifyReport:
        try:
            manifest = read_manifest(self._tables)
        except DamagedStore as error:
            self._note(error)
            manifest = None
        digests = _RunDigests(manifest)
        try:
            self._compare_segments(manifest, digests)
            if manifest is not None:
                check_the_end_is_there(self._last, manifest)
            self._scratch.flush()
            self._compare_tables()
        except DamagedStore as error:
            self._note(error)
        else:
            self._compare_runs(digests)
        self._report(Progress("done", self._end, self._end))
        self._problems.sort(key=lambda problem: problem[0])
        return VerifyReport(
            head=self._last,
            blocks=self._last.block,
            events=self._events,
            first_bad_position=Position(self._problems[0][0]) if self._problems else None,
            problems=[text for _, text in self._problems],
        )

    def _note(self, error: DamagedStore) -> None:
        self._problems.append((error.position, str(error)))

    def _compare_segments(self, manifest: Manifest | None, digests: _RunDigests) -> None:
        """Walk the whole chain, handing the events that segments should hold to their comparison."""
        covered = manifest.position if manifest else 0
        walk = self._walk(digests)
        of_segments = _until(walk, covered)
        try:
            bad = verify_segments(self._files.segments_path, manifest.segments if manifest else (), of_segments)
            if bad is not None:
                text = (
                    f"at position {bad.position}: segments differ from the log ({bad.detail}): run `tallystick rebuild`"
                )
                self._problems.append((bad.position, text))
        except DamagedStore as error:
            # The log itself (then the walk cannot go on) or a segment file (then it does).
            self._note(error)
        for _ in walk:
            pass

    def _walk(self, digests: _RunDigests) -> Iterator[EventColumns]:
        next_report = 0
        for block in self._log.blocks():
            if block.position > self._end:
                return
            self._check_number(block)
            self._last = block.head
            if block.kind == BlockKind.EVENTS:
                columns = decode_events(block.payload, first_position=block.position)
                self._events += len(columns)
                digests.add(columns)
                yield columns
            else:
                self._scratch.apply(block)
            if block.position >= next_report:
                next_report = block.position + _REPORT_EVERY_POSITIONS
                self._report(Progress("walk", block.last_position, self._end))

    def _check_number(self, block: Block) -> None:
        try:
            stored = self._tables.get(b"block_numbers", block.number.to_bytes(8))
        except DamagedStore:
            stored = None
        if stored != block.position.to_bytes(8):
            self._problems.append(
                (block.position, f"block {block.number} is not found by its number: run `tallystick rebuild`")
            )

    def _compare_tables(self) -> None:
        self._report(Progress("compare", self._last.position, self._end))
        for name in COUNTED:
            try:
                self._tables.check_rows(name)
            except DamagedStore as error:
                self._note(error)
        with self._tables.read() as txn:
            for block in self._log.blocks_within(txn, start=self._last.position + 1):
                if block.kind != BlockKind.EVENTS:
                    self._scratch.apply(block)
            manifest = manifest_within(txn, self._tables)
            self._scratch.finish(duplicates_until=manifest.position if manifest else 0)
            for name in self._scratch.differing_tables(txn, self._tables):
                self._problems.append(
                    (self._last.position, f"table {name} differs from what the log says: run `tallystick rebuild`")
                )

    def _compare_runs(self, digests: _RunDigests) -> None:
        for entry, expected in digests.by_run():
            try:
                found = check_run(self._files.dedupe_path, entry)
            except (DamagedStore, OSError) as error:
                self._problems.append((entry.first_position, f"dedupe run {entry.file}: {error}"))
                continue
            if found != expected:
                self._problems.append(
                    (entry.first_position, f"dedupe run {entry.file} differs from the log: run `tallystick rebuild`")
                )


class _RunDigests:
    """What each run of the dedupe index should hold, computed while the log is walked."""

    def __init__(self, manifest: Manifest | None) -> None:
        self._seed = manifest.hash_seed if manifest else 0
        self._runs = sorted(manifest.runs if manifest else (), key=lambda entry: entry.first_position)
        self._digests = [PairsDigest() for _ in self._runs]
        self._starts = np.array([entry.first_position for entry in self._runs], np.int64)

    def add(self, columns: EventColumns) -> None:
        if not self._runs or columns.first_position > self._runs[-1].last_position:
            return
        hashes = identity_hashes(columns.sources, columns.ids, seed=self._seed)
        positions = np.arange(columns.first_position, columns.end_position, dtype=np.int64)
        places = np.searchsorted(self._starts, positions, side="right") - 1
        touched: list[int] = np.unique(places[places >= 0]).tolist()
        for place in touched:
            inside = (places == place) & (positions <= self._runs[place].last_position)
            self._digests[place] = self._digests[place].with_pairs(hashes[inside], positions[inside])

    def by_run(self) -> Iterator[tuple[RunEntry, PairsDigest]]:
        yield from zip(self._runs, self._digests, strict=True)


def _until(walk: Iterator[EventColumns], covered: int) -> Iterator[EventColumns]:
    """Yield what segments should hold; a block beyond ends it and is not lost, since the walk has counted it."""
    if covered == 0:
        return
    for columns in walk:
        if columns.first_position > covered:
            return
        yield columns
