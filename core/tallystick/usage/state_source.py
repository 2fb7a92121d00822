"""Where a question may get states that were folded before, instead of the events to fold."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import polars as pl

from tallystick.meter import Meter

from .aggregators import Aggregator
from .question import UsageQuestion
from .windows import Windows


@runtime_checkable
class StateSource(Protocol):
    """Frames of events that come with states of them."""

    def states(
        self, meter: Meter, question: UsageQuestion, *, aggregator: Aggregator, windows: Windows
    ) -> pl.DataFrame | None:
        """Return what folding the question's events by its group columns and `WINDOW` would give; None: fold them."""
        ...
