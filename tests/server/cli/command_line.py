"""The command line in tests: in this process, where a second is saved each time, or as a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tallystick_server.cli.main import main
from tests.appliance import Appliance


class CommandLine:
    """Runs commands against one appliance, and keeps what the last one wrote."""

    def __init__(self, appliance: Appliance, capsys: pytest.CaptureFixture[str]) -> None:
        self.appliance, self._capsys = appliance, capsys
        self.out = self.err = ""

    def __call__(self, *words: object, key: str | None = None) -> int:
        """Run a command and return its exit code."""
        self._capsys.readouterr()
        code = main([*map(str, words), "--url", self.appliance.url, "--api-key", key or self.appliance.admin_key])
        self.out, self.err = self._capsys.readouterr()
        return code

    def answer(self, *words: object) -> Any:  # Any: decoded JSON
        """Return the JSON that a command answers; numbers as the texts they are."""
        assert self(*words, "--json") == 0, self.err
        return json.loads(self.out, parse_float=str, parse_int=str)


def start(*words: object, url: str, key: str, directory: Path) -> subprocess.Popen[str]:
    """Start a command as a process of its own."""
    # A test worker may ignore SIGINT, and a child would inherit that.
    command = [
        "env",
        "--default-signal=INT",
        sys.executable,
        "-m",
        "tallystick_server",
        *map(str, words),
        "--url",
        url,
        "--api-key",
        key,
    ]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, cwd=directory
    )
