"""A server under measurement: a process of its own, started, waited for and ended by the bench."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

START_S_MAX = 120


class DidNotStart(Exception):
    """The server ended or stayed silent; its output says why."""

    def __init__(self, command: Sequence[str], log: Path) -> None:
        super().__init__(f"{' '.join(command)} did not answer:\n{log.read_text()[-2_000:]}")


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def resident_bytes(pid: int) -> int:
    """Return the memory of a process that is its own: file pages of the store are the kernel's, and it takes them back at will."""
    fields = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line)
    return int(fields["RssAnon"].split()[0]) * 1024


def cpu_s(pid: int) -> float:
    """Return the processor time that a process has used so far, in all of its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _answers(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status in (200, 404, 405)
    except OSError:
        return False
    finally:
        connection.close()


@contextmanager
def running(
    command: Sequence[str],
    *,
    port: int,
    log: Path,
    ready_path: str = "/v1/events",
    environment: Mapping[str, str] | None = None,
) -> Generator[subprocess.Popen[bytes]]:
    """Start the command, wait until it answers HTTP, yield it, and end it by SIGTERM."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env={**os.environ, **(environment or {})})
    try:
        deadline = time.monotonic() + START_S_MAX
        while not _answers(port, ready_path):
            if process.poll() is not None or time.monotonic() > deadline:
                raise DidNotStart(command, log)
            time.sleep(0.02)
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait(30)


def module(name: str, *arguments: str) -> list[str]:
    """Return the command that runs one of the bench's own servers."""
    return [sys.executable, "-m", name, *arguments]
