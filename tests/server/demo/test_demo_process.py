"""The demonstration as a newcomer runs it: a process that ends by itself, with every figure right and nothing left behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest


def start(tmp_path: Path, *words: str) -> subprocess.Popen[str]:
    environment = dict(os.environ) | {"TMPDIR": str(tmp_path), "TALLYSTICK_DATA": str(tmp_path / "not-mine")}
    return subprocess.Popen(
        # A test worker may ignore SIGINT, and a child would inherit that.
        ["env", "--default-signal=INT", sys.executable, "-m", "tallystick_server", "demo", "--no-tui", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        env=environment,
    )


def is_alive(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    return True


def appliance_of(out: str) -> int:
    found = re.search(r"process (\d+)", out)
    assert found is not None, out
    return int(found.group(1))


@pytest.mark.slow
@pytest.mark.parametrize("words", [("--speed", "2000"), ("--speed", "400", "--crash")], ids=["plain", "crash"])
def test_every_figure_is_the_published_one_and_nothing_is_left_behind(words: tuple[str, ...], tmp_path: Path) -> None:
    out, err = start(tmp_path, *words).communicate(timeout=120)
    rows = [line.split() for line in out.splitlines() if line.startswith(("code ", "conv "))]
    assert rows == [
        ["code", "requests", "8,819", "8,819", "✓"],
        ["code", "context_tokens", "18,059,974", "18,059,974", "✓"],
        ["code", "generated_tokens", "245,896", "245,896", "✓"],
        ["code", "active_customers", "20", "20", "✓"],
        ["conv", "requests", "19,366", "19,366", "✓"],
        ["conv", "context_tokens", "22,361,870", "22,361,870", "✓"],
        ["conv", "generated_tokens", "4,088,665", "4,088,665", "✓"],
        ["conv", "active_customers", "20", "20", "✓"],
    ], out + err
    assert "✗" not in out
    assert "3,000 sent twice on purpose, 3,000 answered as duplicates" in " ".join(out.split())
    assert ("kill -9, with" in out) == ("--crash" in words)
    assert "\x1b" not in out
    assert not is_alive(appliance_of(out))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_what_is_kept_goes_on_running_with_the_key_it_names(tmp_path: Path) -> None:
    out, err = start(tmp_path, "--speed", "100000", "--keep").communicate(timeout=120)
    found = re.search(r"TALLYSTICK_URL=(\S+) TALLYSTICK_API_KEY=(\S+)", out)
    assert found is not None, out + err
    try:
        url, key = found.groups()
        answer = httpx.get(f"{url}/v1/meters", headers={"Authorization": f"Bearer {key}"}, trust_env=False).json()
        assert len(answer["items"]) == 4
    finally:
        os.kill(appliance_of(out), signal.SIGKILL)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_takes_its_appliance_along(number: signal.Signals, tmp_path: Path) -> None:
    with start(tmp_path, "--speed", "1") as running:
        assert running.stdout is not None
        seen = ""
        while "history:" not in seen:
            line = running.stdout.readline()
            assert line
            seen += line
        running.send_signal(number)
        try:
            assert running.wait(timeout=60) == 130
        finally:
            running.kill()
    assert not is_alive(appliance_of(seen))
    assert list(tmp_path.iterdir()) == []
