"""The states of one engine that are kept as columns: made once a segment, put together once, looked up by every question after.

Promises: as `partial_states`, whose files, folds and background it shares: states are of the events that count now, memory is bounded,
and what cannot be kept so is answered None, for the caller to go on with frames. A folding that was found not to fit is not tried again.
What a question costs here does not grow with the number of files: which of them are missing is worked out once a snapshot.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from tallystick.failpoints import hit
from tallystick.meter import Meter
from tallystick.segments.live_tail import LiveTail
from tallystick.segments.segment_entry import SegmentEntry
from tallystick.segments.segment_set import SegmentSet
from tallystick.segments.selection import Selection
from tallystick.usage.aggregators import Aggregator
from tallystick.usage.question import UsageQuestion, WindowSize

from .buckets import bucket_edges
from .column_plan import ColumnPlan, key_columns_of, kind_of
from .counted_file import CountedFile, Positions, counted_files
from .fold_columns import fold_columns, layout_of
from .fold_segment import PLACE, fold_segment
from .folding import Folding, folding_of
from .group_codes import GroupCodes
from .merged_states import BUCKET
from .partial_folder import PartialFolder
from .segment_columns import SegmentColumns
from .state_columns import StateColumns, put_together
from .states_cache import StatesCache
from .tail_columns import TailColumns

# States that are more than a quarter of the rows are not worth their bytes: the rows are as quick to fold.
ROWS_PER_STATE_MIN: Final = 4
SMALL_ROWS: Final = 4_096
_REMEMBERED_MAX: Final = 1_000
_NAMES_MAX: Final = 64
_LOCKS: Final = 64
_HANDED_OVER_MAX: Final = 32

Flags = npt.NDArray[np.bool_]


class Kitchen(Protocol):
    """What making states needs of whoever keeps them."""

    def fold_all(self, folds: Sequence[Callable[[], Any]]) -> list[Any]:  # Any: whatever the folds answer
        """Do several folds, some at once."""
        ...

    def later(self, key: bytes, work: Callable[[], object]) -> None:
        """Have something done in the background."""
        ...


class Snapshot:
    """The files that count now, with the times that they span as columns."""

    def __init__(self, segments: SegmentSet, voided: Positions) -> None:
        self.segments, self.voided = segments, voided
        self.files = counted_files(segments.files, voided)
        self.by_name = {counted.name: counted for counted in self.files}
        self.first_times = np.array([file.entry.first_time for file in segments.files], np.int64)
        self.last_times = np.array([file.entry.last_time for file in segments.files], np.int64)
        self.last_time = int(self.last_times.max(initial=0))

    def touched(self, start: int, end: int) -> Flags:
        """Return which files may hold an event of `[start, end)`."""
        return (self.last_times >= start) & (self.first_times < end)

    def holding(self, event_type: str, start: int, end: int) -> list[CountedFile]:
        """Return the files that may hold an event of the type in `[start, end)`."""
        found = self.chosen(self.touched(start, end))
        return [counted for counted in found if counted.file.entry.holds_type(event_type)]

    def chosen(self, flags: Flags) -> list[CountedFile]:
        """Return the files that are marked."""
        return [self.files[place] for place in np.flatnonzero(flags).tolist()]


class Merged(msgspec.Struct, frozen=True, eq=False):
    """The states of several files; `marks` says of which, and of which of their events (`CountedFile.mark`)."""

    marks: dict[str, bytes]
    states: StateColumns
    groups: GroupCodes


class Covering(msgspec.Struct, frozen=True, eq=False):
    """What is there for a question: states of whole buckets, and which files of its range they lack."""

    states: StateColumns | None
    missing: list[CountedFile]


class HandOver(msgspec.Struct, frozen=True, eq=False):
    """States of files put together with those of a tail that is being written into further files."""

    plan: ColumnPlan
    before: Merged
    states: StateColumns


class _Partial(msgspec.Struct, frozen=True, eq=False):
    """The states of one file by bucket, and whether they are on disk."""

    file: str
    digest: bytes
    states: StateColumns
    is_kept: bool


class _Aligned(msgspec.Struct, frozen=True, eq=False):
    """Merged states beside a snapshot: which files hold the type at all, and which of those are within."""

    snapshot: Snapshot
    merged: Merged | None
    holds: Flags
    lacks: Flags


class ColumnStates:
    """The columns of one engine. Safe from any thread."""

    def __init__(
        self, folder: PartialFolder, cache: StatesCache[object], kitchen: Kitchen, *, columns_bytes_max: int
    ) -> None:
        self._folder, self._cache, self._kitchen = folder, cache, kitchen
        self.columns = SegmentColumns(bytes_max=columns_bytes_max)
        self.tails = TailColumns(cache)
        self._lock = threading.Lock()
        # By digest, so that two questions that want the same states make them once.
        self._locks = [threading.Lock() for _ in range(_LOCKS)]
        self._groups: dict[tuple[str, ...], GroupCodes] = {}
        self._plans: dict[Any, tuple[Meter, ColumnPlan | None, Sequence[str] | None]] = {}
        self._aligned: dict[bytes, _Aligned] = {}
        self._unfit: dict[bytes, None] = {}
        self._snapshot: Snapshot | None = None
        self.hits = 0
        self.misses = 0

    def plan(
        self, meter: Meter, question: UsageQuestion, aggregator: Aggregator
    ) -> tuple[ColumnPlan, Sequence[str] | None] | None:
        """Return how the question is answered from columns, and about which customers it is; None where it is not."""
        key = (
            id(meter),
            question.window is WindowSize.HOUR,
            question.timezone,
            question.group_by,
            tuple(question.filter.items()),
        )
        known = self._plans.get(key)
        if known is None or known[0] is not meter:
            folding, selection = folding_of(meter, question)
            made = None if selection.is_empty else self._plan_of(folding, aggregator)
            known = (meter, made, selection.customers)
            with self._lock:
                if len(self._plans) >= _REMEMBERED_MAX:
                    self._plans = {}
                self._plans[key] = known
        plan = known[1]
        return None if plan is None or plan.digest in self._unfit else (plan, known[2])

    def groups_of(self, names: tuple[str, ...]) -> GroupCodes:
        """Return the numbers of the groups that these names tell apart."""
        if names == self.columns.customers.names:
            return self.columns.customers
        with self._lock:
            found = self._groups.get(names)
            if found is None:
                if len(self._groups) >= _NAMES_MAX:
                    self._groups = {}
                found = self._groups[names] = GroupCodes(names)
            return found

    def snapshot(self, segments: SegmentSet, voided: Positions) -> Snapshot:
        """Return the files that count. Views share both from commit to commit, so the last answer mostly holds."""
        last = self._snapshot
        if last is None or last.segments is not segments or last.voided is not voided:
            last = self._begin(Snapshot(segments, voided))
        return last

    def _begin(self, snapshot: Snapshot) -> Snapshot:
        """Let go of the snapshot of before: as long as it is held, files that a merge replaced are not deleted."""
        with self._lock:
            self._snapshot, self._aligned = snapshot, {}
        return snapshot

    def covering(
        self, plan: ColumnPlan, snapshot: Snapshot, *, start: int, end: int, may_wait: bool
    ) -> Covering | None:
        """Return states that cover the files with events of `[start, end)`; None where the folding does not fit into columns.

        With `may_wait` what is missing is made now, otherwise in the background.
        """
        aligned = self._alignment(plan, snapshot)
        touched = aligned.holds & snapshot.touched(start, end)
        lacking = aligned.lacks & touched
        if not lacking.any():
            self.hits += int(touched.sum())
            return Covering(None if aligned.merged is None else aligned.merged.states, [])
        self.hits += int((touched & ~lacking).sum())
        self.misses += int(lacking.sum())
        missing = snapshot.chosen(lacking)
        if may_wait:
            merged = self._completed(plan, snapshot, missing)
            return None if merged is None else Covering(merged.states, [])
        self._kitchen.later(_key(plan), lambda: self._completed(plan, snapshot, missing))
        states = None if aligned.merged is None else aligned.merged.states
        return Covering(states, missing)

    def fold(
        self, plan: ColumnPlan, counted: CountedFile, edges: npt.NDArray[np.int64], customers: Sequence[str] | None
    ) -> StateColumns | None:
        """Fold the rows of one file, perhaps of some customers alone, whose times lie within the edges; `buckets` are window numbers."""
        file = counted.file
        layout = layout_of(plan, file)
        if layout is not None and (
            customers is None or self.columns.has(file, plan.folding.meter.event_type, layout.columns)
        ):
            found = fold_columns(self.columns, counted, plan, layout, edges, customers=customers)
            if found is not None:
                return found
        selection = Selection(
            event_type=plan.folding.meter.event_type,
            start=int(edges[0]),
            end=int(edges[-1]),
            customers=customers,
            voided=counted.voided,
        )
        frame = fold_segment(file, plan.folding, selection, edges)
        return plan.from_frame(frame, PLACE, np.arange(len(edges) - 1))

    def replace(self, gone: Sequence[SegmentEntry], made: Sequence[SegmentEntry]) -> None:
        """Follow a merge of segments, as `PartialStates.replace` does."""
        with self._lock:
            self._snapshot, self._aligned = None, {}
        names = {entry.file for entry in gone}
        for key, merged in self._cache.items():
            if not isinstance(merged, Merged):
                continue
            marks = {name: mark for name, mark in merged.marks.items() if name in names}
            if len(marks) == len(names) and not any(marks.values()):
                kept = {name: mark for name, mark in merged.marks.items() if name not in names}
                kept |= {entry.file: b"" for entry in made}
                self._cache.put(key, Merged(kept, merged.states, merged.groups), size_bytes=merged.states.size_bytes)

    def handed_over(self, tail: LiveTail, voided: Positions) -> list[HandOver]:
        """Return what the states of files will be once the files of a checkpoint hold the tail's events; none of those is read.

        For the foldings that were asked about last, a few. None where some of the events do not count: states of files go by that.
        """
        first, last = tail.first_position, tail.last_position
        if first is None or last is None or np.any((voided >= first) & (voided <= last)):
            return []
        found: list[HandOver] = []
        for plan in self.tails.plans(tail)[-_HANDED_OVER_MAX:]:
            merged = self._kept(plan)
            states = None if merged is None else self.tails.states(plan, tail, head=last, voided=voided)
            if merged is None or states is None:
                continue
            together = put_together([merged.states, *states.pieces])
            if together is not None:
                found.append(HandOver(plan, merged, together))
        return found

    def take_over(self, handed: Sequence[HandOver], made: Sequence[SegmentEntry]) -> None:
        """Let the states stand for the files of the checkpoint too; takes microseconds."""
        for each in handed:
            if self._kept(each.plan) is each.before:
                marks = each.before.marks | {entry.file: b"" for entry in made}
                merged = Merged(marks, each.states, each.plan.groups)
                self._cache.put(_key(each.plan), merged, size_bytes=each.states.size_bytes)

    def note_unfit(self, plan: ColumnPlan) -> None:
        """Remember that the folding's states do not fit into columns."""
        with self._lock:
            if len(self._unfit) >= _REMEMBERED_MAX:
                self._unfit = {}
            self._unfit[plan.digest] = None
            self._aligned.pop(plan.digest, None)
        self._cache.drop(_key(plan))

    def forget(self) -> None:
        """Forget all states but those in the cache; columns of events are none."""
        with self._lock:
            self._unfit, self._aligned, self._plans = {}, {}, {}
        self._snapshot = None

    def _plan_of(self, folding: Folding, aggregator: Aggregator) -> ColumnPlan | None:
        kind = kind_of(aggregator, folding)
        if kind is None:
            return None
        key_columns = key_columns_of(folding, aggregator, kind)
        groups = self.groups_of(tuple(key_columns.values()))
        return ColumnPlan(folding, folding.digest, aggregator, kind, key_columns, groups)

    def _alignment(self, plan: ColumnPlan, snapshot: Snapshot) -> _Aligned:
        merged = self._kept(plan)
        known = self._aligned.get(plan.digest)
        if known is not None and known.snapshot is snapshot and known.merged is merged:
            return known
        current = merged if merged is not None and _is_current(merged, snapshot.by_name) else None
        event_type = plan.folding.meter.event_type
        holds = np.array([counted.file.entry.holds_type(event_type) for counted in snapshot.files], np.bool_)
        within = np.array([_is_within(current, counted) for counted in snapshot.files], np.bool_)
        found = _Aligned(snapshot, current, holds, holds & ~within)
        if merged is current:
            with self._lock:
                if len(self._aligned) >= _REMEMBERED_MAX:
                    self._aligned = {}
                self._aligned[plan.digest] = found
        return found

    def _completed(self, plan: ColumnPlan, snapshot: Snapshot, wanted: Sequence[CountedFile]) -> Merged | None:
        """Put together what is there and what is missing, and keep it; None where that does not fit into columns."""
        with self._locks[plan.digest[0] % _LOCKS]:
            found = self._kept(plan)
            is_current = found is not None and _is_current(found, snapshot.by_name)
            base = found if is_current else None
            others = [] if found is None or is_current else [name for name in found.marks if name in snapshot.by_name]
            files = {counted.name: counted for counted in (*(snapshot.by_name[name] for name in others), *wanted)}
            lacking = [counted for counted in files.values() if not _is_within(base, counted)]
            made = self._partials(plan, lacking)
            fitting = [part for part in made if part is not None]
            together = None
            if len(fitting) == len(made):
                parts = [part.states for part in fitting]
                together = put_together(parts if base is None else [*parts, base.states])
            if together is None:
                self.note_unfit(plan)
                return None
            marks = {} if base is None else dict(base.marks)
            marks |= {counted.name: counted.mark for counted in lacking}
            merged = Merged(marks, together, plan.groups)
            self._cache.put(_key(plan), merged, size_bytes=together.size_bytes)
            self._keep_later(plan, fitting)
            return merged

    def _kept(self, plan: ColumnPlan) -> Merged | None:
        found = self._cache.get(_key(plan))
        # Of other numbers, if they were begun anew meanwhile.
        return found if isinstance(found, Merged) and found.groups is plan.groups else None

    def _partials(self, plan: ColumnPlan, files: Sequence[CountedFile]) -> list[_Partial | None]:
        def partial_of(counted: CountedFile) -> Callable[[], _Partial | None]:
            return lambda: self._partial(plan, counted)

        return self._kitchen.fold_all([partial_of(counted) for counted in files])

    def _partial(self, plan: ColumnPlan, counted: CountedFile) -> _Partial | None:
        """Return the states of one file by bucket; None where they are not worth it, or do not fit."""
        if plan.digest in self._unfit:
            return None
        entry, folding = counted.file.entry, plan.folding
        edges = bucket_edges(entry.first_time, entry.last_time, folding.cut, folding.timezone)
        if edges is None:
            return None
        digest = folding.partial_digest(entry.checksum, edges, counted.voided)
        kept = self._folder.read(entry.file, digest)
        if kept is not None:
            states = plan.from_frame(kept, BUCKET, None)
            return None if states is None else _Partial(entry.file, digest, states, is_kept=True)
        hit("partials.fold")
        states = self.fold(plan, counted, edges, None)
        if states is None or len(states) > max(entry.rows // ROWS_PER_STATE_MIN, SMALL_ROWS):
            return None
        return _Partial(entry.file, digest, msgspec.structs.replace(states, buckets=edges[:-1]), is_kept=False)

    def _keep_later(self, plan: ColumnPlan, partials: Sequence[_Partial]) -> None:
        """Have what was folded written to disk, in one piece of work: waking the background for each file held questions up."""
        new = [partial for partial in partials if not partial.is_kept]

        def write() -> None:
            for partial in new:
                self._folder.write(partial.file, partial.digest, plan.to_frame(partial.states))

        if new:
            self._kitchen.later(b"write" + plan.digest, write)


def _key(plan: ColumnPlan) -> bytes:
    return b"columns" + plan.digest


def _is_within(merged: Merged | None, counted: CountedFile) -> bool:
    return merged is not None and merged.marks.get(counted.name) == counted.mark


def _is_current(merged: Merged, known: Mapping[str, CountedFile]) -> bool:
    return all(name in known and known[name].mark == mark for name, mark in merged.marks.items())
