"""`make soak-dashboard`: what a dashboard holds that is left open for an hour beside ingest, minute by minute.

A real appliance, two dashboards in pseudo terminals of 160 by 48, one left at the overview, one at the events that land, and 1,000 events
a second. What is in use after ten minutes (caches are full by then, mostly) may grow by `GROWTH_MIB_MAX` until the end.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

import httpx

from tests.bench.dashboard import METERS, ingest
from tests.bench.measured_process import free_port, module, running
from tests.bench.subjects import ADMIN_KEY, tallystick_command, tallystick_environment
from tests.pseudo_terminal import PseudoTerminal

GROWTH_MIB_MAX = 1.5
_WARM_MINUTES = 10
_RATE_PER_S = 1_000.0
_MINUTE_S = 60.0


def watch(url: str, port: int, folder: Path, minutes: int) -> bool:
    """Leave both open, say every minute what they hold, and return whether that stayed within what it may."""
    environment = {**os.environ, "TERM": "xterm-256color", "TALLYSTICK_URL": url, "TALLYSTICK_API_KEY": ADMIN_KEY}
    environment["XDG_CONFIG_HOME"] = str(folder)
    command = module("tallystick_server", "tui")
    with (
        ingest(port, rate_per_s=_RATE_PER_S, seconds=(minutes + 1) * _MINUTE_S),
        PseudoTerminal(command, environment=environment, columns=160, rows=48) as overview,
        PseudoTerminal(command, environment=environment, columns=160, rows=48) as events,
    ):
        dashboards = {"overview": overview, "events": events}
        for each in dashboards.values():
            each.seconds_until("since the start", timeout_s=60)
        events.press("3")
        warm, held = dict[str, float](), dict[str, float]()
        for minute in range(1, minutes + 1):
            _read_for(_MINUTE_S, dashboards)
            held = {name: each.memory_bytes() / 2**20 for name, each in dashboards.items()}
            if minute <= _WARM_MINUTES:
                warm = held
            told = "   ".join(f"{name} {mib:.1f} MiB" for name, mib in held.items())
            print(f"{minute:3} min   {told}", flush=True)
    return all(held[name] - warm[name] <= GROWTH_MIB_MAX for name in dashboards)


def _read_for(seconds: float, dashboards: dict[str, PseudoTerminal]) -> None:
    end_s = time.monotonic() + seconds
    while time.monotonic() < end_s:
        for each in dashboards.values():
            each.watch(0.5)
            each.written = b""


def main() -> int:
    """Measure; exit code 1 if something grew."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=int, default=60)
    minutes = parser.parse_args().minutes
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        command = tallystick_command(folder / "data", port=port)
        appliance = running(
            command, port=port, log=folder / "log", ready_path="/health/ready", environment=tallystick_environment()
        )
        with appliance:
            url = f"http://127.0.0.1:{port}"
            with httpx.Client(
                base_url=url, headers={"Authorization": f"Bearer {ADMIN_KEY}"}, trust_env=False
            ) as client:
                for meter in METERS:
                    client.post("/v1/meters", json=meter).raise_for_status()
            is_bounded = watch(url, port, folder, minutes)
    return 0 if is_bounded else 1


if __name__ == "__main__":
    sys.exit(main())
