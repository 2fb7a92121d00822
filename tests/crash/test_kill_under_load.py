"""SIGKILL of the real process while clients send, again and again, also while it starts: nothing lost, nothing double, ready soon."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.appliance import Appliance
from tests.crash.audit import audit, define_meters
from tests.crash.child_process import environment
from tests.crash.conftest import soak_rounds
from tests.crash.sending_clients import SendingClients

ROUNDS = 6
# Of which a second is the interpreter's; the rest is slack for a machine that runs other tests beside.
READY_S = 20.0
SETTINGS = {"engine.checkpoint_events": 2_000, "engine.disk_free_min_bytes": 1 << 20}


def kill_in_rounds(folder: Path, rounds: int, *, seed: int) -> None:
    chance = random.Random(seed)
    with Appliance(folder, settings=SETTINGS) as appliance:
        define_meters(appliance)
        with SendingClients(appliance.url) as clients:
            for round_number in range(rounds):
                clients.await_acknowledged(more=chance.randint(10, 60))
                appliance.kill()
                for _ in range(round_number % 3):
                    appliance.start(wait_for_ready=False)
                    kill_within(appliance, chance.uniform(0, 0.4))
                started = time.monotonic()
                appliance.start()
                assert time.monotonic() - started < READY_S
                with clients.paused():
                    audit(appliance, acknowledged=clients.acknowledged, sent=clients.sent)
            clients.await_acknowledged(more=20)
        audit(appliance, acknowledged=clients.acknowledged, sent=clients.sent)
        assert clients.sent_again > 0, "no client noticed that the appliance was killed"
        appliance.kill()
        verified = subprocess.run(
            [sys.executable, "-m", "tallystick_server", "verify", "--data", str(appliance.data)],
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert verified.returncode == 0, verified.stdout + verified.stderr


def kill_within(appliance: Appliance, seconds: float) -> None:
    """Kill it after a moment, while it recovers; it may have ended its recovery by then."""
    with pytest.raises(subprocess.TimeoutExpired):
        appliance.process.wait(timeout=seconds)
    appliance.kill()


@pytest.mark.slow
def test_kills_under_load_and_while_recovering_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    kill_in_rounds(tmp_path / "appliance", ROUNDS, seed=1)


@pytest.mark.soak
def test_a_long_row_of_kills_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    for seed in range(2, 2 + max(1, soak_rounds(60) // 20)):
        kill_in_rounds(tmp_path / f"appliance-{seed}", 20, seed=seed)


@pytest.mark.slow
def test_a_process_that_was_stopped_for_a_while_counts_what_was_sent_again_once(tmp_path: Path) -> None:
    with Appliance(tmp_path / "appliance", settings=SETTINGS) as appliance:
        define_meters(appliance)
        with SendingClients(appliance.url, answer_timeout_s=0.5) as clients:
            for _ in range(2):
                clients.await_acknowledged(more=20)
                appliance.process.send_signal(signal.SIGSTOP)
                clients.await_sent_again(more=12)
                appliance.process.send_signal(signal.SIGCONT)
            clients.await_acknowledged(more=20)
        audit(appliance, acknowledged=clients.acknowledged, sent=clients.sent)
