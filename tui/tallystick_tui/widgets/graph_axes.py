"""Axes for people: round instants of the viewer's calendar, and figures with three digits. Loaded with the plot library only."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from textual import events
from textual_plot import PlotWidget
from textual_plot.axis_formatter import AxisFormatter, NumericAxisFormatter

from tallystick_tui.texts.figures import short

_STEPS_S: Final = (
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800,
    1_209_600, 2_592_000, 7_776_000, 31_536_000,
)  # fmt: skip
_DAY_S: Final = 86_400
_TICKS: Final = 5
_FIGURES_MAX: Final = 8
_ROWS_A_FIGURE: Final = 2


class Plot(PlotWidget):
    """A plot that may be taken away while it is being mounted."""

    def on_mount(self, event: events.Mount) -> None:  # pyright: ignore[reportIncompatibleMethodOverride] - the event is there to be stopped
        """Set nothing up in parts that are gone already."""
        if not self.query("Grid"):
            event.prevent_default()


class TimeAxis(AxisFormatter):
    """Ticks at full seconds, minutes, hours or days of a zone, whichever gives about five.

    `ticks_max` is asked when it is drawn: a graph often gets its data before it has its place on the screen.
    """

    def __init__(self, zone: ZoneInfo, *, ticks_max: Callable[[], int] = lambda: _TICKS) -> None:
        self._zone = zone
        self._ticks_max = ticks_max
        self._step_s = 1

    def get_ticks(self, min_: float, max_: float, max_ticks: int = 8) -> list[float]:
        """Return instants in seconds."""
        wanted = max(1.0, (max_ - min_) / min(_TICKS, self._ticks_max(), max_ticks))
        self._step_s = next((step for step in _STEPS_S if step >= wanted), _STEPS_S[-1])
        first = datetime.fromtimestamp(min_, UTC).astimezone(self._zone)
        midnight = first.replace(hour=0, minute=0, second=0, microsecond=0)
        if self._step_s >= _DAY_S:
            days = self._step_s // _DAY_S
            moments = (midnight + timedelta(days=days * number) for number in range(max_ticks + 2))
            ticks = [moment.timestamp() for moment in moments]
        else:
            into_day = (first - midnight).total_seconds()
            begin = midnight.timestamp() + into_day // self._step_s * self._step_s
            ticks = [begin + self._step_s * number for number in range(max_ticks + 2)]
        return [tick for tick in ticks if min_ <= tick <= max_]

    def get_labels_for_ticks(self, ticks: Sequence[float]) -> list[str]:
        """Return the time of day, or the date where steps are days."""
        form = "%Y" if self._step_s >= _STEPS_S[-1] else "%d %b" if self._step_s >= _DAY_S else "%H:%M"
        if self._step_s < 60:  # noqa: PLR2004 - a minute
            form = "%H:%M:%S"
        return [datetime.fromtimestamp(tick, UTC).astimezone(self._zone).strftime(form) for tick in ticks]


class FigureAxis(NumericAxisFormatter):
    """Round figures, written short, each on a row of its own with one between.

    `rows` is asked when it is drawn, as for the axis of time.
    """

    def __init__(self, *, rows: Callable[[], int] = lambda: _ROWS_A_FIGURE * _FIGURES_MAX) -> None:
        self._rows = rows

    def get_ticks(self, min_: float, max_: float, max_ticks: int = _FIGURES_MAX) -> list[float]:
        """Return multiples of 1, 2 or 5 with as many zeros as it takes, from `min_` to `max_`."""
        spaces = max(1, min(max_ticks, self._rows() // _ROWS_A_FIGURE))
        least = (max_ - min_) / spaces
        power = 10.0 ** math.floor(math.log10(least))
        step = next(times * power for times in (1, 2, 5, 10) if times * power >= least * (1 - 1e-9))
        first = math.ceil(min_ / step)
        return [number * step for number in range(first, math.floor(max_ / step + 1e-9) + 1)]

    def get_labels_for_ticks(self, ticks: Sequence[float]) -> list[str]:
        """Return 500, 1k, 1.5k."""
        return [short(round(tick, 9)) for tick in ticks]
