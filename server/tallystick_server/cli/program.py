"""How to start this same program as a child process: from a checkout, an installation or a single binary alike."""

from __future__ import annotations

import sys


def program() -> list[str]:
    """Return the first words of a command line that runs this program."""
    if getattr(sys, "frozen", False):
        return [sys.executable]
    return [sys.executable, "-m", "tallystick_server"]
