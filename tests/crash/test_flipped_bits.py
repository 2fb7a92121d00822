"""One bit turns in one file: `verify` says so, or nothing depended on it; and no question is ever answered wrongly."""

from __future__ import annotations

import random
import select
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec
import pytest

from tallystick.api_key import Scope
from tallystick.customer import Customer
from tallystick.engine.engine import ignore_progress
from tallystick.engine.offline import verify_directory
from tallystick.identity import Identity
from tests.crash import flipped_bits, numbered_events, small_engine
from tests.crash.child_process import ROOT, environment
from tests.crash.conftest import soak_rounds
from tests.crash.flipped_bits import WRITES, Verdict
from tests.crash.numbered_events import event_id, numbers

SILENT_S = 60.0
# Signals by which a damaged map ends a process; the command line reports each as damage.
ENDED_BY_DAMAGE = {signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGFPE, signal.SIGILL}


def furnished(directory: Path) -> Path:
    """Make a directory in which everything occurs: files of every kind, merged ones, a tail, voids, refusals, re-sends, definitions."""
    engine = small_engine.opened(directory, with_background=False)
    for batch in range(30):
        engine.ingest(small_engine.batch_of(numbered_events.body(numbers(batch))))
        if batch % 3 == 2:
            engine.ingest(small_engine.batch_of(numbered_events.body(numbers(batch - 1))))
            engine.ingest(small_engine.batch_of(b'[{"id": "refused-%d", "type": "call"}]' % batch))
            engine.void_events([Identity("", event_id(numbers(batch)[0]))], reason="test", remember_missing=False)
        if batch < 26 and batch % 2 == 1:
            engine.checkpoint()
        if batch == 17:
            while engine.merge():
                pass
    engine.void_events([Identity("", "awaited")], reason="test", remember_missing=True)
    engine.put_meter(small_engine.SUM, create=True)
    engine.put_customer(Customer(key="customer-1", name="One", email="one@example.com"), create=True)
    engine.create_api_key(name="a key", scopes=[Scope.READ], expires_at=None)
    engine.close()
    assert verify_directory(directory, ignore_progress, settings=small_engine.SETTINGS).problems == []
    return directory


class Flipper:
    """The process that judges, made anew each time a flip has ended it."""

    def __init__(self, original: Path, folder: Path) -> None:
        self._original, self._folder = original, folder
        self._child: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._child is not None:
            self._child.kill()
            self._child.communicate()

    def verdict(self, name: str, bit: int) -> Verdict | int:
        """Return what came of a flip, or the signal that ended the process over it."""
        child = self._child
        if child is None or child.poll() is not None:
            self._folder.mkdir(exist_ok=True)
            child = self._child = subprocess.Popen(
                [sys.executable, "-m", flipped_bits.__name__, str(self._original), str(self._folder)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                env=environment(TMPDIR=str(self._folder)),
                cwd=ROOT,
            )
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(f"{name} {bit}\n")
        child.stdin.flush()
        assert select.select([child.stdout], [], [], SILENT_S)[0], f"{name} bit {bit}: no end after {SILENT_S} s"
        line = child.stdout.readline()
        if line:
            return msgspec.json.decode(line, type=Verdict)
        ended_by = -child.wait(SILENT_S)
        self._child = None
        child.communicate()
        return ended_by


def places(directory: Path, *, each: int, seed: int) -> Iterator[tuple[str, int]]:
    """Yield random bits of each file; more of the log, on which everything depends."""
    chance = random.Random(seed)
    for file in sorted(path for path in directory.rglob("*") if path.is_file()):
        if file.name in {"lock", "lock.mdb"}:
            continue  # of a process that has ended: nothing is read from them
        bits = file.stat().st_size * 8
        count = 4 * each if file.name == "data.mdb" else each
        for bit in sorted(chance.sample(range(bits), min(count, bits))):
            yield str(file.relative_to(directory)), bit


def flip_everywhere(memory_folder: Path, *, each: int, seed: int) -> None:
    original = furnished(memory_folder / "original")
    outcomes: Counter[str] = Counter()
    faults: list[str] = []
    with Flipper(original, memory_folder / "flips") as flipper:
        for name, bit in places(original, each=each, seed=seed):
            verdict = flipper.verdict(name, bit)
            kind = name.split("/", maxsplit=1)[0]
            if isinstance(verdict, int):
                outcomes[f"{kind}: the process ended"] += 1
                if verdict not in ENDED_BY_DAMAGE:
                    faults.append(f"{name} bit {bit}: ended by {verdict}")
                continue
            outcomes[f"{kind}: {'noticed' if verdict.is_noticed else 'free space'}"] += 1
            faults += [f"{name} bit {bit}: {wrong}" for wrong in verdict.wrong + verdict.broken]
            if not verdict.is_noticed:
                # LMDB's list of free pages is read by writes alone: a write that it stops is refused, and every question answered.
                stopped = [refused for refused in verdict.refused if not refused.startswith(WRITES)]
                faults += [f"{name} bit {bit}: verify is silent, and {refused}" for refused in stopped]
    assert faults == []
    assert outcomes["log: noticed"] > 0
    assert outcomes["segments: noticed"] > 0
    assert outcomes["dedupe: noticed"] > 0


@pytest.mark.slow
def test_one_flipped_bit_is_noticed_or_changes_no_answer(memory_folder: Path) -> None:
    flip_everywhere(memory_folder, each=10, seed=1)


@pytest.mark.soak
def test_two_hundred_flipped_bits_in_each_file_are_noticed_or_change_no_answer(memory_folder: Path) -> None:
    flip_everywhere(memory_folder, each=soak_rounds(200), seed=2)
