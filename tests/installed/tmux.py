"""A terminal that a test can look at: one tmux server for each test, 80 by 24, without anybody's settings.

Promises: ends with its `with`, whatever runs in it. What is looked at is the screen as a person would see it, after escape sequences did
their work; the shell in it tells by a mark that a program has ended, and how.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

_LOOK_EVERY_S: Final = 0.05


class Tmux:
    """One terminal with a shell in it; `environment` is all that its programs see beside PATH and HOME."""

    def __init__(self, directory: Path, environment: Mapping[str, str], *, width: int = 80, height: int = 24) -> None:
        # Not in `directory`: the path of a socket has room for a hundred characters.
        self._socket_folder = tempfile.TemporaryDirectory(prefix="tmux-")
        self._socket = Path(self._socket_folder.name) / "socket"
        kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
        self._environment = {
            **kept,
            "HOME": str(directory),
            "LANG": "C.UTF-8",
            "TERM": "xterm-256color",
            **environment,
        }
        self._size = ["-x", str(width), "-y", str(height)]
        self._directory = directory

    def __enter__(self) -> Self:
        self._tmux("-f", "/dev/null", "new-session", "-d", *self._size, "sh")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._tmux("kill-server")
        self._socket_folder.cleanup()

    def type(self, text: str) -> None:
        """Type a text, letter by letter as it stands."""
        self._tmux("send-keys", "-l", text)

    def press(self, *keys: str) -> None:
        """Press keys by tmux's names: `Enter`, `Escape`, `C-p`, `Down`."""
        self._tmux("send-keys", *keys)

    def run(self, words: Sequence[str]) -> None:
        """Start a command in the shell; afterwards the shell writes `ended-` and the exit code."""
        # In two parts, so that the command line itself does not look like its end.
        self.type(f"clear; {shlex.join(words)}; echo 'end''ed-'$?")
        self.press("Enter")

    @property
    def screen(self) -> str:
        """What stands on the screen now."""
        return self._tmux("capture-pane", "-p")

    @property
    def history(self) -> str:
        """What was written to the shell's screen, the lines that went off it included."""
        return self._tmux("capture-pane", "-p", "-S", "-")

    @property
    def process_in_front(self) -> int:
        """The id of the program that the shell waits for."""
        shell = self._tmux("display-message", "-p", "#{pane_pid}").strip()
        children = Path(f"/proc/{shell}/task/{shell}/children").read_text().split()
        assert len(children) == 1, children
        return int(children[0])

    @property
    def is_on_other_screen(self) -> bool:
        """Whether a program has the terminal's second screen, as full-screen programs do."""
        return self._tmux("display-message", "-p", "#{alternate_on}").strip() == "1"

    @property
    def modes(self) -> str:
        """What a program can leave switched on: a hidden cursor, reports of the mouse."""
        return self._tmux("display-message", "-p", "cursor=#{cursor_flag} mouse=#{mouse_any_flag}").strip()

    def until(self, *texts: str, within_s: float = 60.0) -> str:
        """Wait until all of the texts are on the screen, and return it."""
        return self.until_so(lambda screen: all(text in screen for text in texts), str(texts), within_s=within_s)

    def until_so(self, is_so: Callable[[str], bool], what: str, *, within_s: float = 60.0) -> str:
        """Wait until the screen is as it should be, and return it."""
        deadline_s = time.monotonic() + within_s
        while not is_so(screen := self.screen):
            assert time.monotonic() < deadline_s, f"not within {within_s:g} s: {what}\n{screen}"
            time.sleep(_LOOK_EVERY_S)
        return screen

    def _tmux(self, *words: str) -> str:
        command = ["tmux", "-S", str(self._socket), *words]
        run = subprocess.run(
            command, env=self._environment, cwd=self._directory, capture_output=True, text=True, timeout=60, check=False
        )
        assert run.returncode == 0, f"{shlex.join(command)}: {run.stderr}"
        return run.stdout
