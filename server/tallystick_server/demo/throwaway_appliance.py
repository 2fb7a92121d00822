"""A throw-away appliance: a real `tallystick serve` as a child process, on a free port and a directory of its own.

Promises: it listens on this machine only, has an admin key of its own, reads none of the settings around it, and is gone when the `with`
ends, directory and all, unless it is kept. `kill` is SIGKILL, without any warning.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from tallystick_server.cli.client import ApplianceClient
from tallystick_server.cli.failure import Failure
from tallystick_server.cli.program import program

from .interruption import Interruption

_READY_TIMEOUT_S: Final = 60.0
_LOOK_TIMEOUT_S: Final = 2.0


class ThrowawayAppliance:
    """One appliance; use it in a `with`."""

    def __init__(self, interruption: Interruption, *, keep: bool) -> None:
        self._interruption, self._keep = interruption, keep
        self.directory = Path(tempfile.mkdtemp(prefix="tallystick-demo-"))
        self.data = self.directory / "data"
        self.log = self.directory / "appliance.log"
        self.admin_key = f"demo-{secrets.token_hex(24)}"
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._keep and kind is None:
            return
        self._stop()
        self._remove()

    @property
    def process_id(self) -> int:
        """The child's id, 0 when it does not run."""
        return self._child.pid if self._child is not None else 0

    def start(self) -> float:
        """Start it and wait until it is ready; return the seconds that took. Raises `Failure` with its last words."""
        started_s = time.monotonic()
        environment = {name: value for name, value in os.environ.items() if not name.startswith("TALLYSTICK_")}
        environment["TALLYSTICK_ADMIN_KEY"] = self.admin_key
        with self.log.open("ab") as log:
            # A session of its own: Ctrl-C is for the demonstration, which then ends it in order.
            self._child = subprocess.Popen(  # noqa: S603 - our own program
                [*program(), "serve", "--data", str(self.data), "--host", "127.0.0.1", "--port", str(self.port)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                cwd=self.directory,
                start_new_session=True,
            )
        self._await(self._is_ready)
        return time.monotonic() - started_s

    def kill(self) -> None:
        """End it as a power cut would, as far as the process can tell."""
        if self._child is not None:
            self._child.send_signal(signal.SIGKILL)
            self._child.wait()

    def client(self) -> ApplianceClient:
        """Return a client with the admin key."""
        return ApplianceClient(self.url, self.admin_key)

    def disk_bytes(self) -> int:
        """Return what the data directory takes on disk; sparse parts of files take nothing."""
        return sum(path.stat().st_blocks * 512 for path in self.data.rglob("*") if path.is_file())

    def _is_ready(self) -> bool:
        try:
            with self.client() as client:
                client.call("GET", "/health/ready", timeout_s=_LOOK_TIMEOUT_S)
        except Failure:
            return False
        return True

    def _await(self, is_so: Callable[[], bool]) -> None:
        deadline_s = time.monotonic() + _READY_TIMEOUT_S
        while not is_so():
            if self._child is None or self._child.poll() is not None:
                raise Failure(f"the throw-away appliance ended at once: {self._last_words()}")
            if time.monotonic() > deadline_s:
                raise Failure(
                    f"the throw-away appliance was not ready after {_READY_TIMEOUT_S:.0f} s: {self._last_words()}"
                )
            self._interruption.sleep(0.05)

    def _last_words(self) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"

    def _stop(self) -> None:
        child = self._child
        if child is None or child.poll() is not None:
            return
        child.terminate()
        try:
            child.wait(timeout=10)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()

    def _remove(self) -> None:
        shutil.rmtree(self.directory, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
