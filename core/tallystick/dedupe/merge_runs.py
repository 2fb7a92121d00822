"""Makes one run of several, as a stream: memory is bounded by a chunk of each, whatever their size.

Promises: the merged run holds exactly the keys of the others; every page read is checked, so damage stops the merge and never spreads.
Does not: remove the old files: the manifest names either them or the new one, and until it changed both are needed.
The work is done by numpy calls of a few milliseconds that run without the interpreter's lock, so ingest goes on beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from tallystick.failpoints import hit

from .identity_hash import Hashes, Positions
from .run_entry import RunEntry
from .run_file import RunFile
from .run_writer import RunWriter

# A quarter of a megabyte of each run: fits the processor's cache, and no call holds the interpreter's lock for a millisecond.
PAGES_AT_A_TIME: Final = 256


def merge_runs(
    directory: Path, entries: Sequence[RunEntry], *, number: int, pages_at_a_time: int = PAGES_AT_A_TIME
) -> RunEntry:
    """Write one run with the keys of all entries and return once it will survive a power cut; called off the writer thread.

    Costs about a tenth of a microsecond a key. Raises `DamagedStore` and `OSError`; nothing is lost then, and it may be tried again.
    """
    hit("dedupe.merge_started")
    by_age = sorted(entries, key=lambda entry: entry.first_position)
    with RunWriter(
        directory,
        number=number,
        count=sum(entry.count for entry in by_age),
        first_position=by_age[0].first_position,
        last_position=max(entry.last_position for entry in by_age),
        first_received_at=min(entry.first_received_at for entry in by_age),
        last_received_at=max(entry.last_received_at for entry in by_age),
    ) as writer:
        sources = [_Source(RunFile(directory, entry), pages_at_a_time) for entry in by_age]
        while sources := [source for source in sources if source.hashes.size]:
            # All that any run still holds beyond its chunk is as large as the chunk's last key, so up to the smallest of these is final.
            bound = min(source.hashes[-1] for source in sources)
            parts = [source.take_through(bound) for source in sources]
            hashes = np.concatenate([part for part, _ in parts])
            positions = np.concatenate([part for _, part in parts])
            # Stable, because that sort recognises sorted stretches and merges them: 7 ns a key where a sort from scratch takes 57.
            order = np.argsort(hashes, kind="stable")
            writer.add(hashes[order], positions[order])
            hit("dedupe.merge_chunk")
        return writer.finish()


class _Source:
    """What is left of one run, with a chunk of it in memory; `hashes` is empty when nothing is left."""

    def __init__(self, run: RunFile, pages_at_a_time: int) -> None:
        self._chunks = run.chunks(pages_at_a_time)
        self.hashes: Hashes = np.empty(0, np.uint64)
        self._positions: Positions = np.empty(0, np.int64)
        self._fill()

    def take_through(self, bound: np.uint64) -> tuple[Hashes, Positions]:
        """Take the chunk's keys up to and with `bound` out of it."""
        end = int(np.searchsorted(self.hashes, bound, "right"))
        taken = self.hashes[:end], self._positions[:end]
        self.hashes, self._positions = self.hashes[end:], self._positions[end:]
        if not self.hashes.size:
            self._fill()
        return taken

    def _fill(self) -> None:
        for hashes, positions in self._chunks:
            if hashes.size:
                self.hashes, self._positions = hashes, positions
                return
