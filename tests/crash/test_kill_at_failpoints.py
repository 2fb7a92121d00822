"""SIGKILL at every named step between two writes, then again at the same step of the next life: nothing lost, nothing double.

The steps are found in the source, so a new failpoint is covered the moment it is written; one that this load never reaches fails its test.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.crash import engine_load
from tests.crash.child_process import ROOT, run_module
from tests.crash.conftest import soak_rounds
from tests.crash.fault_shim import Action, FaultShim, Operation, Rules
from tests.crash.judgement import judge
from tests.crash.witness import acknowledged

_HIT = re.compile(r"\bhit\(\s*\"([\w.]+)\"\s*\)")
SOURCES = ("core/tallystick", "server/tallystick_server")
# More than any step needs to be reached; at it, the load has ended by itself and the step was never reached.
BATCHES_MAX = 2_000


def failpoints() -> list[str]:
    texts = [path.read_text() for source in SOURCES for path in sorted((ROOT / source).rglob("*.py"))]
    return sorted({name for text in texts for name in _HIT.findall(text)})


# The steps of backups are killed at in `test_kill_during_backup`.
STEPS_OF_BACKUPS = ("backup.", "restore.")


def kill_at(name: str, *, nth: int, folder: Path) -> None:
    ended = run_module(
        engine_load.__name__,
        folder / "data",
        folder / "witness",
        BATCHES_MAX,
        variables={"TALLYSTICK_FAILPOINTS": f"{name}=kill:{nth}"},
    )
    assert ended.returncode == -9, f"{name} was never reached" if ended.returncode == 0 else ended.stderr


def told(folder: Path) -> bytes:
    witness = folder / "witness"
    return witness.read_bytes() if witness.exists() else b""


def test_the_failpoints_are_found_in_the_source() -> None:
    assert {"log.before_commit", "log.committed", "checkpoint.before_manifest"} <= set(failpoints())


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in failpoints() if not name.startswith(STEPS_OF_BACKUPS)])
def test_a_kill_at_a_failpoint_and_again_in_the_next_life_loses_and_doubles_nothing(
    name: str, memory_folder: Path
) -> None:
    for nth in (1, 2):
        kill_at(name, nth=nth, folder=memory_folder)
    judge(memory_folder / "data", told(memory_folder))


@pytest.mark.soak
@pytest.mark.parametrize("name", [name for name in failpoints() if not name.startswith(STEPS_OF_BACKUPS)])
def test_many_kills_at_a_failpoint_lose_and_double_nothing(name: str, tmp_path: Path) -> None:
    for round_number in range(soak_rounds(10)):
        kill_at(name, nth=1 + round_number % 4, folder=tmp_path)
        judge(tmp_path / "data", told(tmp_path))


@pytest.mark.slow
def test_a_kill_at_any_system_call_of_a_start_or_a_commit_loses_and_doubles_nothing(
    memory_folder: Path, shim: FaultShim
) -> None:
    """Between failpoints too: every write, sync, rename and unlink of some lives is the last of one."""
    with Rules(memory_folder / "rules") as rules:
        variables = shim.environment(memory_folder / "data", rules=rules)
        for number in range(1, 93, 13):
            for action in (Action.KILL_BEFORE, Action.TORN, Action.KILL_AFTER):
                calls = Operation.WRITE | Operation.SYNC | Operation.RENAME | Operation.UNLINK
                calls = Operation.WRITE if action is Action.TORN else calls
                rules.set_rule(calls, action, first=number, last=number)
                ended = run_module(
                    engine_load.__name__,
                    memory_folder / "data",
                    memory_folder / "witness",
                    BATCHES_MAX,
                    variables=variables,
                )
                assert (ended.returncode, rules.acted()) == (-9, 1), ended.stderr
    assert len(acknowledged(told(memory_folder)).batches) > 10
    judge(memory_folder / "data", told(memory_folder))
