"""The real clock and the real randomness: what the process gives the engine, and a test replaces."""

from __future__ import annotations

import os
import time

from tallystick.instant import Instant


class SystemClock:
    """The system's clock."""

    def now(self) -> Instant:
        """Return the present; may go backwards when the system's clock is set."""
        return Instant(time.time_ns())


class SystemEntropy:
    """The kernel's generator."""

    def token_bytes(self, size: int) -> bytes:
        """Return that many bytes that nobody can guess."""
        return os.urandom(size)
