"""Answering from states instead of events: made once a segment, merged as segments come and go, the live tail added on top.

Promises: the states are those of the events of the view, voids and `as_of` included; a partial that is missing, damaged, too large or not
yet made costs time and never a figure. Memory and disk are bounded. An acknowledged event is in the next answer: what is in no segment
yet is folded for each question anew.
How: the states of all segments that questions of one folding looked at are put into one frame, which the background sorts. A question
takes the buckets that lie whole within its range, folds the rows before the first and after the last of them, and those of the tail.
Segments that one customer's question finds without states are read for that customer alone, which costs two row groups each, while
states are made in the background; any other question makes them itself, since it has to read all of the rows in any case.
Where voided events are in a segment, its states are those without them, under a name of their own.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from typing import Final, TypeVar

import polars as pl

from tallystick.cancellation import while_wanted
from tallystick.errors import TallystickError
from tallystick.failpoints import CrashedHere, hit
from tallystick.segments.segment_entry import SegmentEntry
from tallystick.segments.segment_set import SegmentSet
from tallystick.segments.selection import Selection

from .buckets import bucket_edges
from .column_states import ROWS_PER_STATE_MIN, SMALL_ROWS, ColumnStates
from .counted_file import CountedFile, Positions, counted_files
from .fold_segment import PLACE, fold_segment
from .folding import Folding
from .merged_states import BUCKET, MergedStates, put_together, tidied
from .partial_folder import PartialFolder
from .states_cache import StatesCache

_NOT_WORTH_IT_MAX: Final = 10_000
_WAITING_MAX: Final = 256
_LOCKS: Final = 64
_QUIET_S: Final = 0.03
_QUIET_S_MAX: Final = 1.0

T = TypeVar("T")

_log: Final = logging.getLogger("tallystick.partials")


class PartialStates:
    """The states of one engine. Safe from any thread."""

    def __init__(self, folder: PartialFolder, *, memory_bytes_max: int, columns_bytes_max: int) -> None:
        self._folder = folder
        self._cache: StatesCache[object] = StatesCache(bytes_max=memory_bytes_max)
        self._is_on = memory_bytes_max > 0
        # By digest, so that two questions that want the same states make them once.
        self._locks = [threading.Lock() for _ in range(_LOCKS)]
        self._not_worth_it: dict[bytes, None] = {}
        self._folders = ThreadPoolExecutor(max_workers=pl.thread_pool_size(), thread_name_prefix="tallystick-fold")
        self._background = _Background()
        self._last_known: tuple[SegmentSet, Positions, dict[str, CountedFile]] | None = None
        self._hits = 0
        self._misses = 0
        self.columns = ColumnStates(folder, self._cache, self, columns_bytes_max=columns_bytes_max)

    @property
    def is_on(self) -> bool:
        """Whether states are kept at all."""
        return self._is_on

    def merged(
        self, folding: Folding, wanted: Sequence[CountedFile], known: Mapping[str, CountedFile], *, may_wait: bool
    ) -> MergedStates | None:
        """Return states that cover as many of the wanted files as there are states of; `known` are all files that count now.

        With `may_wait` what is missing is made now, otherwise in the background. None where there are no states that may be used.
        """
        digest = folding.digest
        found = self._kept(digest)
        if found is not None and not found.is_current(known):
            found = None
        missing = [
            counted for counted in wanted if not _covered(found, counted) and self._is_worth_it(folding, counted)
        ]
        self._hits += len(wanted) - len(missing)
        self._misses += len(missing)
        if not missing:
            return found
        if may_wait:
            return self._completed(folding, wanted, known)
        self._background.add(digest, lambda: self._completed(folding, wanted, known))
        return found

    def known(self, segments: SegmentSet, voided: Positions) -> Mapping[str, CountedFile]:
        """Return all files that count now, by name. Snapshots share both from commit to commit, so the last answer mostly holds."""
        last = self._last_known
        if last is None or last[0] is not segments or last[1] is not voided:
            last = (segments, voided, {counted.name: counted for counted in counted_files(segments.files, voided)})
            self._last_known = last
        return last[2]

    def replace(self, gone: Sequence[SegmentEntry], made: Sequence[SegmentEntry]) -> None:
        """Follow a merge of segments: the same events lie in other files, so states of all the old ones are states of the new ones."""
        names = {entry.file for entry in gone}
        self.columns.replace(gone, made)
        for digest, merged in self._cache.items():
            if not isinstance(merged, MergedStates):
                continue
            marks = {name: mark for name, mark in merged.marks.items() if name in names}
            # Which of the new files a voided event went to is not known here: such states are made again.
            if len(marks) == len(names) and not any(marks.values()):
                kept = {name: mark for name, mark in merged.marks.items() if name not in names}
                kept |= {entry.file: b"" for entry in made}
                self._keep(digest, MergedStates(kept, merged.frame, merged.is_tidy))

    def forget_files(self, listed: Sequence[SegmentEntry]) -> None:
        """Delete, in the background, what belongs to segments that are no longer listed."""
        names = [entry.file for entry in listed]
        self._background.add(b"keep only", lambda: self._folder.keep_only(names))

    def forget(self) -> None:
        """Forget everything, on disk too."""
        self._cache.clear()
        self.columns.forget()
        self._folder.clear()

    def later(self, key: bytes, work: Callable[[], object]) -> None:
        """Have something done in the background, unless too much waits for it."""
        self._background.add(key, work)

    def asking(self) -> AbstractContextManager[None]:
        """Say for the length of a `with` that a question is being answered: the background holds still."""
        return self._background.asking()

    def wait(self) -> None:
        """Return once nothing is left to be done in the background."""
        self._background.wait()

    def gauges(self) -> dict[str, int]:
        """Return how much is kept."""
        return {
            "partials_memory_bytes": self._cache.size_bytes,
            "partials_disk_bytes": self._folder.size_bytes,
            "columns_memory_bytes": self.columns.columns.size_bytes,
        }

    def counters(self) -> dict[str, int]:
        """Return what was done since the start."""
        return {
            "partials_hits": self._hits + self.columns.hits,
            "partials_misses": self._misses + self.columns.misses,
            "partials_damaged": self._folder.damaged,
            "partials_write_failures": self._folder.failures,
        }

    def close(self) -> None:
        """End the threads; what was not written is made again another time. Idempotent."""
        self._background.close()
        self._folders.shutdown(wait=True)

    def fold_all(self, folds: Sequence[Callable[[], T]]) -> list[T]:
        """Do several folds, as many at once as Polars has threads. Raises `Cancelled` between two of them once the question is given up."""
        wanted = [while_wanted(fold) for fold in folds]
        if len(wanted) <= 1 or pl.thread_pool_size() == 1:
            return [fold() for fold in wanted]
        folded = [self._folders.submit(fold) for fold in wanted]
        try:
            return [each.result() for each in folded]
        finally:
            for each in folded:
                each.cancel()

    def _completed(
        self, folding: Folding, wanted: Sequence[CountedFile], known: Mapping[str, CountedFile]
    ) -> MergedStates | None:
        """Merge what is there with what is missing, and keep it."""
        digest = folding.digest
        with self._locks[digest[0] % _LOCKS]:
            found = self._kept(digest)
            is_current = found is not None and found.is_current(known)
            others = [] if found is None or is_current else [known[name] for name in found.marks if name in known]
            base = found if is_current else None
            files = {counted.name: counted for counted in (*others, *wanted) if not _covered(base, counted)}
            made = self._partials(folding, list(files.values()))
            if base is None and not made:
                return None
            merged = put_together(base, made)
            self._keep(digest, merged)
        if not merged.is_tidy:
            self._background.add(b"tidy" + digest, lambda: self._tidy(folding))
        return merged

    def _tidy(self, folding: Folding) -> None:
        digest = folding.digest
        with self._locks[digest[0] % _LOCKS]:
            loose = self._kept(digest)
            if loose is not None and not loose.is_tidy:
                self._keep(digest, tidied(folding, loose))

    def _kept(self, digest: bytes) -> MergedStates | None:
        found = self._cache.get(digest)
        return found if isinstance(found, MergedStates) else None

    def _keep(self, digest: bytes, merged: MergedStates) -> None:
        self._cache.put(digest, merged, size_bytes=int(merged.frame.estimated_size()))

    def _partials(self, folding: Folding, files: Sequence[CountedFile]) -> list[tuple[CountedFile, pl.DataFrame]]:
        """Return the states of each file by bucket; files of which they are not worth it are left out."""

        def partial_of(counted: CountedFile) -> Callable[[], pl.DataFrame]:
            return lambda: self._partial(folding, counted)

        frames = self.fold_all([partial_of(counted) for counted in files])
        return [
            (counted, frame)
            for counted, frame in zip(files, frames, strict=True)
            if self._is_worth_it(folding, counted)
        ]

    def _partial(self, folding: Folding, counted: CountedFile) -> pl.DataFrame:
        entry = counted.file.entry
        edges = bucket_edges(entry.first_time, entry.last_time, folding.cut, folding.timezone)
        if edges is None:
            self._note_not_worth_it(folding, counted)
            return pl.DataFrame()
        digest = folding.partial_digest(entry.checksum, edges, counted.voided)
        kept = self._folder.read(entry.file, digest)
        if kept is not None:
            return kept
        selection = Selection(event_type=folding.meter.event_type, voided=counted.voided)
        hit("partials.fold")
        states = fold_segment(counted.file, folding, selection, edges)
        starts = pl.Series(BUCKET, edges, dtype=pl.Int64)
        states = states.with_columns(starts.gather(states[PLACE]).alias(BUCKET)).drop(PLACE)
        if states.height > max(entry.rows // ROWS_PER_STATE_MIN, SMALL_ROWS):
            self._note_not_worth_it(folding, counted)
        else:
            self._background.add(digest, lambda: self._folder.write(entry.file, digest, states))
        return states

    def _is_worth_it(self, folding: Folding, counted: CountedFile) -> bool:
        return folding.digest + counted.name.encode() not in self._not_worth_it

    def _note_not_worth_it(self, folding: Folding, counted: CountedFile) -> None:
        if len(self._not_worth_it) >= _NOT_WORTH_IT_MAX:
            self._not_worth_it = {}
        self._not_worth_it[folding.digest + counted.name.encode()] = None


def _covered(merged: MergedStates | None, counted: CountedFile) -> bool:
    return merged is not None and merged.covers(counted)


class _Background:
    """One thread for what no question waits for: each piece of work once, a bounded number of them waiting, and none while one is asked.

    Beside a question it would take the cores that the question wants: a first question took twice as long.
    """

    def __init__(self) -> None:
        self._asking = 0
        self._asked_at = 0.0
        self._waiting: deque[tuple[bytes, Callable[[], object]]] = deque()
        self._keys: set[bytes] = set()
        self._changed = threading.Condition()
        self._is_busy = False
        self._is_closed = False
        self._thread: threading.Thread | None = None

    def add(self, key: bytes, work: Callable[[], object]) -> None:
        """Have it done some time, unless it waits already or too much does: it is only a cache that goes without."""
        with self._changed:
            if self._is_closed or key in self._keys or len(self._waiting) >= _WAITING_MAX:
                return
            self._waiting.append((key, work))
            self._keys.add(key)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="tallystick-partials", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    @contextmanager
    def asking(self) -> Generator[None]:
        """Say for the length of a `with` that a question is being answered."""
        with self._changed:
            self._asking += 1
        try:
            yield
        finally:
            with self._changed:
                self._asking -= 1
                self._asked_at = time.monotonic()

    def _wait_for_quiet(self) -> None:
        """Wait until no question was asked for a moment, or for a second: where they never cease, it goes on among them."""
        give_up_at = time.monotonic() + _QUIET_S_MAX
        with self._changed:
            while not self._is_closed and (now := time.monotonic()) < give_up_at:
                quiet_s = now - self._asked_at
                if not self._asking and quiet_s >= _QUIET_S:
                    return
                self._changed.wait(_QUIET_S if self._asking else _QUIET_S - quiet_s)

    def wait(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._is_closed or not (self._waiting or self._is_busy))

    def close(self) -> None:
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._is_busy = False
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._is_closed or self._waiting)
                if self._is_closed:
                    return
                key, work = self._waiting.popleft()
                self._keys.discard(key)
                self._is_busy = True
            self._wait_for_quiet()
            try:
                work()
            except CrashedHere:
                with self._changed:
                    self._is_closed = True
                    self._changed.notify_all()
                return
            except TallystickError as error:
                # A damaged segment is told to whoever asks a question of it.
                _log.warning("states are not made: %s", error)
            except Exception:  # noqa: BLE001 - a mistake of ours must not end the thread; the question is answered from rows
                _log.exception("states are not made")
