"""Prints what the dedupe index costs at 1, 10 and 50 million keys: `python tests/bench/dedupe_timing.py [MILLIONS ...]`.

For each size: finding and adding new keys (with checkpoints, merges not counted), re-sent keys, memory, bytes on disk and the time to open.
One thread does it all, in turn, so each figure is of that work alone; its processor time, so that waits for a disk are left out.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from itertools import count
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tallystick.dedupe import DedupeIndex, merge_runs, plan_merge, remove_runs, write_run
from tallystick.instant import Instant

CHECKPOINT_KEYS = 262_144
BATCHES = (64, 1_000, 5_000)
ROUNDS = 120


class Filling:
    """An index that is filled with random keys, checkpointed and merged as the engine does it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.index = DedupeIndex(directory, runs=[])
        self.key_count = 0
        self.merge_s = 0.0
        self.merged_keys = 0
        self.write_s = 0.0
        self._numbers = count(1)
        self._random = np.random.default_rng(7)

    def keys(self, size: int) -> npt.NDArray[np.uint64]:
        """Return keys that were never drawn before."""
        return self._random.integers(0, 1 << 64, size, np.uint64)

    def add(self, hashes: npt.NDArray[np.uint64]) -> None:
        """Add keys at the next positions."""
        self.index.add(hashes, np.arange(self.key_count, self.key_count + hashes.size))
        self.key_count += hashes.size

    def fill(self, key_count: int) -> None:
        """Add keys until there are so many, most of them in runs."""
        while self.key_count < key_count:
            for _ in range(CHECKPOINT_KEYS // 4_096):
                self.add(self.keys(4_096))
            self.checkpoint()

    def checkpoint(self) -> None:
        """Write the recent keys, and merge what should be merged."""
        sealed = self.index.seal()
        if sealed is None:
            return
        started = time.thread_time()
        now = Instant(self.key_count)
        entry = write_run(
            self.directory, sealed, number=next(self._numbers), first_received_at=now, last_received_at=now
        )
        self.write_s += time.thread_time() - started
        self.index.adopt(self.index.open_run(entry), sealed)
        if plan := plan_merge(self.index.runs):
            started = time.thread_time()
            merged = merge_runs(self.directory, plan, number=next(self._numbers))
            self.merge_s += time.thread_time() - started
            self.merged_keys += merged.count
            self.index.replace(plan, self.index.open_run(merged))
            remove_runs(self.directory, plan)


def resident_mb() -> float:
    """Return the resident size of this process in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def new_key_cost_us(filling: Filling, batch: int) -> tuple[float, float]:
    """Return the cost of finding and adding a new key: the mean, and the median over batches."""
    costs: list[float] = []
    for _ in range(ROUNDS if batch > 64 else ROUNDS * 10):
        hashes = filling.keys(batch)
        positions = np.arange(filling.key_count, filling.key_count + batch)
        started = time.thread_time()
        filling.index.candidates(hashes)
        filling.index.add(hashes, positions)
        costs.append(time.thread_time() - started)
        filling.key_count += batch
        if filling.index.active_count > CHECKPOINT_KEYS:
            filling.checkpoint()
    return 1e6 * sum(costs) / len(costs) / batch, 1e6 * float(np.median(costs)) / batch


def old_key_cost_us(filling: Filling, keys: npt.NDArray[np.uint64]) -> float:
    """Return the cost of finding a key that is stored, asked for 1,000 at a time."""
    started = time.thread_time()
    for at in range(0, keys.size, 1_000):
        asked = keys[at : at + 1_000]
        if filling.index.candidates(asked).rows.size < asked.size:
            raise AssertionError("a stored key was not found")
    return 1e6 * (time.thread_time() - started) / keys.size


def measure(filling: Filling, key_count: int) -> None:
    """Fill the index up to so many keys and print its figures."""
    filling.fill(key_count - CHECKPOINT_KEYS)
    oldest = np.random.default_rng(7).integers(0, 1 << 64, 4_096, np.uint64)
    index = filling.index
    print(f"\n{filling.key_count / 1e6:.1f} M keys in {len(index.runs)} runs: {[run.count for run in index.runs]}")
    for batch in BATCHES:
        mean, median = new_key_cost_us(filling, batch)
        print(
            f"  new keys, batches of {batch:>5}: {mean:.3f} us a key (median {median:.3f}), {mean * batch:.1f} us a call"
        )
    recent = filling.keys(20_000)
    filling.add(recent)
    print(f"  re-sent keys: {old_key_cost_us(filling, oldest):.2f} us a key from runs, ", end="")
    print(f"{old_key_cost_us(filling, recent):.2f} us since the checkpoint")
    started = time.thread_time()
    for key in oldest[:500].tolist():
        index.find_one(key)
    print(f"  find_one: {1e6 * (time.thread_time() - started) / 500:.1f} us")
    stored = sum(run.count for run in index.runs)
    print(
        f"  disk: {sum(run.file_bytes for run in index.runs) / stored:.2f} bytes a key; resident {resident_mb():.0f} MB"
    )
    started = time.thread_time()
    again = DedupeIndex(filling.directory, runs=index.runs)
    print(f"  open: {1e3 * (time.thread_time() - started):.0f} ms for {again.key_count / 1e6:.1f} M keys")
    if filling.merged_keys:
        print(
            f"  written: {filling.write_s / filling.key_count * 1e9:.0f} ns a key; merged {filling.merged_keys / filling.key_count:.1f}"
            f" times, {filling.merge_s / filling.merged_keys * 1e9:.0f} ns a key and merge"
        )


def main() -> None:
    """Measure one size after the other, in one growing index."""
    sizes = sorted(float(size) for size in sys.argv[1:]) or [1.0, 10.0, 50.0]
    print(f"resident at the start: {resident_mb():.0f} MB")
    with tempfile.TemporaryDirectory(prefix="dedupe-timing-") as directory:
        filling = Filling(Path(directory))
        for millions in sizes:
            measure(filling, int(millions * 1e6))


if __name__ == "__main__":
    main()
