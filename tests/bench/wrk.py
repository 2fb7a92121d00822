"""The generator of load for throughput: wrk with one thread and 64 connections, each sending as fast as it is answered."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import msgspec

from tests.bench.subjects import Subject

SCRIPT = Path(__file__).with_name("wrk_fresh_ids.lua")
CONNECTIONS = 64


class WrkMissing(Exception):
    """wrk is not installed."""

    def __init__(self) -> None:
        super().__init__("no wrk in PATH: apt-get install wrk")


class LoadFailed(Exception):
    """Some requests were not answered, or not with success: the figure would mean nothing."""


class Load(msgspec.Struct, frozen=True):
    """What wrk saw in one run. Its latencies omit the waits it caused itself; see `paced_client` for honest ones."""

    requests: int
    duration_us: int
    failed: int
    not_2xx: int
    p50_us: float
    p99_us: float

    @property
    def requests_per_s(self) -> float:
        """Answered requests a second."""
        return self.requests * 1e6 / self.duration_us


def load(subject: Subject, *, templates: Path, seconds: float, seed: int) -> Load:
    """Send events to `/v1/events` for that long. Raises `LoadFailed` if any request failed."""
    wrk = shutil.which("wrk")
    if wrk is None:
        raise WrkMissing
    command = [wrk, "-t1", f"-c{CONNECTIONS}", f"-d{seconds:.0f}", "--timeout", "10s", "-s", str(SCRIPT)]
    command += [f"http://127.0.0.1:{subject.port}/v1/events", "--", str(templates), str(seed)]
    command += [f"{name}:{value}" for name, value in subject.headers.items()]
    run = subprocess.run(command, check=True, capture_output=True, text=True)
    seen = msgspec.json.decode(run.stdout.strip().splitlines()[-1], type=Load)
    if seen.failed or seen.not_2xx or not seen.requests:
        raise LoadFailed(f"{seen.requests} requests, {seen.failed} failed, {seen.not_2xx} answered without success")
    return seen
