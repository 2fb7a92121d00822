"""The installed program in a real terminal: the dashboard of a running appliance, and the demonstration that opens it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.appliance import Appliance
from tests.installed.tmux import Tmux

PROGRAM = Path(sys.executable).with_name("tallystick")

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")


@pytest.fixture
def appliance(tmp_path: Path) -> Iterator[Appliance]:
    with Appliance(tmp_path / "appliance") as appliance:
        appliance.client.post(
            "/v1/meters", json={"key": "calls", "name": "Calls", "event_type": "call", "aggregation": "count"}
        )
        yield appliance


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Tmux]:
    folder = tmp_path / "home"
    folder.mkdir()
    environment = {
        "TALLYSTICK_CONFIG_HOME": str(folder / "config"),
        "TMPDIR": str(folder),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
    }
    with Tmux(folder, environment) as terminal:
        terminal.run(["true"])
        terminal.until("ended-0")
        yield terminal


def assert_as_before(terminal: Tmux) -> None:
    assert not terminal.is_on_other_screen
    assert terminal.modes == "cursor=1 mouse=0"
    # What is typed is seen again: the terminal is not left in raw mode.
    terminal.type("echo back-in-the-shell")
    terminal.until("echo back-in-the-shell")


def test_the_dashboard_opens_answers_keys_and_leaves_the_terminal_as_it_was(
    terminal: Tmux, appliance: Appliance
) -> None:
    key = appliance.new_key("read")
    # As a person does it: the connection first, its key typed where it does not show.
    terminal.run([str(PROGRAM), "connections", "add", "here", "--url", appliance.url])
    terminal.until("API key for")
    terminal.type(key)
    terminal.press("Enter")
    assert key not in terminal.until("Added here", "ended-0")

    terminal.run([str(PROGRAM), "tui"])
    screen = terminal.until("Overview", "Quit")
    assert terminal.is_on_other_screen
    assert max(len(line) for line in screen.splitlines()) <= 80
    assert key not in screen
    terminal.press("4")
    terminal.until("Meters]", "calls", "count")
    terminal.press("?")
    terminal.until("esc closes", "Ask the appliance again")
    terminal.press("Escape")
    terminal.until_so(lambda screen: "esc closes" not in screen, "the list of keys is closed")
    terminal.press("1")
    terminal.until("Overview]")
    terminal.press("q")
    terminal.until("ended-0")
    assert_as_before(terminal)


def test_a_wrong_key_is_told_in_the_dashboard_and_nothing_is_left_behind(terminal: Tmux, appliance: Appliance) -> None:
    terminal.run([str(PROGRAM), "tui", "--url", appliance.url])
    terminal.until("API key for")
    terminal.type("no-key-of-this-appliance")
    terminal.press("Enter")
    assert "no-key-of-this-appliance" not in terminal.until("not valid")
    terminal.press("q")
    terminal.until("ended-0")
    assert_as_before(terminal)


@pytest.mark.slow
def test_the_demonstration_opens_the_dashboard_and_a_signal_fires(terminal: Tmux, tmp_path: Path) -> None:
    terminal.run([str(PROGRAM), "demo", "--speed", "60"])
    terminal.until("Overview", "Quit")
    terminal.press("6")
    terminal.until("Signals]")
    terminal.press("q")
    screen = terminal.until("ended-0", "Proof")
    assert "✗" not in screen
    history = terminal.history
    fired = re.search(r"the signal fired (\d+) times, for (\d+) customers", history)
    assert fired is not None, history
    assert int(fired[1]) >= int(fired[2]) >= 1
    assert "28,185" in history
    assert list((tmp_path / "home").glob("tallystick-demo-*")) == []
    assert_as_before(terminal)


@pytest.mark.slow
def test_a_demonstration_that_is_killed_takes_dashboard_and_appliance_along(terminal: Tmux, tmp_path: Path) -> None:
    terminal.run([str(PROGRAM), "demo"])
    terminal.until("Overview]", "Quit")
    demonstration = terminal.process_in_front
    family = descendants(demonstration)
    assert len(family) >= 2
    os.kill(demonstration, signal.SIGTERM)
    terminal.until("ended-130")
    assert_as_before(terminal)
    assert [process for process in family if Path(f"/proc/{process}").exists()] == []
    assert list((tmp_path / "home").glob("tallystick-demo-*")) == []


def descendants(process: int) -> list[int]:
    children = [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    return [*children, *(each for child in children for each in descendants(child))]
