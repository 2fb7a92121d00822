"""A real appliance for tests: `tallystick serve` as a process of its own, on a directory and a port of its own.

Promises: `start` returns once the process says that it is ready; `kill` is SIGKILL; a restart keeps directory, port and keys, so that
clients under load only see a pause. Leaves nothing running when its `with` ends.
Does not: sleep. It waits for lines on the process's stdout.
"""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import httpx

ADMIN_KEY = "tallystick-test-admin-key-0123456789abcdef"
_READY = re.compile(r"^tallystick is ready at (http://\S+)$", re.MULTILINE)
_LISTENING = re.compile(r"^tallystick listens on (http://\S+)$", re.MULTILINE)
COMMAND = (sys.executable, "-m", "tallystick_server", "serve")


class ApplianceFailed(AssertionError):
    """The process ended, or was silent, before it said what was awaited; carries what it wrote."""


class Appliance:
    """One appliance on `directory`, which is made by it; `settings` are settings by name (`{"streams_max": 2}`).

    `admin_key` None leaves the choice to the appliance, which prints it.
    """

    def __init__(
        self,
        directory: Path,
        *,
        settings: Mapping[str, object] | None = None,
        environment: Mapping[str, str] | None = None,
        command: Sequence[str] = COMMAND,
        admin_key: str | None = ADMIN_KEY,
    ) -> None:
        self.directory = directory
        self.data = directory / "data"
        self.admin_key = admin_key or ""
        self.url = ""
        self.output = ""
        self._settings = dict(settings or {})
        self._environment = dict(environment or {})
        self._command = list(command)
        self._process: subprocess.Popen[bytes] | None = None
        self._stderr: IO[bytes] | None = None
        self._client: httpx.Client | None = None
        self._port = 0

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self, *, wait_for_ready: bool = True, timeout_s: float = 60.0) -> Self:
        """Start the process and wait until it is ready (or, at least, listens)."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self._stderr = (self.directory / "stderr.log").open("ab")
        environment = {name: value for name, value in os.environ.items() if not name.startswith("TALLYSTICK_")}
        root = Path(__file__).resolve().parent.parent
        paths = [str(root / part) for part in ("core", "server", "tui")]
        environment["PYTHONPATH"] = os.pathsep.join([*paths, environment.get("PYTHONPATH", "")]).rstrip(os.pathsep)
        environment["PYTHONUNBUFFERED"] = "1"
        environment["TALLYSTICK_DATA"] = str(self.data)
        environment["TALLYSTICK_PORT"] = str(self._port)
        if self.admin_key:
            environment["TALLYSTICK_ADMIN_KEY"] = self.admin_key
        environment["TALLYSTICK_LOG_FORMAT"] = "json"
        for name, value in self._settings.items():
            environment["TALLYSTICK_" + name.replace(".", "_").upper()] = str(value)
        environment.update(self._environment)
        self.output = ""
        self._process = subprocess.Popen(
            self._command, stdout=subprocess.PIPE, stderr=self._stderr, env=environment, cwd=self.directory
        )
        self.url = self._await_line(_READY if wait_for_ready else _LISTENING, timeout_s)
        self._port = int(self.url.rsplit(":", 1)[1])
        return self

    def wait_until_ready(self, timeout_s: float = 60.0) -> None:
        """Wait for the ready line of a process that was started without waiting."""
        self._await_line(_READY, timeout_s)

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The running process."""
        if self._process is None:
            raise ApplianceFailed("the appliance was not started")
        return self._process

    @property
    def client(self) -> httpx.Client:
        """A client with the admin key, made anew after a restart."""
        if self._client is None:
            self._client = self.client_with(self.admin_key)
        return self._client

    def client_with(self, key: str | None, *, timeout_s: float = 30.0) -> httpx.Client:
        """Return a client with another key, or with none; the caller closes it."""
        headers = {} if key is None else {"authorization": f"Bearer {key}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=timeout_s, trust_env=False)

    def new_key(self, *scopes: str) -> str:
        """Return the secret of a new key with these scopes."""
        answer = self.client.post("/v1/api-keys", json={"name": "+".join(scopes), "scopes": list(scopes)})
        answer.raise_for_status()
        return str(answer.json()["key"])

    def kill(self) -> None:
        """End the process with SIGKILL, and wait until it is gone."""
        self._drop_client()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait(timeout=30)
        self._close_pipes()

    def terminate(self, timeout_s: float = 30.0) -> int:
        """End the process with SIGTERM, and return its exit code."""
        self._drop_client()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=timeout_s)
        self._close_pipes()
        return code

    def restart(self, *, wait_for_ready: bool = True) -> Self:
        """Start again on the same directory and port, after a SIGTERM if it still runs."""
        if self._process is not None and self._process.poll() is None:
            self.terminate()
        return self.start(wait_for_ready=wait_for_ready)

    def close(self) -> None:
        """End whatever still runs."""
        self._drop_client()
        if self._process is not None:
            self.kill()
            self._process = None

    @property
    def log(self) -> str:
        """What the process wrote to stderr in all of its lives."""
        return (self.directory / "stderr.log").read_text(errors="replace")

    def _await_line(self, pattern: re.Pattern[str], timeout_s: float) -> str:
        stdout = self.process.stdout
        if stdout is None:
            raise ApplianceFailed("the appliance has no stdout")
        deadline = time.monotonic() + timeout_s
        while (match := pattern.search(self.output)) is None:
            readable, _, _ = select.select([stdout], [], [], max(0.0, deadline - time.monotonic()))
            chunk = os.read(stdout.fileno(), 65_536) if readable else b""
            if not chunk:
                why = "said nothing" if not readable else f"ended with {self.process.wait(timeout=30)}"
                raise ApplianceFailed(f"the appliance {why}\nstdout: {self.output}\nstderr: {self.log[-8_000:]}")
            self.output += chunk.decode(errors="replace")
        return match.group(1)

    def _drop_client(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    def _close_pipes(self) -> None:
        if self.process.stdout is not None:
            self.process.stdout.close()
        if self._stderr is not None:
            self._stderr.close()
            self._stderr = None
