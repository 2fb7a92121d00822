"""Merges: many files into fewer, so that lookups and questions stay as quick as they were when there was little.

A merge reads files that never change and writes new ones beside them; only the manifest, written between two commits, says which count.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import structs

from tallystick.dedupe import OpenRun, RunEntry, merge_runs, plan_merge, remove_runs
from tallystick.errors import StoreFull
from tallystick.failpoints import hit
from tallystick.instant import NS_PER_S, Instant
from tallystick.segments.merge_segments import merge_segments
from tallystick.segments.plan_merge import plan_merge as plan_segment_merge
from tallystick.segments.segment_entry import SegmentEntry
from tallystick.segments.store_segment import remove_numbered

from .checkpoint import write_manifest_durably
from .ledger import Ledger

Perform = Callable[[Callable[[], bool]], bool]

# A run can be dropped only as a whole: an eighth of the window keeps about nine runs, and at most an eighth too much.
_RUNS_PER_WINDOW = 8
_FILES_PER_MERGE_MAX = 1_000
# A question opens each file that its time touches, in about a millisecond.
_FILES_WHILE_BUSY_MAX = 64


def merge_once(ledger: Ledger, perform: Perform, *, is_busy: bool = False) -> bool:
    """Do the merge that is most worth it, if any; `perform` runs work on the write side. Returns whether anything was done.

    While events pour in (`is_busy`), segments are left as they are up to a number of files: a merge writes each of its events anew, which
    costs more than taking it in did, and can as well be done later.
    """
    # `verify` holds the guard while it reads the files that a manifest names: none of them may go meanwhile.
    with ledger.files_guard:
        if _drop_old_runs(ledger, perform) or _merge_runs(ledger, perform):
            return True
        files = len(ledger.folds.projections.manifest.segments)
        return (not is_busy or files >= _FILES_WHILE_BUSY_MAX) and _merge_segments(ledger, perform)


def _merge_runs(ledger: Ledger, perform: Perform) -> bool:
    projections = ledger.folds.projections
    window_s = ledger.settings.dedupe_window_s
    span_max_ns = None if window_s is None else window_s * NS_PER_S // _RUNS_PER_WINDOW
    generation, index = projections.generation, projections.index
    old = plan_merge(index.runs, span_max_ns=span_max_ns)
    if not old:
        return False
    entry = merge_runs(ledger.directory.dedupe_path, old, number=projections.reserve_files(1))
    hit("merge.run_written")
    run = index.open_run(entry)
    try:
        is_done = perform(lambda: _name_run(ledger, generation, old, run))
    except StoreFull:
        # Certainly not named. A merge is tried again every second: what it leaves would fill a disk that is full already.
        index.discard(run)
        remove_runs(ledger.directory.dedupe_path, [entry])
        raise
    if not is_done:
        index.discard(run)
    remove_runs(ledger.directory.dedupe_path, old if is_done else [entry])
    return is_done


def _name_run(ledger: Ledger, generation: int, old: Sequence[RunEntry], run: OpenRun) -> bool:
    projections = ledger.folds.projections
    if generation != projections.generation:
        return False
    gone = set(old)
    kept = tuple(each for each in projections.manifest.runs if each not in gone)
    manifest = structs.replace(projections.manifest, runs=(*kept, run.entry), next_file=projections.next_file)
    write_manifest_durably(ledger, manifest)
    projections.manifest = manifest
    projections.index.replace(old, run)
    ledger.counters.merges += 1
    return True


def _merge_segments(ledger: Ledger, perform: Perform) -> bool:
    projections = ledger.folds.projections
    generation = projections.generation
    plan = plan_segment_merge(projections.manifest.segments)
    if plan is None:
        return False
    first_number = projections.reserve_files(_FILES_PER_MERGE_MAX)
    numbers = range(first_number, first_number + _FILES_PER_MERGE_MAX)
    path = ledger.directory.segments_path
    try:
        made = merge_segments(path, plan, next_number=first_number)
    except Exception:
        remove_numbered(path, numbers)
        raise
    hit("merge.segments_written")
    try:
        is_done = perform(lambda: _name_segments(ledger, generation, plan.entries, made))
    except StoreFull:
        remove_numbered(path, numbers)
        raise
    if not is_done:
        remove_numbered(path, numbers)
    return is_done


def _name_segments(ledger: Ledger, generation: int, old: Sequence[SegmentEntry], made: Sequence[SegmentEntry]) -> bool:
    projections = ledger.folds.projections
    if generation != projections.generation:
        return False
    gone = {entry.file for entry in old}
    kept = tuple(entry for entry in projections.manifest.segments if entry.file not in gone)
    manifest = structs.replace(projections.manifest, segments=(*kept, *made), next_file=projections.next_file)
    write_manifest_durably(ledger, manifest)
    projections.adopt_merge(manifest, made=made, gone=old)
    ledger.partials.replace(old, made)
    ledger.folds.publish()
    ledger.partials.forget_files(manifest.segments)
    ledger.counters.merges += 1
    return True


def _drop_old_runs(ledger: Ledger, perform: Perform) -> bool:
    """With a dedupe window: forget runs whose every event is older than it."""
    window_s = ledger.settings.dedupe_window_s
    if window_s is None:
        return False
    bound = Instant(max(0, ledger.clock.now() - window_s * NS_PER_S))
    if not any(entry.last_received_at < bound for entry in ledger.folds.projections.index.runs):
        return False

    def drop() -> bool:
        projections = ledger.folds.projections
        gone = {entry for entry in projections.index.runs if entry.last_received_at < bound}
        kept = tuple(entry for entry in projections.manifest.runs if entry not in gone)
        manifest = structs.replace(projections.manifest, runs=kept)
        write_manifest_durably(ledger, manifest)
        projections.manifest = manifest
        remove_runs(ledger.directory.dedupe_path, projections.index.drop_before(bound))
        return True

    return perform(drop)
