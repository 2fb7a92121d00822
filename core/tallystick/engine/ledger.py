"""The write side: every change of the log and of what follows it in the same transaction.

Each method decides, writes one transaction, and only when that is on disk lets memory follow: what failed left nothing behind, and an id
whose write failed can be sent again. All of it runs on one thread, the writer's (or the opener's, before there is a writer).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from tallystick.catalog.catalog import Definition, Kind, definition_record
from tallystick.data_directory import DataDirectory
from tallystick.engine_settings import EngineSettings
from tallystick.errors import StoreFull
from tallystick.event_batch import EventBatch, RejectedEvent
from tallystick.event_columns import EventColumns
from tallystick.failpoints import hit
from tallystick.identity import Identity
from tallystick.instant import NS_PER_S, Clock, Instant
from tallystick.log.block import BlockKind
from tallystick.log.event_log import EventLog
from tallystick.log.records import VOIDED_BEFORE, QuarantineRecord, VoidRecord
from tallystick.log.tables import Tables
from tallystick.partials.partial_folder import PartialFolder
from tallystick.partials.partial_states import PartialStates
from tallystick.store import IngestAnswer, VoidAnswer

from .admission import CONFLICT, DUPLICATE, Admission, admit
from .change import (
    Change,
    catalog_change,
    duplicates_change,
    events_change,
    quarantine_change,
    void_change,
)
from .commit_group import CommitGroup, commit_group, cut_into_blocks, selected
from .conflict import conflict_rejection
from .counters import Counters
from .echo import NO_ECHO, find_echo
from .folds import Folds
from .identity_lookup import positions_of
from .quarantine import quarantine_entry
from .subscription import Watchers

# A batch of conflicts names this many in quarantine records of one block, so that no block grows without bound.
_QUARANTINE_ENTRIES_PER_RECORD: Final = 1_000
_KINDS_OF_THE_OUTBOX: Final = (BlockKind.SIGNALS, BlockKind.CATALOG)
_KINDS_SIGNALS_FOLLOW: Final = (BlockKind.EVENTS, BlockKind.VOIDS, BlockKind.CATALOG)


class Ledger:
    """The log of one opened directory, and what follows it."""

    def __init__(
        self,
        directory: DataDirectory,
        tables: Tables,
        *,
        clock: Clock,
        settings: EngineSettings,
    ) -> None:
        self.directory = directory
        self.clock = clock
        self.settings = settings
        self.tables = tables
        self.log = EventLog(tables)
        self.folds = Folds(directory, tables, self.log, settings)
        self.watchers = Watchers()
        self.partials = PartialStates(
            PartialFolder(directory.partials_path, bytes_max=settings.partials_disk_bytes),
            memory_bytes_max=settings.partials_memory_bytes,
            columns_bytes_max=settings.columns_memory_bytes,
        )
        self.counters = Counters()
        self.keys_used: dict[str, Instant] = {}
        self.files_guard = threading.Lock()
        self.outbox_watchers: list[Callable[[], None]] = []
        self.signal_watchers: list[Callable[[], None]] = []
        self._full, self._full_until = "", 0.0

    def commit(self, changes: Sequence[Change]) -> None:
        """Put the changes on disk in one transaction, then let memory follow. Raises `StoreFull`, `StoreFailed`."""
        if not changes:
            return
        if self.directory.free_bytes() < self.settings.disk_free_min_bytes:
            raise StoreFull(
                f"less than {self.settings.disk_free_min_bytes} bytes are free on the disk: make room, and writes go on"
            )
        started = time.perf_counter_ns()
        try:
            with self.tables.write() as txn:
                blocks = self.log.append(txn, [change.draft for change in changes], written_at=self.clock.now())
                for change, block in zip(changes, blocks, strict=True):
                    change.apply(txn, block.position)
        except Exception as error:
            self.counters.commit_failures += 1
            if isinstance(error, StoreFull):
                self._full, self._full_until = str(error), time.monotonic() + StoreFull.retry_after_s
            raise
        self._full_until = 0.0
        self.log.advance(blocks)
        for change, block in zip(changes, blocks, strict=True):
            change.fold(block.position)
        hit("ledger.folded")
        self.folds.publish()
        if any(change.draft.kind in _KINDS_OF_THE_OUTBOX for change in changes):
            self.tell_outbox_watchers()
        if any(change.draft.kind in _KINDS_SIGNALS_FOLLOW for change in changes):
            for changed in self.signal_watchers:
                changed()
        self.counters.commits += 1
        self.counters.commit_ns += time.perf_counter_ns() - started

    def tell_outbox_watchers(self) -> None:
        """Say that messages or channels are not what they were."""
        for changed in self.outbox_watchers:
            changed()

    @property
    def shortage(self) -> str | None:
        """Why the last write found no room, for as long as its sender was told to wait: only another write can show that there is room."""
        return self._full if time.monotonic() < self._full_until else None

    def commit_events(self, batches: Sequence[EventBatch]) -> list[IngestAnswer]:
        """Decide on the events of several requests, write what is new, and return the answer to each request.

        Raises `StoreFull`, `StoreFailed`, or `DamagedStore` if a block that must be compared with is damaged; nothing was stored then.
        """
        group = commit_group(batches)
        hashes = self.folds.projections.hashes(group.columns)
        admission = self._admit(group, hashes)
        accepted_rows = admission.accepted
        accepted = selected(group.columns, accepted_rows)
        pieces = cut_into_blocks(accepted, first_position=self.log.head.position + 1)
        refused = _refused_by_batch(group, admission)
        changes = self._event_changes(pieces, hashes[accepted_rows])
        changes += self._awaited_voids(pieces)
        changes += self._duplicates(admission)
        changes += self._quarantined(batches, refused)
        self.commit(changes)
        self.watchers.offer(pieces)
        return self._answers(group, admission, refused)

    def void_events(self, targets: Sequence[Identity], *, reason: str, remember_missing: bool) -> VoidAnswer:
        """Take events out of every figure. Identities that are not there are remembered, or answered."""
        distinct = list(dict.fromkeys(targets))
        positions = positions_of(distinct, self.folds.projections)
        voids, remembered = self.folds.void_index.voids, self.folds.void_index.remembered
        fresh = [position for position in positions if position is not None and position not in voids]
        missing = [identity for identity, position in zip(distinct, positions, strict=True) if position is None]
        to_remember = [each for each in missing if (each.source, each.id) not in remembered] if remember_missing else []
        if fresh or to_remember:
            self.commit([void_change(self.folds, VoidRecord(fresh, to_remember, reason))])
        return VoidAnswer(
            voided=len(fresh),
            already_voided=len(distinct) - len(missing) - len(fresh),
            remembered=len(missing) if remember_missing else 0,
            not_found=[] if remember_missing else missing,
        )

    def define(self, kind: Kind, key: str, definition: Definition | None) -> None:
        """Make a definition, change it, or (None) delete it."""
        self.commit([catalog_change(self.folds, definition_record(kind, key, definition))])

    def discard_quarantined(self, entry_id: str) -> None:
        """Take an entry out of quarantine. Raises `NotFound`."""
        self.folds.quarantine.entry(entry_id)
        self.commit([quarantine_change(self.folds, QuarantineRecord([], [entry_id]))])

    def _admit(self, group: CommitGroup, hashes: npt.NDArray[np.uint64]) -> Admission:
        window_s = self.settings.dedupe_window_s
        index, columns_at = self.folds.projections.index, self.folds.projections.columns_at
        suspects, echo, known = index.suspects(hashes), NO_ECHO, None
        if window_s is None:
            # With a window, whether an event comes again depends on when it came, which is looked up one by one.
            echo = find_echo(group.columns, suspects, index=index, columns_at=columns_at)
        if len(echo.rows):
            known = np.zeros(len(hashes), np.bool_)
            known[echo.rows] = True
        return admit(
            group,
            hashes=hashes,
            candidates=index.candidates_among(suspects, known=known),
            columns_at=columns_at,
            next_position=self.log.head.position + 1,
            seen_since=None if window_s is None else self.clock.now() - window_s * NS_PER_S,
            echo=echo,
        )

    def _event_changes(self, pieces: list[EventColumns], hashes: npt.NDArray[np.uint64]) -> list[Change]:
        start = pieces[0].first_position if pieces else 0
        return [
            events_change(self.folds, piece, hashes[piece.first_position - start : piece.end_position - start])
            for piece in pieces
        ]

    def _awaited_voids(self, pieces: list[EventColumns]) -> list[Change]:
        remembered = self.folds.void_index.remembered
        if not remembered:
            return []
        targets = [
            piece.first_position + row
            for piece in pieces
            for row, identity in enumerate(zip(piece.sources, piece.ids, strict=True))
            if identity in remembered
        ]
        return [void_change(self.folds, VoidRecord(targets, [], VOIDED_BEFORE))] if targets else []

    def _duplicates(self, admission: Admission) -> list[Change]:
        positions = admission.first_positions[admission.outcomes == DUPLICATE]
        return [duplicates_change(self.folds, positions)] if len(positions) else []

    def _quarantined(self, batches: Sequence[EventBatch], refused: dict[int, list[RejectedEvent]]) -> list[Change]:
        entries = [quarantine_entry(batches[place], each) for place, events in refused.items() for each in events]
        return [
            quarantine_change(self.folds, QuarantineRecord(entries[start : start + _QUARANTINE_ENTRIES_PER_RECORD], []))
            for start in range(0, len(entries), _QUARANTINE_ENTRIES_PER_RECORD)
        ]

    def _answers(
        self, group: CommitGroup, admission: Admission, refused: dict[int, list[RejectedEvent]]
    ) -> list[IngestAnswer]:
        duplicates = _counts_by_batch(group, admission.outcomes == DUPLICATE)
        conflicts = _counts_by_batch(group, admission.outcomes == CONFLICT)
        answers = [
            IngestAnswer(
                accepted=len(batch) - duplicates[place] - conflicts[place],
                duplicates=duplicates[place],
                conflicts=conflicts[place],
                rejected=[each.rejected for each in refused[place]] if place in refused else [],
            )
            for place, batch in enumerate(group.batches)
        ]
        counters = self.counters
        counters.duplicates += sum(duplicates)
        counters.conflicts += sum(conflicts)
        counters.accepted += len(group.columns) - sum(duplicates) - sum(conflicts)
        counters.rejected += sum(map(len, refused.values()))
        return answers


def _counts_by_batch(group: CommitGroup, mask: npt.NDArray[np.bool_]) -> list[int]:
    before = np.zeros(len(mask) + 1, np.int64)
    np.cumsum(mask, out=before[1:])
    counts: list[int] = np.diff(before[group.row_starts]).tolist()
    return counts


def _refused_by_batch(group: CommitGroup, admission: Admission) -> dict[int, list[RejectedEvent]]:
    """Return, for each request that has any, its rejected events and its conflicts in the order of the request."""
    refused = {place: list(batch.rejected) for place, batch in enumerate(group.batches) if batch.rejected}
    conflict_rows = np.flatnonzero(admission.outcomes == CONFLICT)
    places: list[int] = group.batch_of_rows(conflict_rows).tolist()
    for row, place in zip(conflict_rows.tolist(), places, strict=True):
        index = group.batches[place].indexes[row - int(group.row_starts[place])]
        first_position = int(admission.first_positions[row])
        rejection = conflict_rejection(group.columns, row, index=index, first_position=first_position)
        refused.setdefault(place, []).append(rejection)
    for events in refused.values():
        events.sort(key=lambda each: each.rejected.index)
    return refused
