"""The dashboard over the throw-away appliance: `tallystick tui` as a child on this terminal, while the demonstration goes on behind it.

Promises: it reads and writes none of its user's settings; whatever ends it, the terminal is as it was. While it is open nothing else may
write to the terminal.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import termios
from types import TracebackType
from typing import Any, Final, Self

from tallystick_server.cli.program import program

from .interruption import Interruption
from .throwaway_appliance import ThrowawayAppliance

_LOOK_EVERY_S: Final = 0.1
_END_TIMEOUT_S: Final = 5.0
# Leave the other screen, show the cursor, end pastes in brackets, reports of focus and of the mouse: what a killed dashboard leaves behind.
_RESTORE: Final = "\x1b[?1049l\x1b[?25h\x1b[?2004l\x1b[?1004l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1015l"


class Dashboard:
    """One dashboard; opened by `with`, closed by its user or by the end of the `with`."""

    def __init__(self, appliance: ThrowawayAppliance, interruption: Interruption) -> None:
        self._appliance, self._interruption = appliance, interruption
        self._child: subprocess.Popen[bytes] | None = None
        # Any: termios' own list of numbers, which is only handed back.
        self._before: list[Any] = []

    def __enter__(self) -> Self:
        self._before = termios.tcgetattr(sys.stdin.fileno())
        environment = {name: value for name, value in os.environ.items() if not name.startswith("TALLYSTICK_")}
        environment["TALLYSTICK_URL"] = self._appliance.url
        environment["TALLYSTICK_API_KEY"] = self._appliance.admin_key
        environment["TALLYSTICK_CONFIG_HOME"] = str(self._appliance.directory / "config")
        self._child = subprocess.Popen([*program(), "tui"], env=environment)  # noqa: S603 - our own program
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        child = self._child
        if child is not None and child.poll() is None:
            # It may be stopped (Ctrl-Z), and would then take no note.
            child.terminate()
            child.send_signal(signal.SIGCONT)
            try:
                child.wait(timeout=_END_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        if self.exit_code != 0:
            self._restore()

    @property
    def has_ended(self) -> bool:
        """Whether its user closed it."""
        return self._child is None or self._child.poll() is not None

    @property
    def exit_code(self) -> int | None:
        """How it ended, None while it has not."""
        return None if self._child is None else self._child.poll()

    def wait(self) -> None:
        """Return when it was closed. Raises `KeyboardInterrupt` when the demonstration is asked to end."""
        while not self.has_ended:
            self._interruption.sleep(_LOOK_EVERY_S)

    def _restore(self) -> None:
        sys.stdout.write(_RESTORE)
        sys.stdout.flush()
        termios.tcsetattr(sys.stdin.fileno(), termios.TCSADRAIN, self._before)
