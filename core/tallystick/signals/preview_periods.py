"""A preview along one calendar: the periods of a zone, the figures of each, and where they cross."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from heapq import nlargest
from itertools import pairwise
from typing import Final

import msgspec
import numpy as np
import polars as pl

from tallystick.cancellation import check_cancelled
from tallystick.errors import InvalidQuestion
from tallystick.instant import NS_PER_S, Instant, StillClock
from tallystick.meter import Meter
from tallystick.usage.aggregators import EVENTS, Aggregator, SeriesAggregator, bind_aggregator
from tallystick.usage.aggregators.series_aggregator import FIRST
from tallystick.usage.answer_usage import figure_table
from tallystick.usage.arrange_answer import ROWS_MAX
from tallystick.usage.counted_events import WINDOW, group_columns
from tallystick.usage.event_frames import CUSTOMER, EventFrames
from tallystick.usage.figure import HIGH, LOW
from tallystick.usage.level_table import levels_of, series_columns
from tallystick.usage.lines import draw_lines
from tallystick.usage.question import UsageQuestion, WindowSize
from tallystick.usage.series_levels import GROUP
from tallystick.usage.windows import Windows, cut_windows

from .calendar_period import Span, span_at, span_before
from .gauge import gauge_of, rungs_of
from .ladder import Ladder, units_from
from .preview_figures import grown_by_subject, units_of_parts
from .preview_growth import LOOKED_AT_MAX, Growth
from .preview_lines import Presence, tracks_by_group
from .preview_silence import Silence, silences
from .preview_track import Track, nothing_in
from .preview_walk import Crossing, Walk
from .readings import group_names, key_columns
from .signal import EACH_CUSTOMER, ConditionType, Signal
from .watch import watch_key

PERIODS_MAX: Final = 10_000
Values = tuple[str | None, ...]
_CHANGES: Final = (ConditionType.ABSOLUTE_CHANGE, ConditionType.PERCENT_CHANGE)


class Found(msgspec.Struct, frozen=True):
    """A crossing of a subject, in the `period`-th period."""

    subject: Values
    period: int
    span: Span
    crossing: Crossing
    last_event_at: Instant | None = None


class CalendarPreview:
    """One signal along the calendar of one zone, for the customers `only` (None: all) but those `without`."""

    def __init__(
        self,
        frames: EventFrames,
        meter: Meter,
        signal: Signal,
        *,
        zone: str,
        start: Instant,
        end: Instant,
        only: tuple[str, ...] | None,
        without: frozenset[str],
    ) -> None:
        self._frames, self._meter, self._signal, self._zone, self._without = frames, meter, signal, zone, without
        self._aggregator: Aggregator = bind_aggregator(meter)
        self._is_change = signal.condition.type in _CHANGES
        first = span_at(start, signal.period, zone)
        self.start = first.start
        begin = span_before(first, signal.period, zone).start if self._is_change else first.start
        key = watch_key(signal)
        self._columns = key_columns(key)
        self._question = UsageQuestion(
            start=begin,
            end=end,
            window=WindowSize(signal.period.value),
            timezone=zone,
            group_by=group_names(key),
            filter=_filter(signal, only),
        )
        self._periods = cut_windows(begin, end, self._question.window, zone)
        # Of a change the period before the first one is there to be compared with, and is none of those that are looked at.
        self._first = 1 if self._is_change and begin < first.start else 0
        if len(self._periods) > PERIODS_MAX:
            raise InvalidQuestion(
                "from",
                f"the range has {len(self._periods):,} periods, and a preview {PERIODS_MAX:,} at most: ask for less",
            )
        self._spans = _spans(self._periods, signal, zone)
        self._rows = self._table()

    @property
    def period_count(self) -> int:
        """How many periods are looked at."""
        return max(len(self._periods) - self._first, 0)

    @property
    def subject_count(self) -> int:
        """How many subjects have figures."""
        return self._rows.filter(pl.col(WINDOW) >= self._first).select(self._columns).n_unique()

    def found(self) -> Iterator[Found]:
        """Yield every crossing, subject by subject."""
        if not self.period_count:
            return
        if self._signal.condition.type is ConditionType.NO_DATA:
            yield from self._silences()
            return
        gauge = gauge_of(self._signal.condition)
        ladder = Ladder(rungs_of(self._signal.key, self._signal.condition))
        nothing = nothing_in(_units_of_nothing(self._aggregator))
        for subject, tracks in self._tracks(ladder):
            check_cancelled()
            for period in range(self._first, len(self._periods)):
                track, base = tracks.get(period), tracks.get(period - 1) if self._is_change else None
                if track is None and base is None:
                    continue
                span = self._spans[period]
                walk = Walk(
                    gauge,
                    ladder,
                    span,
                    int(self._periods.edges[period + 1]),
                    track or nothing,
                    base or nothing if self._is_change else None,
                    self._spans[period - 1] if self._is_change else None,
                )
                for crossing in walk.crossings():
                    yield Found(subject, period, span, crossing)

    def figures_of(self, subject: Values) -> list[tuple[int, Span, int | None]]:
        """Return every period with the figure of a subject in whole units; where nothing happened, with that of nothing."""
        rows = self._rows.filter(pl.col(WINDOW) >= self._first)
        for column, value in zip(self._columns, subject, strict=True):
            rows = rows.filter(pl.col(column).eq_missing(pl.lit(value, dtype=pl.String)))
        units = {period: units_of_parts(high, low) for period, high, low in rows.select(WINDOW, HIGH, LOW).iter_rows()}
        nothing = _units_of_nothing(self._aggregator)
        return [
            (period, self._spans[period], units.get(period, nothing))
            for period in range(self._first, len(self._periods))
        ]

    def largest(self, firings: Mapping[Values, int], count: int) -> list[tuple[int, Values]]:
        """Return the subjects that fired most, then those with the largest figure of any period, each with that figure."""
        peaks: dict[Values, int] = {}
        width = len(self._columns)
        rows = self._rows.filter(pl.col(WINDOW) >= self._first).select(*self._columns, HIGH, LOW)
        for row in (
            rows.sort(HIGH, LOW, descending=True, nulls_last=True)
            .unique(self._columns, maintain_order=True)
            .iter_rows()
        ):
            peaks[row[:width]] = units_of_parts(*row[width:]) or 0
        for subject in firings:
            peaks.setdefault(subject, 0)
        best = nlargest(count, peaks.items(), key=lambda each: (firings.get(each[0], 0), each[1]))
        return [(peak, subject) for subject, peak in best]

    def _table(self) -> pl.DataFrame:
        if not len(self._periods):
            return pl.DataFrame(
                schema={**dict.fromkeys(self._columns, pl.String), WINDOW: pl.Int32, HIGH: pl.Int128, LOW: pl.Int128}
            )
        clock = StillClock(self._question.end)
        rows = figure_table(self._frames, self._meter, self._question, clock=clock).rows
        if rows.height > ROWS_MAX:
            raise InvalidQuestion(
                "from",
                f"there are {rows.height:,} figures of a {self._signal.period} and subject, and a preview has at most {ROWS_MAX:,}: "
                "ask for a shorter range, group by less, or watch a longer period",
            )
        return self._but_for(rows)

    def _but_for(self, rows: pl.DataFrame) -> pl.DataFrame:
        if not self._without:
            return rows
        return rows.filter(~pl.col(self._columns[0]).is_in(pl.Series(sorted(self._without), dtype=pl.String).implode()))

    def _tracks(self, ladder: Ladder) -> Iterator[tuple[Values, Mapping[int, Track]]]:
        if isinstance(self._aggregator, SeriesAggregator):
            yield from self._level_tracks(self._aggregator)
            return
        growth = Growth(
            frames=self._frames,
            meter=self._meter,
            question=self._question,
            aggregator=self._aggregator,
            columns=self._columns,
            periods=self._periods,
            gauge=gauge_of(self._signal.condition),
            ladder=ladder,
            without=self._without,
        )
        figures = growth.figures(self._rows)
        nothing = _units_of_nothing(self._aggregator)
        yield from grown_by_subject(figures, self._columns, nothing=nothing)

    def _level_tracks(self, aggregator: SeriesAggregator) -> Iterator[tuple[Values, Mapping[int, Track]]]:
        if int(self._rows[EVENTS].sum()) > LOOKED_AT_MAX:
            raise InvalidQuestion(
                "from",
                f"the range has more than {LOOKED_AT_MAX:,} events that move a level: ask for a shorter range, or for one customer",
            )
        names = group_columns(self._question)
        if not aggregator.is_one_series:
            names = series_columns(self._question, aggregator)
        levels, groups = levels_of(
            self._frames, self._meter, self._question, aggregator=aggregator, names=names, now=self._question.end
        )
        lines = draw_lines(levels, group_count=groups.height, start=self._question.start, end=self._question.end)
        numbered = self._rows.join(groups, on=self._columns, nulls_equal=True)
        firsts = lines.events.with_columns(self._periods.index_of(pl.col(FIRST)).alias(WINDOW))
        numbered = numbered.join(
            firsts.group_by(GROUP, WINDOW).agg(pl.col(FIRST).min()), on=[GROUP, WINDOW], how="left"
        )
        presences: dict[int, Presence] = {}
        for (group,), rows in numbered.select(GROUP, WINDOW, FIRST).group_by(GROUP):
            firsts_of = {period: first for period, first in rows.select(WINDOW, FIRST).iter_rows() if first is not None}
            presences[int(str(group))] = Presence(frozenset(rows[WINDOW].to_list()), firsts_of)
        subjects = {row[-1]: row[:-1] for row in groups.select(*self._columns, GROUP).iter_rows()}
        edges: list[int] = self._periods.edges.tolist()
        found = tracks_by_group(lines, edges, aggregator.statistic, presences=presences, is_zero_before=self._is_change)
        for group, tracks in found:
            if tracks:
                yield subjects[group], tracks

    def _silences(self) -> Iterator[Found]:
        silence_ns = (self._signal.condition.silence_s or 0) * NS_PER_S
        found = silences(self._frames, self._meter, self._question, silence_ns=silence_ns, without=self._without)
        for silence in found:
            # Each period begins armed, so that a silence which goes on fires in every one of them.
            end = self._question.end if silence.ended_at is None else silence.ended_at
            at, period = silence.at, self._period_at(silence.at)
            while at < end:
                yield self._silence(silence, period, at, is_over=False)
                at, period = self._spans[period].end, period + 1
            if silence.ended_at is not None:
                ended_in = self._period_at(silence.ended_at)
                # One that ends with the first event of a period was never noticed in it.
                if ended_in == period - 1:
                    yield self._silence(silence, ended_in, silence.ended_at, is_over=True)

    def _silence(self, silence: Silence, period: int, at: Instant, *, is_over: bool) -> Found:
        crossing = Crossing(at, int(is_over), int(not is_over), None, None)
        return Found(silence.subject, period, self._spans[period], crossing, silence.last_at)

    def _period_at(self, at: Instant) -> int:
        return int(np.searchsorted(self._periods.edges, at, side="right")) - 1


def _filter(signal: Signal, only: tuple[str, ...] | None) -> dict[str, tuple[str, ...]]:
    """Return the filter of the figures: the signal's own, and whom it watches."""
    customers: set[str] | None = None
    for each in (signal.filter.get(CUSTOMER), only, _named(signal)):
        if each is not None:
            customers = set(each) if customers is None else customers & set(each)
    found = {name: texts for name, texts in signal.filter.items() if name != CUSTOMER}
    return found if customers is None else found | {CUSTOMER: tuple(sorted(customers))}


def _named(signal: Signal) -> tuple[str, ...] | None:
    return None if signal.customer in (None, EACH_CUSTOMER) else (str(signal.customer),)


def _spans(periods: Windows, signal: Signal, zone: str) -> list[Span]:
    """Return the periods whole: the last of them may go on past the range."""
    edges = periods.instants()
    spans = [Span(start, end) for start, end in pairwise(edges)]
    if spans:
        spans[-1] = span_at(spans[-1].start, signal.period, zone)
    return spans


def _units_of_nothing(aggregator: Aggregator) -> int | None:
    nothing: Decimal | None = aggregator.nothing
    return None if nothing is None else units_from(nothing, is_passed_at=True)
