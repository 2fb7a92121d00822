"""A Redis of its own, with a counter for each customer: what reading a number from memory over a socket takes on this machine."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from tests.bench.measured_process import free_port
from tests.bench.paced_client import NotAnswered, Paced

START_S_MAX = 10


class RedisMissing(Exception):
    """There is no `redis-server` on the PATH."""

    def __init__(self) -> None:
        super().__init__("no redis-server on the PATH: apt-get install redis-server")


@contextmanager
def redis(folder: Path) -> Generator[int]:
    """Run a server that keeps everything in memory, and yield its port."""
    binary = shutil.which("redis-server")
    if binary is None:
        raise RedisMissing
    port = free_port()
    command = [binary, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        _await(process, port)
        yield port
    finally:
        process.terminate()
        process.wait(10)


def read_counters(port: int, customers: Sequence[str], *, count: int, rate_per_s: float) -> Paced:
    """Count up each customer once, then read a counter at each due time; delays are from when a read was due."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for customer in customers:
            _ask(connection, "INCRBY", f"used:{customer}", "1")
        delays = np.empty(count, np.int64)
        start = time.perf_counter_ns()
        for number in range(count):
            due = start + round(number * 1e9 / rate_per_s)
            time.sleep(max(0.0, (due - time.perf_counter_ns()) / 1e9))
            _ask(connection, "GET", f"used:{customers[number % len(customers)]}")
            delays[number] = time.perf_counter_ns() - due
    return Paced(delays / 1e6, (time.perf_counter_ns() - start) / 1e9)


def _ask(connection: socket.socket, *words: str) -> None:
    parts = [f"*{len(words)}\r\n", *(f"${len(word.encode())}\r\n{word}\r\n" for word in words)]
    connection.sendall("".join(parts).encode())
    answer = connection.recv(4_096)
    if not answer.startswith((b":", b"$")):
        raise NotAnswered(answer.decode(errors="replace"))


def _await(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + START_S_MAX
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError as error:
            if process.poll() is not None or time.monotonic() > deadline:
                raise NotAnswered("redis-server did not start") from error
            time.sleep(0.02)
        else:
            return
