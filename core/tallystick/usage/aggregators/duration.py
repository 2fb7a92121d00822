"""How long something was on."""

from __future__ import annotations

from typing import ClassVar

import polars as pl

from tallystick.meter import Meter
from tallystick.usage.figure import UNITS_PER_ONE, units_of

from .level import Level
from .series_aggregator import NUMBER, Statistic


class Duration(Level):
    """Seconds during which a series is on: a positive field starts it or says that it still is, 0 or less stops it.

    A level of 1 and 0, whose figure is the area under it: series of one group that are on at once add up.
    """

    name: ClassVar[str] = "duration"
    summary: ClassVar[str] = "seconds during which something was on"
    options: ClassVar[tuple[str, ...]] = ("series", "timeout")

    def __init__(self, meter: Meter) -> None:
        super().__init__(meter)
        self.statistic = Statistic.SECONDS

    def level_units(self) -> pl.Expr:
        """Return 1 where the event starts, 0 where it stops."""
        return (units_of(pl.col(NUMBER)) > 0).cast(pl.Int128) * UNITS_PER_ONE
