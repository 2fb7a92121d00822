"""`make bench-dashboard`: what the dashboard takes beside ingest, of a core and of memory, and how soon it answers a key.

A real appliance with its defaults, the dashboard in a pseudo terminal of 160 by 48 that is read as fast as it writes, a process that sends
at a fixed rate. Each section is left open for a while. Keys are typed, and timed until what they show was written: the list of keys over
each section, another section, a form (its frame, not yet its fields), and the cursor on another row.
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
_KEYS_TIMED = 15
# What a key does, the section, the key, what is written then, and the key that goes back.
_KEYS = (
    ("the list of keys over Overview", "1", "?", "esc closes", "\x1b"),
    ("the list of keys over Events, live", "3", "?", "esc closes", "\x1b"),
    ("the list of keys over Ledger", "8", "?", "esc closes", "\x1b"),
    ("from Meters to Overview", "4", "1", "since the start", "4"),
    ("from Overview to Meters", "1", "4", "Event type", "1"),
    ("a form over Meters", "4", "n", "New meter", "\x1b"),
    ("the cursor down in Meters", "4", "\x1b[B", "calls", "\x1b[A"),
)
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


def measure(rate_per_s: float, seconds: float, loads: Table, keys: Table) -> bool:
    """Add a row for each section and for each key, and return whether all are within what must be."""
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
            span_s = len(_SECTIONS) * (seconds + _SETTLE_S + 10) + len(_KEYS) * (_SETTLE_S + 15) + 30
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
                    are_within = are_within and core <= CORE_MAX
                    loads.add_row(
                        f"{number(taken_per_s)} of {number(rate_per_s)} ev/s",
                        name,
                        f"{core:.2f}",
                        f"{served_core:.2f}",
                        f"{written / seconds / 1024:.1f} KiB/s",
                        f"{terminal.memory_bytes() / (1 << 20):.0f} MiB",
                    )
                for name, section, key, text, back in _KEYS:
                    terminal.press(section)
                    terminal.watch(_SETTLE_S)
                    delays_s = sorted(_key_s(terminal, key, text, back) for _ in range(_KEYS_TIMED))
                    typical_s = statistics.median(delays_s)
                    are_within = are_within and typical_s <= KEY_S_MAX
                    figures = (delays_s[0], typical_s, delays_s[-1])
                    keys.add_row(f"{number(rate_per_s)} ev/s", name, *(f"{each * 1000:.0f} ms" for each in figures))
    return are_within


def _accepted(url: str) -> int:
    answer = httpx.get(f"{url}/v1/status", headers={"Authorization": f"Bearer {ADMIN_KEY}"}, trust_env=False)
    return int(answer.raise_for_status().json()["since_start"]["accepted"])


def _key_s(terminal: PseudoTerminal, key: str, text: str, back: str) -> float:
    seconds = terminal.seconds_to_answer(key, text, timeout_s=10)
    terminal.press(back)
    terminal.watch(0.4)
    return seconds


def main() -> int:
    """Measure at rest and beside ingest, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0, help="how long each section is left open")
    parser.add_argument("--rates", type=float, nargs="*", default=[0, 50_000], help="events a second")
    given = parser.parse_args()
    loads = _table("The dashboard beside ingest", "section", "of a core", "appliance", "written", "memory")
    keys = _table("Keys beside ingest", "key", "least", "median", "most")
    results = [measure(rate, given.seconds, loads, keys) for rate in given.rates]
    console = Console(width=130)
    console.print(loads)
    console.print(keys)
    return 0 if all(results) else 1


def _table(title: str, subject: str, *figures: str) -> Table:
    table = Table("ingest", subject, title=title)
    for each in figures:
        table.add_column(each, justify="right")
    return table


if __name__ == "__main__":
    sys.exit(main())
