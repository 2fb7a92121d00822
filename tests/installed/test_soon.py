"""The installed dashboard in a terminal: there within a second, and a key is answered within 50 ms.

The best of some tries is looked at, since other work on the machine only ever makes one slower. `make bench-dashboard` measures beside
ingest.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.appliance import Appliance
from tests.pseudo_terminal import PseudoTerminal

PROGRAM = [str(Path(sys.executable).with_name("tallystick")), "tui"]
FIRST_SCREEN_S_MAX, KEY_S_MAX = 1.0, 0.05
TRIES = 7


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[Mapping[str, str]]:
    with Appliance(tmp_path / "appliance") as appliance:
        appliance.client.post("/v1/meters", json={"key": "calls", "event_type": "call", "aggregation": "count"})
        yield {
            "PATH": "/usr/bin:/bin",
            "TERM": "xterm-256color",
            "TALLYSTICK_URL": appliance.url,
            "TALLYSTICK_API_KEY": appliance.admin_key,
            "TALLYSTICK_CONFIG_HOME": str(tmp_path / "config"),
        }


def test_the_first_screen_is_there_within_a_second(environment: Mapping[str, str]) -> None:
    took_s: list[float] = []
    for _ in range(TRIES):
        with PseudoTerminal(PROGRAM, environment=environment) as terminal:
            took_s.append(terminal.seconds_until("Overview", timeout_s=30))
    assert min(took_s) < FIRST_SCREEN_S_MAX, took_s


@pytest.mark.parametrize(
    ("section", "keys", "text", "back"),
    [
        pytest.param("1", "?", "esc closes", "\x1b", id="a dialog over a full screen"),
        pytest.param("4", "1", "since the start", "4", id="another section"),
        pytest.param("4", "n", "New meter", "\x1b", id="a form"),
    ],
)
def test_a_key_is_answered_within_50_ms(
    environment: Mapping[str, str], section: str, keys: str, text: str, back: str
) -> None:
    took_s: list[float] = []
    with PseudoTerminal(PROGRAM, environment=environment, columns=160, rows=48) as terminal:
        terminal.seconds_until("since the start", timeout_s=30)
        terminal.press(section)
        terminal.watch(2)
        for _ in range(TRIES):
            took_s.append(terminal.seconds_to_answer(keys, text, timeout_s=10))
            terminal.press(back)
            terminal.watch(0.3)
    assert min(took_s) < KEY_S_MAX, took_s
