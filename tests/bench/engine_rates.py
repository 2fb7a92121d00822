"""The engine alone, at a size: rate early and late, disk and memory, and how soon it is ready again after kill -9 under load."""

from __future__ import annotations

import select
import subprocess
import time
from pathlib import Path

import msgspec

from tests.bench.load_report import LoadReport
from tests.bench.measured_process import free_port, module, resident_bytes, running
from tests.bench.subjects import tallystick_command, tallystick_environment

SETTLED_S = 3.0
SETTLED_S_MAX = 120.0


class EngineFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured. `memory_bytes` is the process's own memory at the end of the load, `memory_peak_bytes` its highest."""

    events: int
    early_per_s: float
    late_per_s: float
    overall_per_s: float
    memory_bytes: int
    memory_peak_bytes: int
    ready_after_kill_s: float
    memory_after_restart_bytes: int
    disk_bytes: int
    disk_bytes_per_event: float


def disk_bytes(directory: Path) -> int:
    """Return what the directory takes on disk: allocated blocks, since the store's file may be sparse."""
    return sum(path.stat().st_blocks * 512 for path in directory.rglob("*") if path.is_file())


def _settled_disk_bytes(directory: Path) -> int:
    """Wait until background work no longer changes the directory's size, and return it."""
    seen, since = disk_bytes(directory), time.monotonic()
    deadline = since + SETTLED_S_MAX
    while time.monotonic() - since < SETTLED_S and time.monotonic() < deadline:
        time.sleep(0.25)
        now = disk_bytes(directory)
        if now != seen:
            seen, since = now, time.monotonic()
    return seen


def _load_and_kill(data: Path, *, events: int, seed: int) -> tuple[LoadReport, int, int]:
    """Feed that many events, and kill the process a second later, under load; return its report, memory and peak memory."""
    source = subprocess.Popen(module("tests.bench.event_source", str(seed)), stdout=subprocess.PIPE)
    loader = subprocess.Popen(
        module("tests.bench.engine_load", str(data), str(events)), stdin=source.stdout, stdout=subprocess.PIPE
    )
    if source.stdout is None or loader.stdout is None:
        raise RuntimeError("the pipes were asked for above")
    source.stdout.close()
    try:
        memory = peak = 0
        while not select.select([loader.stdout], [], [], 0.5)[0]:
            memory = resident_bytes(loader.pid)
            peak = max(peak, memory)
        line = loader.stdout.readline()
        if not line:
            raise RuntimeError(f"the load ended early, with {loader.wait()}")
        memory = resident_bytes(loader.pid)
        time.sleep(1)
    finally:
        loader.kill()
        loader.wait()
        source.wait()
    return msgspec.json.decode(line, type=LoadReport), memory, max(peak, memory)


def measure_engine(folder: Path, *, events: int, seed: int) -> EngineFigures:
    """Measure the engine with that many events in `folder`, which is left as it is."""
    data = folder / "engine-data"
    report, memory, peak = _load_and_kill(data, events=events, seed=seed)
    port = free_port()
    started_at = time.perf_counter()
    with running(
        tallystick_command(data, port=port),
        port=port,
        log=folder / "engine-serve.log",
        ready_path="/health/ready",
        environment=tallystick_environment(),
    ) as process:
        ready_s = time.perf_counter() - started_at
        on_disk = _settled_disk_bytes(data)
        memory_restarted = resident_bytes(process.pid)
    return EngineFigures(
        events=report.events,
        early_per_s=report.early_per_s,
        late_per_s=report.late_per_s,
        overall_per_s=report.overall_per_s,
        memory_bytes=memory,
        memory_peak_bytes=peak,
        ready_after_kill_s=ready_s,
        memory_after_restart_bytes=memory_restarted,
        disk_bytes=on_disk,
        disk_bytes_per_event=on_disk / report.events,
    )
