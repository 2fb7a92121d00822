"""The plug is pulled: whatever the disk may hold then, what was acknowledged is there, once."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.crash import engine_load
from tests.crash.child_process import run_file, run_module
from tests.crash.conftest import soak_rounds
from tests.crash.fault_shim import Action, FaultShim, Operation, Rules
from tests.crash.judgement import judge
from tests.crash.powerloss import images, read_trace

BATCHES = 36
UNTIL_KILLED = 10_000
QUICK_POINTS = 20
SOAK_POINTS = 400


class TracedLoad:
    """A load whose every write is recorded; `root` is the disk, on which the data directory is made."""

    def __init__(self, folder: Path, shim: FaultShim) -> None:
        self.root = folder / "disk"
        self.root.mkdir()
        self.trace = folder / "trace"
        self.rules = Rules(folder / "rules")
        self._witness = folder / "witness"
        self._variables = shim.environment(self.root, rules=self.rules, trace=self.trace, witness=self._witness)
        self._folder = folder

    def run(self, batches: int, *, failpoints: str = "") -> int:
        """Feed the engine until so many batches are acknowledged, or a failpoint ends it; returns the exit code."""
        ended = run_module(
            engine_load.__name__,
            self.root / "data",
            self._witness,
            batches,
            variables=self._variables | {"TALLYSTICK_FAILPOINTS": failpoints},
        )
        assert ended.returncode in {0, -9}, ended.stderr
        return ended.returncode

    def judge_images(self, *, points: int, seed: int) -> int:
        """Judge so many instants, each with every fate; returns how many images there were."""
        count = 0
        for image in images(self.trace, self.root, self._folder, points=points, seed=seed):
            count += 1
            try:
                judge(image.directory / "data", image.told)
            except Exception as error:
                raise AssertionError(f"power loss at {image.name}: {error}") from error
        return count


def plain_load(load: TracedLoad) -> None:
    load.run(BATCHES)


def load_over_a_crash_in_a_checkpoint(load: TracedLoad) -> None:
    assert load.run(UNTIL_KILLED, failpoints="checkpoint.run_written=kill:2") == -9
    assert load.run(UNTIL_KILLED, failpoints="merge.run_written=kill:1") == -9
    load.run(BATCHES)


def load_over_failed_syncs_of_the_log(load: TracedLoad) -> None:
    load.rules.set_rule(Operation.SYNC, Action.FAIL, errno.EIO, first=30, last=32, part="data.mdb")
    load.run(BATCHES)
    assert load.rules.acted() == 3


def load_over_failed_syncs_of_files(load: TracedLoad) -> None:
    load.rules.set_rule(Operation.SYNC, Action.FAIL, errno.EIO, first=3, last=3, part="/segments/")
    load.rules.set_rule(Operation.SYNC, Action.FAIL, errno.EIO, first=2, last=2, part="/dedupe/", place=1)
    load.run(BATCHES)
    assert load.rules.acted(0) == load.rules.acted(1) == 1


def load_that_begins_with_a_crash(load: TracedLoad) -> None:
    """Kill it within the creation of the directory, at each of its first writes."""
    for number in range(1, 8):
        load.rules.set_rule(
            Operation.WRITE | Operation.RENAME | Operation.SYNC, Action.KILL_BEFORE, first=number, last=number
        )
        assert load.run(3) == -9
    load.rules.clear()
    load.run(6)


LOADS = [
    plain_load,
    load_over_a_crash_in_a_checkpoint,
    load_over_failed_syncs_of_the_log,
    load_over_failed_syncs_of_files,
    load_that_begins_with_a_crash,
]


@pytest.mark.slow
@pytest.mark.parametrize("load", LOADS)
def test_a_power_cut_loses_nothing_acknowledged_and_doubles_nothing(
    load: Callable[[TracedLoad], None], memory_folder: Path, shim: FaultShim
) -> None:
    traced = TracedLoad(memory_folder, shim)
    load(traced)
    assert traced.judge_images(points=QUICK_POINTS, seed=1) >= 4 * QUICK_POINTS


@pytest.mark.soak
@pytest.mark.parametrize("load", LOADS)
def test_a_power_cut_at_any_of_a_thousand_instants_loses_nothing(
    load: Callable[[TracedLoad], None], memory_folder: Path, shim: FaultShim
) -> None:
    traced = TracedLoad(memory_folder, shim)
    load(traced)
    traced.judge_images(points=soak_rounds(SOAK_POINTS), seed=2)


def test_the_disk_on_paper_notices_a_name_that_was_never_synced(memory_folder: Path, shim: FaultShim) -> None:
    """The test of the tests: a program that syncs its file but not its folder loses the file in some image."""
    disk = memory_folder / "disk"
    disk.mkdir()
    program = (
        "import os; f = os.open({!r}, os.O_WRONLY | os.O_CREAT); os.write(f, b'x' * 2000); os.fsync(f); os.fsync(f)"
    )
    variables = shim.environment(disk, trace=memory_folder / "trace")
    (memory_folder / "careless.py").write_text(program.format(str(disk / "file")))
    run_file(memory_folder / "careless.py", variables=variables)
    assert [record.kind for record in read_trace(memory_folder / "trace")] == ["C", "W", "S", "S"]
    contents = {
        (image.directory / "file").read_bytes() if (image.directory / "file").exists() else None
        for image in images(memory_folder / "trace", disk, memory_folder, points=4, seed=1)
    }
    assert None in contents
    assert b"x" * 2000 in contents
    assert any(content not in {None, b"", b"x" * 2000} for content in contents), "no write was ever torn"
