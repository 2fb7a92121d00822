"""`tallystick serve` at an hour that stands still, with seeded entropy: the same requests give the same answers, times and hashes."""

from __future__ import annotations

import os
import sys

from tallystick.testing import ManualClock, SeededEntropy
from tallystick_server.serve import serve
from tallystick_server.settings import load_settings

NOW = "2026-11-25T10:00:00Z"

if __name__ == "__main__":
    sys.exit(serve(load_settings(None, os.environ), clock=ManualClock(NOW), entropy=SeededEntropy(1)))
