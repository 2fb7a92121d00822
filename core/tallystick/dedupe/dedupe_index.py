"""The index of identities: which positions of the log may hold an event of a given identity.

Promises: every position ever added under a hash is among the candidates of that hash, from the moment `add` returns; a hash that was never
added has none. Several positions may share a hash, by chance or because an identity came again after the window: all are returned.
Does not: decide. The index is only a hint, the log decides: whoever asks fetches the events at the candidates and compares identity and
content. Nor does it forget single keys; whole runs are dropped once they are older than the window.

Keys live in one of three places: added since the last checkpoint (`RecentKeys`, in memory), the same but sealed while the checkpoint writes
them, and run files. Each has a filter; all filters lie in one arena, and a batch is tested against all of them in one call.
Only what a filter lets through costs more: a page read from a run, of which 1 in 100 is in vain.

Threads: one writer thread calls `candidates`, `add`, `seal`, `adopt`, `replace` and `drop_before`. Any thread may call `find_one`,
`runs` and `open_run`. What readers see is one immutable view, swapped as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from tallystick.instant import Instant

from .block_filter import probe
from .filter_arena import ALWAYS, RESERVED_BYTES_MIN, FilterArena, FilterPlace
from .identity_hash import Hashes, Positions
from .pairs_digest import PairsDigest
from .recent_keys import FILTER_WORDS, RecentKeys
from .run_entry import RunEntry
from .run_file import RunFile
from .run_header import RunLayout
from .sealed_keys import SealedKeys

# More would push the temporary rows of a batch out of the processor's cache.
_KEYS_AT_A_TIME: Final = 8_192
# So few suspects of a batch are looked up one by one: that costs 5 µs each, numpy's calls 140 µs before the first.
_ONE_BY_ONE_MAX: Final = 64


class Candidates(msgspec.Struct, frozen=True, eq=False):
    """`positions[i]` is stored under the hash of row `rows[i]`; both ascend, rows first. Rows that are absent are new."""

    rows: npt.NDArray[np.int64]
    positions: Positions

    def __len__(self) -> int:
        return self.rows.size


class OpenRun(msgspec.Struct, frozen=True, eq=False):
    """A run file with its filter in memory, ready to be adopted."""

    file: RunFile
    place: FilterPlace

    @property
    def entry(self) -> RunEntry:
        """What the manifest keeps of it."""
        return self.file.entry


class _View(msgspec.Struct, frozen=True, eq=False):
    """What is searched, oldest run first; `word_counts` and `starts` are columns, a row for each of `runs`, `sealed` and `active`."""

    runs: tuple[OpenRun, ...]
    sealed: _Recent | None
    active: _Recent
    word_counts: Hashes
    starts: Hashes


class _Recent(msgspec.Struct, frozen=True, eq=False):
    """Keys in memory and the place of their filter; `token` is what `seal` answered."""

    keys: RecentKeys
    place: FilterPlace
    token: SealedKeys | None


class Suspects(msgspec.Struct, frozen=True, eq=False):
    """The keys of a batch that may be there: a row for each place that is searched, a column for each hash."""

    view: _View
    hashes: Hashes
    maybe: npt.NDArray[np.bool_]

    @property
    def anywhere(self) -> npt.NDArray[np.bool_]:
        """For each hash whether any place may have it; what is false here is certainly new."""
        anywhere: npt.NDArray[np.bool_] = np.any(self.maybe, axis=0)
        return anywhere


_NOTHING: Final = Candidates(np.empty(0, np.int64), np.empty(0, np.int64))


class DedupeIndex:
    """The index over the runs that the manifest names. Opening reads their filters: some 80 ms for 50 million keys.

    Raises `DamagedStore` when a run is missing or its header, page table or filter is not what was written.
    """

    def __init__(self, directory: Path, *, runs: Sequence[RunEntry]) -> None:
        self._directory = directory
        filter_bytes = sum(RunLayout(entry.count).filter_words for entry in runs) * 8
        self._arena = FilterArena(reserved_bytes=max(RESERVED_BYTES_MIN, filter_bytes * 4))
        self._words = self._arena.words
        opened = tuple(self.open_run(entry) for entry in sorted(runs, key=lambda entry: entry.first_position))
        self._view = _make_view(opened, None, self._new_recent())

    @property
    def runs(self) -> tuple[RunEntry, ...]:
        """The runs that are searched, oldest first."""
        return tuple(run.entry for run in self._view.runs)

    @property
    def active_count(self) -> int:
        """How many keys were added since the last `seal`."""
        return len(self._view.active.keys)

    @property
    def key_count(self) -> int:
        """How many keys the index holds."""
        view = self._view
        sealed = len(view.sealed.keys) if view.sealed is not None else 0
        return sum(run.entry.count for run in view.runs) + sealed + len(view.active.keys)

    @property
    def recent_digest(self) -> PairsDigest:
        """The digest of the keys in no run yet. Called while nothing is added, by `verify`."""
        view = self._view
        digest = PairsDigest().with_pairs(*view.active.keys.pairs())
        return digest if view.sealed is None else digest.with_pairs(*view.sealed.keys.pairs())

    def candidates(self, hashes: Hashes) -> Candidates:
        """Return every stored position of each hash. Equal hashes within the batch are the caller's to notice.

        Raises `DamagedStore` when a page that must be read is not what was written, `OSError` when it cannot be read.
        """
        return self.candidates_among(self.suspects(hashes))

    def suspects(self, hashes: Hashes) -> Suspects:
        """Return which of the hashes get past a filter; memory alone is asked."""
        view = self._view
        if hashes.size <= _KEYS_AT_A_TIME:
            return Suspects(view, hashes, self._maybe(view, hashes))
        parts = [self._maybe(view, hashes[at : at + _KEYS_AT_A_TIME]) for at in range(0, hashes.size, _KEYS_AT_A_TIME)]
        return Suspects(view, hashes, np.concatenate(parts, axis=1))

    def candidates_among(self, suspects: Suspects, *, known: npt.NDArray[np.bool_] | None = None) -> Candidates:
        """Return every stored position of each suspect but those whose place is known already. Raises as `candidates`."""
        maybe = suspects.maybe if known is None else suspects.maybe & ~known
        if not maybe.any():
            return _NOTHING
        return self._search(suspects.view, suspects.hashes, maybe)

    def positions_of_suspect(self, suspects: Suspects, row: int) -> list[int]:
        """Return every stored position of one suspect, ascending. Raises as `candidates`."""
        places = _places_of(suspects.view)
        key = int(suspects.hashes[row])
        numbers: list[int] = np.flatnonzero(suspects.maybe[:, row]).tolist()
        return sorted(position for number in numbers for position in _finder(places[number])(key))

    def find_one(self, key: int) -> list[int]:
        """Return every stored position of one hash, ascending; from any thread, for a receipt: some 5 µs for each run."""
        view = self._view
        return sorted(position for place in _places_of(view) for position in place.find_one(key))

    def add(self, hashes: Hashes, positions: Positions) -> None:
        """Keep the position of each hash; seen by the next lookup. Positions of events that are on disk, or no answer is given for."""
        if hashes.size:
            self._view.active.keys.add(hashes, positions)

    def seal(self) -> SealedKeys | None:
        """Begin a checkpoint: return the keys added since the last one, which stay searched, and start anew; None if there are none.

        The keys sealed before must have been adopted.
        """
        view = self._view
        if view.sealed is not None:
            raise RuntimeError("the keys of the last checkpoint were not adopted")
        if not len(view.active.keys):
            return None
        sealed = SealedKeys(*view.active.keys.pairs())
        still = _Recent(view.active.keys, view.active.place, sealed)
        self._view = _make_view(view.runs, still, self._new_recent())
        return sealed

    def open_run(self, entry: RunEntry) -> OpenRun:
        """Open a run that was just written and read its filter; off the writer thread, before `adopt` or `replace`.

        Raises `DamagedStore`. An opened run that is not used after all is given back by `discard`.
        """
        file = RunFile(self._directory, entry)
        place = self._arena.take(file.layout.filter_words)
        run = OpenRun(file, place)
        try:
            # Read even if there was no room for it: what is damaged shall be seen when it is opened.
            homeless = place == ALWAYS
            file.read_filter(np.empty(file.layout.filter_words, np.uint64) if homeless else self._arena.at(place))
        except BaseException:
            self._arena.give_back(place)
            raise
        return run

    def discard(self, run: OpenRun) -> None:
        """Give back a run that was opened and neither adopted nor swapped in."""
        self._arena.give_back(run.place)

    def adopt(self, run: OpenRun, sealed: SealedKeys) -> None:
        """End a checkpoint: search the run instead of the sealed keys that it was written from. Costs the same for any number of keys."""
        view = self._view
        if view.sealed is None or view.sealed.token is not sealed:
            raise RuntimeError("these are not the keys that were sealed last")
        self._view = _make_view((*view.runs, run), None, view.active)
        self._arena.give_back(view.sealed.place)

    def replace(self, old: Sequence[RunEntry], new: OpenRun) -> None:
        """Search the merged run instead of those that it was made from. Their files may be removed once the manifest names the new one."""
        gone = set(old)
        view = self._view
        if not gone <= {run.entry for run in view.runs}:
            raise RuntimeError("a run that was merged is not in the index")
        kept = [run for run in view.runs if run.entry not in gone]
        runs = tuple(sorted([*kept, new], key=lambda run: run.entry.first_position))
        self._view = _make_view(runs, view.sealed, view.active)
        for run in view.runs:
            if run.entry in gone:
                self._arena.give_back(run.place)

    def drop_before(self, bound: Instant) -> tuple[RunEntry, ...]:
        """Stop searching the runs whose every event was received before `bound`; returns them, for the manifest and removal."""
        view = self._view
        gone = [run for run in view.runs if run.entry.last_received_at < bound]
        if gone:
            kept = tuple(run for run in view.runs if run.entry.last_received_at >= bound)
            self._view = _make_view(kept, view.sealed, view.active)
            for run in gone:
                self._arena.give_back(run.place)
        return tuple(run.entry for run in gone)

    def _maybe(self, view: _View, hashes: Hashes) -> npt.NDArray[np.bool_]:
        return probe(self._words, hashes, word_counts=view.word_counts, starts=view.starts)

    def _search(self, view: _View, hashes: Hashes, maybe: npt.NDArray[np.bool_]) -> Candidates:
        """Look up what the filters let through; `maybe` has a row for each place and a column for each hash."""
        places = _places_of(view)
        if np.count_nonzero(maybe) <= _ONE_BY_ONE_MAX:
            numbers, asked = maybe.nonzero()
            finders = [_finder(place) for place in places]
            pairs = [
                (row, position)
                for number, row, key in zip(numbers.tolist(), asked.tolist(), hashes[asked].tolist(), strict=True)
                for position in finders[number](key)
            ]
            if not pairs:
                return _NOTHING
            both = np.array(sorted(pairs), np.int64)
            return Candidates(both[:, 0], both[:, 1])
        rows: list[npt.NDArray[np.int64]] = []
        positions: list[Positions] = []
        for number in np.flatnonzero(maybe.any(axis=1)).tolist():
            asked = np.flatnonzero(maybe[number])
            found, stored = places[number].find(hashes[asked])
            if found.size:
                rows.append(asked[found])
                positions.append(stored)
        if not rows:
            return _NOTHING
        all_rows, all_positions = np.concatenate(rows), np.concatenate(positions)
        order = np.lexsort((all_positions, all_rows))
        return Candidates(all_rows[order], all_positions[order])

    def _new_recent(self) -> _Recent:
        place = self._arena.take(FILTER_WORDS)
        words = self._arena.at(place)
        # Without room in the arena the keys are filtered by nothing: `ALWAYS` sends every lookup to their chains.
        return _Recent(RecentKeys(np.zeros(1, np.uint64) if place == ALWAYS else words), place, None)


def _places_of(view: _View) -> list[RunFile | RecentKeys]:
    """Return what is searched, in the order of the view's columns."""
    places: list[RunFile | RecentKeys] = [run.file for run in view.runs]
    if view.sealed is not None:
        places.append(view.sealed.keys)
    places.append(view.active.keys)
    return places


def _finder(place: RunFile | RecentKeys) -> Callable[[int], list[int]]:
    """Return how one key is looked up there, on the thread that adds."""
    return place.find_one if isinstance(place, RunFile) else place.find_while_adding


def _make_view(runs: tuple[OpenRun, ...], sealed: _Recent | None, active: _Recent) -> _View:
    places = [run.place for run in runs]
    places += [recent.place for recent in (sealed, active) if recent is not None]
    word_counts = np.array([[place.word_count] for place in places], np.uint64)
    starts = np.array([[place.start] for place in places], np.uint64)
    return _View(runs, sealed, active, word_counts, starts)
