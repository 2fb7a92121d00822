"""What is measured over HTTP: the same port, path and bodies, three servers behind it."""

from __future__ import annotations

import http.client
import os
import shutil
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from tests.bench.measured_process import free_port, module, running
from tests.bench.postgresql_cluster import postgresql

ADMIN_KEY = "bench-admin-key-" + "0123456789abcdef" * 3
# Tried with 16, 32 and 64 on two cores: within a tenth of each other, 16 ahead on single events.
POSTGRESQL_POOL = 16


class Subject(msgspec.Struct, frozen=True):
    """A server that runs and takes events. `pid` is None where the work is done by several processes."""

    port: int
    pid: int | None
    headers: dict[str, str]
    says_count: bool = False


def tallystick_command(data: Path, *, port: int) -> list[str]:
    """Return the command that serves an appliance on a directory."""
    return [sys.executable, "-m", "tallystick_server", "serve", "--data", str(data), "--port", str(port)]


def tallystick_environment() -> dict[str, str]:
    """Return the appliance's settings: none but the key, since defaults are what is measured."""
    return {"TALLYSTICK_ADMIN_KEY": ADMIN_KEY}


def events_in_log(subject: Subject) -> int:
    """Return how many events the subject says it counted; 0 for a subject that does not say."""
    if not subject.says_count:
        return 0
    connection = http.client.HTTPConnection("127.0.0.1", subject.port, timeout=30)
    try:
        connection.request("GET", "/metrics", headers=subject.headers)
        lines = connection.getresponse().read().decode().splitlines()
        return int(float(next(line for line in lines if line.startswith("tallystick_events ")).split()[1]))
    finally:
        connection.close()


@contextmanager
def tallystick(folder: Path) -> Generator[Subject]:
    """Run a fresh appliance, fsync and all."""
    port, own = free_port(), Path(tempfile.mkdtemp(prefix="tallystick-", dir=folder))
    command = tallystick_command(own / "data", port=port)
    environment = tallystick_environment()
    with running(command, port=port, log=own / "log", ready_path="/health/ready", environment=environment) as process:
        yield Subject(port, process.pid, {"Authorization": f"Bearer {ADMIN_KEY}"}, says_count=True)
    shutil.rmtree(own)


@contextmanager
def _plain(folder: Path, name: str, *arguments: str) -> Generator[Subject]:
    port = free_port()
    with running(
        module(f"tests.bench.{name}", str(port), *arguments), port=port, log=folder / f"{name}.log"
    ) as process:
        yield Subject(port, process.pid, {})


@contextmanager
def decode_discard(folder: Path) -> Generator[Subject]:
    """Run the route that decodes and discards."""
    with _plain(folder, "decode_discard", "once") as subject:
        yield subject


@contextmanager
def decode_discard_twice(folder: Path) -> Generator[Subject]:
    """Run the same route written the way Litestar's guide has it."""
    with _plain(folder, "decode_discard", "twice") as subject:
        yield subject


@contextmanager
def postgresql_ingest(folder: Path) -> Generator[Subject]:
    """Run PostgreSQL 15 and the route in front of it."""
    # A short path: a Unix socket's address has 107 bytes at most.
    with (
        postgresql(folder / f"pg-{os.getpid()}") as dsn,
        _plain(folder, "postgresql_ingest", dsn, str(POSTGRESQL_POOL)) as subject,
    ):
        yield msgspec.structs.replace(subject, pid=None)
