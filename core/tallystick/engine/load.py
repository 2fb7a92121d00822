"""How much the writer has to do: whether work that can wait should."""

from __future__ import annotations

import time
from typing import Final

from .counters import Counters

# A tenth of what two cores take in: below it, merges cost nobody anything.
_HEAVY_EVENTS_PER_S: Final = 20_000
_SPAN_MIN_S: Final = 0.5


class Load:
    """The rate of events since the last look. For one thread."""

    def __init__(self) -> None:
        self._looked_at_s = time.monotonic()
        self._events = 0
        self._is_heavy = False

    def is_heavy(self, counters: Counters) -> bool:
        """Whether events come so fast that the processor is better left to them."""
        now_s = time.monotonic()
        span_s = now_s - self._looked_at_s
        if span_s >= _SPAN_MIN_S:
            events = counters.accepted + counters.duplicates
            self._is_heavy = events - self._events > _HEAVY_EVENTS_PER_S * span_s
            self._looked_at_s, self._events = now_s, events
        return self._is_heavy
