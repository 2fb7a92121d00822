"""Which events a preview looks at one by one, and how their figures grew.

A figure that can only rise towards a threshold crosses it in a period exactly if it ends past it: such periods alone are looked at, and
of a long one only the days in which it rises past something. Everything else is looked at event by event, up to `LOOKED_AT_MAX` of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
import polars as pl
from msgspec.structs import replace

from tallystick.cancellation import collected
from tallystick.errors import InvalidQuestion
from tallystick.meter import Meter
from tallystick.usage.aggregators import EVENTS, Aggregator, bind_aggregator
from tallystick.usage.aggregators.count import Count
from tallystick.usage.aggregators.max import Max
from tallystick.usage.aggregators.min import Min
from tallystick.usage.aggregators.plugin_aggregator import PluginAggregator
from tallystick.usage.aggregators.sum import Sum
from tallystick.usage.aggregators.unique import Unique
from tallystick.usage.answer_usage import window_states
from tallystick.usage.counted_events import WINDOW, counted_events, group_columns
from tallystick.usage.event_frames import TIME, EventFrames
from tallystick.usage.figure import HIGH, LOW
from tallystick.usage.figure_table import EVERYTHING
from tallystick.usage.question import UsageQuestion, WindowSize
from tallystick.usage.windows import Windows, cut_windows

from .gauge import Gauge, GaugeKind
from .ladder import Ladder
from .preview_figures import AT, PERIOD, grown_figures, units_of_parts

LOOKED_AT_MAX: Final = 2_000_000
# A plugin's state is merged and read in Python: some 30 µs each.
LOOKED_AT_BY_PLUGIN_MAX: Final = 200_000
# So few are looked at one by one without finding out in which days.
_FEW: Final = 100_000
_HEIGHT: Final = "height"
_LONG: Final = (WindowSize.WEEK, WindowSize.MONTH)


class Growth(msgspec.Struct, frozen=True):
    """What is looked at: the question's periods, of subjects that `columns` tell apart; not of customers in `without`."""

    frames: EventFrames
    meter: Meter
    question: UsageQuestion
    aggregator: Aggregator
    columns: Sequence[str]
    periods: Windows
    gauge: Gauge
    ladder: Ladder
    without: frozenset[str]

    def figures(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Return the figures as they grew, sorted by subject, `PERIOD` and `AT`; `rows` are the figures of whole periods.

        Raises `InvalidQuestion` where there are too many events to look at.
        """
        keys = [*self.columns, PERIOD]
        rows = rows.rename({WINDOW: PERIOD})
        if not self._only_rises():
            states = self._instants(None, int(rows[EVENTS].sum()))
        else:
            crossing = rows.filter(self._heights(rows) > 0)
            states = self._narrowed(crossing)
        return grown_figures(self.aggregator, states, keys)

    def _only_rises(self) -> bool:
        """Whether, within a period, what is looked at never falls."""
        match self.aggregator:
            case Count() | Unique() | Max():
                return self.gauge.kind is GaugeKind.FIGURE
            case Min():
                return self.gauge.kind is GaugeKind.FIGURE_DOWN
            case Sum():
                return self.gauge.kind is GaugeKind.FIGURE and self._has_no_negative()
            case _:
                return False

    def _has_no_negative(self) -> bool:
        smallest = replace(self.meter, aggregation="min")
        asked = replace(self.question, window=WindowSize.TOTAL, group_by=())
        aggregator = bind_aggregator(smallest)
        windows = cut_windows(asked.start, asked.end, asked.window, asked.timezone)
        states = window_states(self.frames, smallest, asked, aggregator, windows)
        found = collected(aggregator.read(states.lazy(), [WINDOW]))
        return all((units_of_parts(*row) or 0) >= 0 for row in found.select(HIGH, LOW).iter_rows())

    def _narrowed(self, crossing: pl.DataFrame) -> pl.DataFrame:
        """Return states of the subjects and periods that cross: of single instants where they do, of days elsewhere."""
        keys = [*self.columns, PERIOD]
        count = int(crossing[EVENTS].sum())
        wanted = crossing.select(keys)
        if count <= _FEW or self.question.window not in _LONG:
            return self._instants(wanted, count)
        asked = replace(self.question, window=WindowSize.DAY)
        days = cut_windows(asked.start, asked.end, asked.window, asked.timezone)
        states = window_states(self.frames, self.meter, asked, self.aggregator, days)
        if not self.question.group_by:
            states = states.with_columns(pl.lit("").alias(EVERYTHING))
        starts = pl.Series(days.edges[:-1])
        states = states.with_columns(starts.gather(states[WINDOW]).alias(AT))
        states = states.with_columns(self.periods.index_of(pl.col(AT)).alias(PERIOD)).drop(WINDOW)
        states = states.join(wanted, on=keys, how="semi", nulls_equal=True)
        grown = grown_figures(self.aggregator, states, keys)
        grown = grown.with_columns(self._heights(grown))
        risen = grown.filter(pl.col(_HEIGHT) != pl.col(_HEIGHT).shift(1, fill_value=0).over(keys)).select(*keys, AT)
        in_days = states.join(risen, on=[*keys, AT], how="semi", nulls_equal=True)
        instants = self._instants(risen, int(in_days[EVENTS].sum()), days)
        others = states.join(risen, on=[*keys, AT], how="anti", nulls_equal=True)
        return pl.concat([instants, others.select(instants.columns)])

    def _instants(self, wanted: pl.DataFrame | None, count: int, days: Windows | None = None) -> pl.DataFrame:
        """Return the states of single instants, of all subjects and periods or of those wanted; with `days`, of those days."""
        self._check_count(count)
        keys = group_columns(self.question)
        events = counted_events(
            self.frames, self.meter, self.question, keys=keys, operands=self.aggregator.operands
        ).with_columns(pl.col(TIME).alias(AT), self.periods.index_of(pl.col(TIME)).alias(PERIOD))
        if not keys:
            events = events.with_columns(pl.lit("").alias(EVERYTHING))
        if self.without:
            excluded = pl.Series(sorted(self.without), dtype=pl.String).implode()
            events = events.filter(~pl.col(self.columns[0]).is_in(excluded))
        on = [*self.columns, PERIOD]
        if wanted is not None and days is None:
            events = events.join(wanted.lazy(), on=on, how="semi", nulls_equal=True)
        elif wanted is not None and days is not None:
            day, start = "day", pl.Series("start", days.edges[:-1])
            of_days = wanted.with_columns(pl.Series(day, start.search_sorted(wanted[AT]), dtype=pl.Int32)).drop(AT)
            events = events.with_columns(days.index_of(pl.col(TIME)).alias(day))
            events = events.join(of_days.lazy(), on=[*on, day], how="semi", nulls_equal=True).drop(day)
        return collected(self.aggregator.fold(events, [*on, AT]))

    def _heights(self, figures: pl.DataFrame) -> pl.Series:
        sign = -1 if self.gauge.kind is GaugeKind.FIGURE_DOWN else 1
        units = [units_of_parts(*row) for row in figures.select(HIGH, LOW).iter_rows()]
        return self.ladder.heights([None if each is None else sign * each for each in units]).alias(_HEIGHT)

    def _check_count(self, count: int) -> None:
        most = LOOKED_AT_BY_PLUGIN_MAX if isinstance(self.aggregator, PluginAggregator) else LOOKED_AT_MAX
        if count > most:
            raise InvalidQuestion(
                "from",
                f"{count:,} events would have to be looked at one by one, and a preview looks at {most:,} at most: ask for a shorter "
                "range, or for one customer",
            )
