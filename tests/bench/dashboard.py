"""`make bench-dashboard`: what the dashboard takes beside ingest, of a core and of memory, and how soon it answers a key.

A real appliance with its defaults, the dashboard in a pseudo terminal of 160 by 48 that is read as fast as it writes, a process that sends
at a fixed rate. Each section is left open for a while; `?` is typed, and timed until its dialog was written.
Does not: measure the terminal that draws it, which is somebody else's program.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx
from rich.console import Console
from rich.table import Table

from tests.bench.figures import number
from tests.bench.measured_process import cpu_s, free_port, module, running
from tests.bench.subjects import ADMIN_KEY, tallystick_command, tallystick_environment
from tests.pseudo_terminal import PseudoTerminal

# What must be so (of one core, and for a key), as the page on the dashboard says.
CORE_MAX, KEY_S_MAX = 0.25, 0.05
_SECTIONS = (("Overview", "1"), ("Events, live", "3"), ("Ledger", "8"))
_KEYS_TIMED = 7
_SETTLE_S = 4.0
METERS = (
    {"key": "calls", "event_type": "call", "aggregation": "count"},
    {"key": "tokens", "event_type": "call", "aggregation": "sum", "field": "properties.tokens", "unit": "token"},
    {"key": "bytes", "event_type": "call", "aggregation": "max", "field": "properties.bytes"},
    {"key": "customers", "event_type": "call", "aggregation": "unique", "field": "customer"},
)


@contextmanager
def ingest(port: int, *, rate_per_s: float, seconds: float) -> Generator[None]:
    """Send at a rate for as long as the block lasts."""
    if not rate_per_s:
        yield
        return
    command = module("tests.bench.signals.load", str(port), ADMIN_KEY, "1", str(seconds), "1000", str(rate_per_s))
    sender = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        sender.terminate()
        sender.wait(30)


def measure(rate_per_s: float, seconds: float, table: Table) -> bool:
    """Add a row for each section, and return whether all are within what must be."""
    are_within = True
    with tempfile.TemporaryDirectory() as folder:
        port, data = free_port(), Path(folder) / "data"
        command = tallystick_command(data, port=port)
        with running(
            command,
            port=port,
            log=Path(folder) / "log",
            ready_path="/health/ready",
            environment=tallystick_environment(),
        ) as appliance:
            url = f"http://127.0.0.1:{port}"
            for meter in METERS:
                headers = {"Authorization": f"Bearer {ADMIN_KEY}"}
                httpx.post(f"{url}/v1/meters", json=meter, headers=headers, trust_env=False).raise_for_status()
            environment = {
                **os.environ,
                "TERM": "xterm-256color",
                "TALLYSTICK_URL": url,
                "TALLYSTICK_API_KEY": ADMIN_KEY,
                "XDG_CONFIG_HOME": folder,
            }
            tui = [sys.executable, "-m", "tallystick_server", "tui"]
            span_s = len(_SECTIONS) * (seconds + _SETTLE_S + 10) + 30
            with (
                ingest(port, rate_per_s=rate_per_s, seconds=span_s),
                PseudoTerminal(tui, environment=environment, columns=160, rows=48) as terminal,
            ):
                terminal.seconds_until("since the start", timeout_s=60)
                for name, key in _SECTIONS:
                    terminal.press(key)
                    terminal.watch(_SETTLE_S)
                    before, served = terminal.processor_seconds(), cpu_s(appliance.pid)
                    accepted = _accepted(url)
                    written = terminal.watch(seconds)
                    core = (terminal.processor_seconds() - before) / seconds
                    taken_per_s = (_accepted(url) - accepted) / seconds
                    served_core = (cpu_s(appliance.pid) - served) / seconds
                    delays = [_key_s(terminal) for _ in range(_KEYS_TIMED)]
                    typical_s = statistics.median(delays)
                    are_within = are_within and core <= CORE_MAX and typical_s <= KEY_S_MAX
                    table.add_row(
                        f"{number(taken_per_s)} of {number(rate_per_s)} ev/s",
                        name,
                        f"{core:.2f}",
                        f"{served_core:.2f}",
                        f"{typical_s * 1000:.0f} ms, {max(delays) * 1000:.0f} ms",
                        f"{written / seconds / 1024:.1f} KiB/s",
                        f"{terminal.memory_bytes() / (1 << 20):.0f} MiB",
                    )
    return are_within


def _accepted(url: str) -> int:
    answer = httpx.get(f"{url}/v1/status", headers={"Authorization": f"Bearer {ADMIN_KEY}"}, trust_env=False)
    return int(answer.raise_for_status().json()["since_start"]["accepted"])


def _key_s(terminal: PseudoTerminal) -> float:
    seconds = terminal.seconds_to_answer("?", "esc closes", timeout_s=10)
    terminal.press("\x1b")
    terminal.watch(0.3)
    return seconds


def main() -> int:
    """Measure at rest and beside ingest, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0, help="how long each section is left open")
    parser.add_argument("--rates", type=float, nargs="*", default=[0, 50_000], help="events a second")
    given = parser.parse_args()
    table = Table(title="The dashboard beside ingest")
    for title in ("ingest", "section", "of a core", "appliance", "a key (median, most)", "written", "memory"):
        table.add_column(title, justify="left" if title in ("ingest", "section") else "right")
    results = [measure(rate, given.seconds, table) for rate in given.rates]
    Console(width=130).print(table)
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
