"""What the process that loads the engine tells the bench that started it."""

from __future__ import annotations

import msgspec


class LoadReport(msgspec.Struct, frozen=True):
    """Events a second from decoding to disk: in the window after the first million, in the last window, and over all."""

    events: int
    early_per_s: float
    late_per_s: float
    overall_per_s: float
