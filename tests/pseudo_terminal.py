"""A program in a terminal of its own, as far as a test needs one: what it wrote, when, and keys for it."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self


class PseudoTerminal:
    """One program; use it in a `with`, which ends it."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
        columns: int = 80,
        rows: int = 24,
    ) -> None:
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.started_s = time.monotonic()
        self._process = subprocess.Popen(
            list(command), stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True
        )
        os.close(theirs)
        self._ours = ours
        self.written = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait(timeout=30)
        os.close(self._ours)

    def seconds_until(self, text: str, *, timeout_s: float) -> float:
        """Return the seconds from the start until the text had been written."""
        while text.encode() not in self.written:
            assert self._read(timeout_s - (time.monotonic() - self.started_s)), (
                f"no {text!r} in {self.written[-2_000:]!r}"
            )
        return time.monotonic() - self.started_s

    def processor_seconds(self) -> float:
        """Return the processor time of the program and of those it started that still run."""
        return sum(_processor_seconds(process_id) for process_id in _family(self._process.pid))

    def memory_bytes(self) -> int:
        """Return the memory of its own that the program and those it started hold."""
        return sum(_resident_bytes(process_id) for process_id in _family(self._process.pid))

    def press(self, keys: str) -> None:
        """Type."""
        os.write(self._ours, keys.encode())

    def watch(self, seconds: float) -> int:
        """Read what is written for so long, and return how many bytes that were."""
        deadline_s, before = time.monotonic() + seconds, len(self.written)
        while (left_s := deadline_s - time.monotonic()) > 0:
            self._read(left_s)
        return len(self.written) - before

    def seconds_to_answer(self, keys: str, text: str, *, timeout_s: float) -> float:
        """Return the seconds from typing until the text is written that was not before."""
        self.written = b""
        pressed_s = time.monotonic()
        self.press(keys)
        while text.encode() not in self.written:
            assert self._read(timeout_s - (time.monotonic() - pressed_s)), f"no {text!r} in {self.written[-2_000:]!r}"
        return time.monotonic() - pressed_s

    def exit_code(self, *, timeout_s: float) -> int:
        """Return how it ended, having read what it still wrote."""
        deadline_s = time.monotonic() + timeout_s
        while self._process.poll() is None:
            assert time.monotonic() < deadline_s, f"it goes on: {self.written[-2_000:]!r}"
            self._read(0.1)
        while self._read(0):
            continue
        return self._process.wait()

    def _read(self, timeout_s: float) -> bool:
        readable, _, _ = select.select([self._ours], [], [], max(timeout_s, 0))
        if not readable:
            return False
        try:
            piece = os.read(self._ours, 65_536)
        except OSError:  # how Linux says that the other end is closed
            return False
        self.written += piece
        return bool(piece)


def _family(process_id: int) -> Iterator[int]:
    yield process_id
    for child in Path(f"/proc/{process_id}/task/{process_id}/children").read_text().split():
        yield from _family(int(child))


def _processor_seconds(process_id: int) -> float:
    fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _resident_bytes(process_id: int) -> int:
    lines = Path(f"/proc/{process_id}/status").read_text().splitlines()
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon:"))
