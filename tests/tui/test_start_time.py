"""The dashboard imports little before its first screen, so that this comes within a second."""

from __future__ import annotations

import resource
import subprocess
import sys

# What `tallystick tui` has imported when it draws; the rest comes in threads, or with the section that needs it.
IMPORTED = "tallystick_server.cli.tui, tallystick_tui.run, tallystick_tui.screens.overview.overview_screen"
# Each takes 50 to 700 ms, and none is needed for the first screen.
TOO_LONG = {
    "apprise",
    "aiohttp",
    "httpx",
    "keyring",
    "litestar",
    "numpy",
    "polars",
    "structlog",
    "textual_plot",
    "textual_serve",
}
PROCESSOR_S_MAX = 1.0
PRINT_LOADED = "import sys; print(*sorted({name.split('.')[0] for name in sys.modules}))"


def test_what_takes_long_to_import_comes_after_the_first_screen() -> None:
    run = subprocess.run(
        [sys.executable, "-c", f"import {IMPORTED}; {PRINT_LOADED}"], capture_output=True, text=True, check=True
    )
    assert TOO_LONG & set(run.stdout.split()) == set()


def test_importing_the_dashboard_takes_less_than_a_second_of_processor_time() -> None:
    worked_s: list[float] = []
    report = ""
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        report = subprocess.run(
            [sys.executable, "-X", "importtime", "-c", f"import {IMPORTED}"], capture_output=True, text=True, check=True
        ).stderr
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        worked_s.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    lines = [
        line.split("|") for line in report.splitlines() if line.startswith("import time:") and "imported" not in line
    ]
    slowest = sorted(lines, key=lambda line: int(line[0].rpartition(":")[2]))[-10:]
    assert min(worked_s) < PROCESSOR_S_MAX, "\n".join("|".join(line) for line in slowest)
