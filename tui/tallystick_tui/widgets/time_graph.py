"""Figures over time as lines, bars or stacked bars; in plain mode as rows of text.

Bars of several series stand side by side; where there is no room for that, they are drawn as lines, since bars in front of one another
would look like a stack.

The plot library takes 400 ms to load (numpy): it is loaded in a thread when the first graph is shown, and figures that come before wait
for it. At most `POINTS_MAX` points a series are drawn, since 2,000 take 88 ms: whoever has more thins them first (`thinned`).
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar, Final
from zoneinfo import ZoneInfo

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.color import Color
from textual.containers import Container
from textual.widgets import Static

from tallystick_tui.app_of import app_of
from tallystick_tui.texts.figures import short
from tallystick_tui.widgets.column_bars import column_bars, fit_side_by_side, side_by_side
from tallystick_tui.widgets.legend_corner import Canvas, along, free_corner

if TYPE_CHECKING:
    from textual_plot import PlotWidget

POINTS_MAX: Final = 400
_PLAIN_ROWS_MAX: Final = 60
# Columns left of the axis, and of the frame around what is drawn.
_MARGIN_LEFT: Final = 8
_FRAME: Final = 2
_MARGIN_BELOW: Final = 1
# A time with seconds, and room on both sides of it.
_CELLS_A_TICK: Final = 13
# In the order of use; each theme's own colours, told apart in the legend by name and in lines by their mark as well.
_COLOURS: Final = ("primary", "accent", "success", "error", "secondary", "warning")


class GraphKind(StrEnum):
    """How figures are drawn."""

    LINES = "lines"
    BARS = "bars"
    STACKED = "stacked"


@dataclass(frozen=True, slots=True)
class Series:
    """A name and points: seconds since the epoch, and a figure (a float: it is drawn, not accounted for).

    One that is `is_behind`, such as the period before, is drawn as a pale line whatever the others are drawn as.
    """

    name: str
    points: tuple[tuple[float, float], ...]
    is_behind: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """A vertical line at an instant, such as a firing."""

    at_s: float
    name: str = ""


class TimeGraph(Container):
    """The graph. `show` replaces everything that was drawn."""

    DEFAULT_CSS = """
    TimeGraph { height: 1fr; min-height: 6; }
    TimeGraph > #graph-words { height: 1fr; padding: 0 1; overflow-y: auto; }
    TimeGraph PlotWidget > .plot--axis { color: $secondary; }
    TimeGraph PlotWidget > .plot--tick { color: $foreground; text-style: none; }
    """
    KINDS: ClassVar[tuple[GraphKind, ...]] = tuple(GraphKind)

    def __init__(self, zone: ZoneInfo, *, is_plain: bool = False, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._zone, self._is_plain = zone, is_plain
        self._plot: PlotWidget | None = None
        self._library: Any = None  # Any: the plot library's module, loaded late
        self._span: tuple[float, float] | None = None
        self._wanted: tuple[tuple[Series, ...], GraphKind, tuple[Mark, ...], str] | None = None

    def compose(self) -> ComposeResult:
        """Begin with words."""
        yield Static("", id="graph-words", markup=False)

    def on_mount(self) -> None:
        """Load the library, unless words are wanted."""
        self.watch(app_of(self), "theme", self._draw_wanted, init=False)
        if not self._is_plain:
            self._load()

    def show(
        self,
        series: Sequence[Series],
        *,
        kind: GraphKind = GraphKind.LINES,
        marks: Sequence[Mark] = (),
        unit: str = "",
        span: tuple[float, float] | None = None,
    ) -> None:
        """Draw these series, over `span` or as far as they reach. All of a stacked graph have the same instants."""
        self._wanted = (tuple(series), kind, tuple(marks), unit)
        self._span = span
        self._draw_wanted()

    def on_resize(self) -> None:
        """Draw anew: how many ticks there is room for depends on the width, which one that was hidden did not have."""
        self._draw_wanted()

    def set_zone(self, zone: ZoneInfo) -> None:
        """Name instants by another zone's calendar, from the next `show` on."""
        self._zone = zone

    @work(exclusive=True, group="plot-library")
    async def _load(self) -> None:
        self._library = await asyncio.to_thread(importlib.import_module, "textual_plot")
        from tallystick_tui.widgets.graph_axes import Plot  # noqa: PLC0415 - needs the library

        plot = Plot(allow_pan_and_zoom=False)
        plot.can_focus = False
        await self.mount(plot)
        if not plot.query("Grid"):
            return  # what closes mounts nothing any more, and its parts go one by one
        # Only now: a plot lays its margins out as soon as they are set, in parts that mounting makes.
        plot.margin_top, plot.margin_left, plot.margin_bottom = 0, _MARGIN_LEFT, 1
        self._plot = plot
        self.query_one("#graph-words").display = False
        self._draw_wanted()

    def _draw_wanted(self) -> None:
        if self._wanted is None or not self.is_mounted:
            return
        series, kind, marks, unit = self._wanted
        if self._is_plain:
            self.query_one("#graph-words", Static).update(_in_words(series, unit, self._zone))
        elif self._plot is not None:
            self._draw(self._plot, series, kind, marks)

    def _draw(self, plot: PlotWidget, series: Sequence[Series], kind: GraphKind, marks: Sequence[Mark]) -> None:
        from tallystick_tui.widgets.graph_axes import FigureAxis, TimeAxis  # noqa: PLC0415 - needs the library

        plot.clear()
        drawn = [each for each in series if each.points]
        plot.set_x_formatter(TimeAxis(self._zone, ticks_max=lambda: max(1, self.size.width // _CELLS_A_TICK)))
        rows = max(1, self.size.height - _MARGIN_BELOW - _FRAME)
        plot.set_y_formatter(FigureAxis(rows=lambda: rows))
        plot.show_legend(is_visible=False)
        if not drawn:
            plot.set_xlimits(0, 1)
            plot.set_ylimits(0, 1)
            return
        variables = app_of(self).theme_variables
        own, behind = [each for each in drawn if not each.is_behind], [each for each in drawn if each.is_behind]
        colours = _colours(variables)
        coloured = [(each, colours[place % len(colours)]) for place, each in enumerate(own)]
        # What is behind lies within the reach of the others.
        step = _step(own or behind)
        axis = self._axis(own or behind, half_bar=0.0 if kind is GraphKind.LINES else step / 2)
        plot.set_xlimits(*axis)
        stacked = _stacked(coloured) if kind is GraphKind.STACKED else []
        height = _height([each for each, _ in stacked] or own, behind)
        plot.set_ylimits(*height)
        columns = max(1, self.size.width - _MARGIN_LEFT - _FRAME)
        if stacked:
            self._draw_bars(plot, _on_rows(stacked, height, rows), step=step, axis=axis, columns=columns)
        elif kind is GraphKind.BARS and fit_side_by_side(len(own), step=step, axis=axis, columns=columns):
            self._draw_side_by_side(plot, coloured, step=step, axis=axis, columns=columns)
        else:
            self._draw_lines(plot, coloured)
        self._draw_lines(plot, [(each, variables.get("secondary", "grey")) for each in behind])
        for mark in marks:
            plot.add_v_line(mark.at_s, line_style=variables.get("warning", "yellow"), label=mark.name or None)
        if len(drawn) > 1:
            canvas = Canvas(*axis, *height, columns, rows)
            tops = [each for each, _ in stacked] or own
            names = [*(each.name for each in drawn), *(mark.name for mark in marks if mark.name)]
            points = [point for each in tops for point in each.points]
            column = (axis[1] - axis[0]) / columns
            if kind is GraphKind.LINES:
                points = [point for each in tops for point in along(each.points, step=column)]
            points += [point for each in behind for point in along(each.points, step=column)]
            corner = free_corner(names, points, canvas, is_filled=kind is not GraphKind.LINES)
            plot.show_legend(self._library.LegendLocation[corner.name], is_visible=True)

    def _axis(self, series: Sequence[Series], *, half_bar: float) -> tuple[float, float]:
        """Return where the axis of time begins and ends; a bar stands about its instant, half to the left of it and half to the right."""
        instants = [at_s for each in series for at_s, _ in each.points]
        first, last = self._span or (min(instants) - half_bar, max(instants) + half_bar)
        return first, last if last > first else first + 1

    def _draw_lines(self, plot: PlotWidget, coloured: Sequence[tuple[Series, str]]) -> None:
        for each, colour in coloured:
            x, y = [at_s for at_s, _ in each.points], [figure for _, figure in each.points]
            plot.plot(x, y, line_style=colour, hires_mode=self._library.HiResMode.BRAILLE, label=each.name)

    def _draw_side_by_side(
        self,
        plot: PlotWidget,
        coloured: Sequence[tuple[Series, str]],
        *,
        step: float,
        axis: tuple[float, float],
        columns: int,
    ) -> None:
        count = len(coloured)
        if count > 1:
            coloured = [
                (replace(each, points=side_by_side(each.points, step=step, place=place, count=count)), colour)
                for place, (each, colour) in enumerate(coloured)
            ]
            step /= count + 1
        self._draw_bars(plot, coloured, step=step, axis=axis, columns=columns)

    def _draw_bars(
        self,
        plot: PlotWidget,
        coloured: Sequence[tuple[Series, str]],
        *,
        step: float,
        axis: tuple[float, float],
        columns: int,
    ) -> None:
        for each, colour in coloured:
            bars = column_bars(each.points, step=step, first=axis[0], last=axis[1], columns=columns)
            plot.bar(
                [bar.centre for bar in bars],
                [bar.figure for bar in bars],
                [bar.width for bar in bars],
                bar_style=colour,
                hires_mode=self._library.HiResMode.HALFBLOCK,
                label=each.name,
            )


def _height(own: Sequence[Series], behind: Sequence[Series]) -> tuple[float, float]:
    """Return where the axis of figures begins and ends."""
    figures = [figure for each in (*own, *behind) for _, figure in each.points]
    return min(0.0, *figures), max(figures) * 1.05 if max(figures) > 0 else 1.0


def _stacked(coloured: Sequence[tuple[Series, str]]) -> list[tuple[Series, str]]:
    """Return each series upon those before it, the highest stack first: what is drawn later stands in front of it."""
    below: dict[float, float] = {}
    stacks: list[tuple[Series, str]] = []
    for each, colour in coloured:
        for at_s, figure in each.points:
            below[at_s] = below.get(at_s, 0.0) + figure
        stacks.append((replace(each, points=tuple((at_s, below[at_s]) for at_s, _ in each.points)), colour))
    return stacks[::-1]


def _on_rows(stacked: Sequence[tuple[Series, str]], height: tuple[float, float], rows: int) -> list[tuple[Series, str]]:
    """Return the stacks with every border between two layers at the nearest row.

    A border within a row would blank half of it: a cell shows one layer and the ground behind it, not two layers.
    """
    low, row = height[0], (height[1] - height[0]) / rows
    whole, inner = list(stacked[:1]), stacked[1:]
    for each, colour in inner:
        points = tuple((at_s, low + round((figure - low) / row) * row) for at_s, figure in each.points)
        whole.append((replace(each, points=points), colour))
    return whole


def thinned(points: Sequence[tuple[float, float]], count_max: int = POINTS_MAX) -> tuple[tuple[float, float], ...]:
    """Return at most so many points: of each group of neighbours the highest, so that no peak is lost."""
    if len(points) <= count_max:
        return tuple(points)
    size = -(-len(points) // count_max)
    return tuple(max(points[start : start + size], key=lambda point: point[1]) for start in range(0, len(points), size))


def _colours(variables: dict[str, str]) -> list[str]:
    """Return the theme's colours, each once, and two that lie between them where a theme has fewer than six."""
    found = list(dict.fromkeys(variables[name] for name in _COLOURS if name in variables))
    first, *others = [Color.parse(colour) for colour in found]
    return [*found, *(first.blend(other, 0.5).hex6 for other in others[-2:])][: len(_COLOURS)]


def _step(series: Sequence[Series]) -> float:
    """Return the shortest time between two neighbouring points; 1 where there are none."""
    gaps = [after[0] - before[0] for each in series for before, after in pairwise(each.points)]
    return min((gap for gap in gaps if gap > 0), default=1.0)


def _in_words(series: Sequence[Series], unit: str, zone: ZoneInfo) -> Text:
    from datetime import UTC, datetime  # noqa: PLC0415 - of plain mode alone

    lines: list[str] = []
    for each in series:
        # Newest first: what the box cuts off is what is long ago.
        lines.append(f"{each.name}{f' in {unit}' if unit else ''}, newest first:")
        points = each.points[-_PLAIN_ROWS_MAX:]
        pattern = "%Y-%m-%d %H:%M" if all(at_s % 60 == 0 for at_s, _ in points) else "%Y-%m-%d %H:%M:%S"
        for at_s, figure in reversed(points):
            lines.append(f"  {datetime.fromtimestamp(at_s, UTC).astimezone(zone).strftime(pattern)}  {short(figure)}")
    return Text("\n".join(lines) or "nothing to show")
