"""A part of a watch: its subjects in one time zone, where they stand, and the steps that follow from what is read now.

Promises: yields each step that follows, once, in an order that the state machine takes: what a closed period still had to say, that it is
over, then what the present period says. Who was not touched since the last look is not asked about, unless time moves the figure.
A period is closed by the first look after its end: what came until then is told, what comes later is not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Final, Protocol

import msgspec
import polars as pl

from tallystick.event import Position
from tallystick.instant import LATEST, NS_PER_S, Instant
from tallystick.meter import Meter
from tallystick.signals.calendar_period import Span, elapsed_before, span_at, span_before
from tallystick.signals.crossing import period_end_step, step_of
from tallystick.signals.readings import CUSTOMER_KEY, LAST, Evidence, customer_column, key_columns
from tallystick.signals.signal import CUSTOMER_ZONE, Op
from tallystick.signals.standings import Moved, Standings
from tallystick.signals.step import SignalState, Step, StepReason, Subject
from tallystick.signals.watch import Reading, Scope, Watch, WatchKey
from tallystick.usage.aggregators import SeriesAggregator, bind_aggregator
from tallystick.usage.aggregators.count import Count
from tallystick.usage.aggregators.sum import Sum
from tallystick.usage.event_frames import EventFrames
from tallystick.usage.figure import HIGH, LOW

from .customer_sums import Addends, CustomerNumbers, TooLarge
from .fresh_events import FreshEvents
from .kept_figures import KeptChanges, KeptFigures
from .watch_readings import Asked, read_change, read_figures, read_last

# What time alone moves is looked at so often: figures laid beside the period before, and levels, which end by a timeout.
TIME_LOOK_EVERY_NS: Final = 60 * NS_PER_S
# A change takes two questions, since what is laid beside moves on by itself: who is touched meanwhile waits for the next time.
CHANGE_LOOK_EVERY_NS: Final = 2 * NS_PER_S
Stored = Mapping[str, Sequence[SignalState]]


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What all parts of one look share; what came past position `after` was written from `since` to `until`.

    `marked_at` is when what was looked at by the last life, or by this one, was last marked.
    """

    source: EventFrames
    now: Instant
    since: Instant
    until: Instant
    marked_at: Instant
    after: Position
    position: Position
    fresh_after: Callable[[Position], FreshEvents]
    is_time_due: bool


class Touched(msgspec.Struct, frozen=True, kw_only=True):
    """Whom of a part the log's new events concern, through its filters; empty: nobody.

    `fresh` are the new events, of `voided` customers events were taken back, of `late` ones they came long after they happened.
    """

    fresh: EventFrames | None = None
    customers: Sequence[str] = ()
    voided: frozenset[str] = frozenset()
    late: frozenset[str] = frozenset()
    addends: Callable[[Span], Addends] | None = None


NOBODY: Final = Touched()


class Room(Protocol):
    """Who says whether figures may be kept, and gives customers their numbers."""

    numbers: CustomerNumbers

    def has_room(self, customers: int) -> bool:
        """Whether each part may keep the figures of so many."""
        ...


class WatchPart:
    """One watch in one zone. After a look that was cut off, it is thrown away, and another begins with what the store says."""

    def __init__(self, watch: Watch, meter: Meter, zone: str, *, room: Room) -> None:
        self.watch, self.meter, self.zone, self._room = watch, meter, zone, room
        self._keys = key_columns(watch.key)
        aggregator = bind_aggregator(meter)
        self._is_moved_by_time = watch.key.reading is Reading.CHANGE or isinstance(aggregator, SeriesAggregator)
        self._is_additive = isinstance(aggregator, Sum | Count) and is_kept(watch.key)
        self._kept: KeptFigures | KeptChanges | None = None
        self._waiting = NOBODY
        self._waiting_since = LATEST
        self._change_due_at = Instant(0)
        self.waits_after: Position | None = None
        # Whether a period was closed that no mark is past yet: a start would look at its changes no more.
        self.has_closed = False
        self._standings: Standings | None = None
        self._span = Span(Instant(0), Instant(0))
        self._levels: dict[Instant, dict[Subject, dict[str, int]]] = {}
        self._is_whole_due = True
        self._time_due_at = Instant(0)
        self._last: pl.DataFrame | None = None
        self._nothing = aggregator.nothing

    @property
    def is_new(self) -> bool:
        """Whether it was never looked at, and so needs what the store says."""
        return self._standings is None

    def leave(self, customers: Sequence[str]) -> None:
        """Let customers go to another part."""
        if self._standings is not None:
            self._standings.leave(customers)
        if self._last is not None:
            self._last = self._without(self._last, customers)

    def is_due(self, look: Look) -> bool:
        """Whether something is to be done though nobody was touched."""
        return (
            self._standings is None
            or self._is_whole_due
            or bool(self._waiting.customers and look.now >= self._change_due_at)
            or look.now >= self._span.end
            or (look.is_time_due and self._has_time_come(look.now))
        )

    def steps(
        self, look: Look, touched: Touched, *, stored: Stored, members: Sequence[str] | None, others: Sequence[str]
    ) -> Iterator[Step]:
        """Yield the steps that follow.

        `stored` are the states above level 0 that the store has, for a part that begins; `members` are the customers of the part (None: all
        but `others`, who have other zones).
        """
        if self._standings is None:
            yield from self._begin(look, stored)
        since = Instant(min(look.since, self._waiting_since))
        touched = self._with_waiting(touched)
        # Changes are what they are at a period's end though nobody was touched: the last look at them is made up for.
        is_change = is_whole = self.watch.key.reading is Reading.CHANGE
        while self._span.end <= look.now:
            news_until = look.until if touched.customers else Instant(0)
            has_news = self._span.start <= news_until and since < self._span.end
            if is_whole or has_news:
                asked = members if is_change else touched.customers
                yield from self._evaluated(look, touched, asked, others, until=self._span.end)
            yield from self._closed(look)
            is_whole = False
            has_more = self._span.end <= news_until
            self._enter(max(self._span.end, min(since, look.now)) if has_more else look.now)
        whole = self._is_whole_due or (look.is_time_due and self._has_time_come(look.now))
        if self.watch.key.reading is Reading.CHANGE and not whole and touched.customers:
            if look.now < self._change_due_at:
                self._wait(touched, since, look)
                return
            self.waits_after = None
            self._change_due_at = Instant(look.now + CHANGE_LOOK_EVERY_NS)
        # What is kept is begun by reading all of it, once a period.
        is_begun = bool(touched.customers) and self._is_additive and self._kept is None and self._room.has_room(1)
        if self._kept is not None and not self._is_whole_due:
            yield from self._from_kept(self._kept, look, touched, is_whole=whole)
        elif whole or touched.customers:
            asked = members if whole or is_begun else touched.customers
            yield from self._evaluated(look, touched, asked, others, until=look.now, is_whole=whole or is_begun)
        if whole:
            self._is_whole_due, self.waits_after = False, None
            if self.watch.key.reading is not Reading.SILENCE:
                self._time_due_at = Instant(look.now + TIME_LOOK_EVERY_NS)

    def _with_waiting(self, touched: Touched) -> Touched:
        waiting = self._waiting
        self._waiting, self._waiting_since = NOBODY, LATEST
        if not waiting.customers:
            return touched
        return msgspec.structs.replace(
            touched,
            customers=sorted({*waiting.customers, *touched.customers}),
            voided=waiting.voided | touched.voided,
            late=waiting.late | touched.late,
        )

    def _wait(self, touched: Touched, since: Instant, look: Look) -> None:
        self._waiting, self._waiting_since = msgspec.structs.replace(touched, fresh=None, addends=None), since
        if self.waits_after is None:
            self.waits_after = look.after

    # Periods

    def _begin(self, look: Look, stored: Stored) -> Iterator[Step]:
        self._levels = {}
        begun_at = look.marked_at if self.watch.key.reading is Reading.CHANGE else look.since
        first = self._span_at(min(begun_at, look.since, look.now))
        for key, states in stored.items():
            signal = self.watch.signals[key]
            for state in states:
                span = self._span_at(state.period_start)
                if state.period_start < first.start:
                    if span.end <= first.start:
                        yield period_end_step(
                            signal,
                            state.subject,
                            span=Span(state.period_start, span.end),
                            position=look.position,
                            at=look.now,
                        )
                else:
                    subjects = self._levels.setdefault(state.period_start, {})
                    subjects.setdefault(state.subject, {})[key] = state.level
        self._enter(first.start)

    def _enter(self, instant: Instant) -> None:
        self._span = self._span_at(instant)
        self._standings = Standings(self.watch, self._levels.pop(self._span.start, {}))
        self._time_due_at = Instant(0)
        self._kept = None

    def _closed(self, look: Look) -> Iterator[Step]:
        self.has_closed = True
        for subject, levels in self._known.close():
            for key in levels:
                yield period_end_step(
                    self.watch.signals[key], subject, span=self._span, position=look.position, at=look.now
                )

    @property
    def _known(self) -> Standings:
        assert self._standings is not None  # noqa: S101 - `steps` begins before anything else
        return self._standings

    def _span_at(self, instant: Instant) -> Span:
        return span_at(instant, self.watch.key.period, self.zone)

    def _has_time_come(self, now: Instant) -> bool:
        if self.watch.key.reading is Reading.SILENCE:
            return now >= self._time_due_at
        return self._is_moved_by_time and now >= self._time_due_at

    # Reading

    def _evaluated(
        self,
        look: Look,
        touched: Touched,
        customers: Sequence[str] | None,
        others: Sequence[str],
        *,
        until: Instant,
        is_whole: bool = False,
    ) -> Iterator[Step]:
        asked = Asked(self.watch.key, self.meter, self.zone, customers if self.watch.is_by_customer else None)
        readings = self._without(self._read(look, touched, asked, until=until, is_whole=is_whole), others)
        if is_whole and self._is_additive:
            self._keep(readings, look)
        yield from self._followed(readings, asked.customers, touched, look, until=until)

    def _followed(
        self,
        readings: pl.DataFrame,
        asked: Sequence[str] | None,
        touched: Touched,
        look: Look,
        *,
        until: Instant,
    ) -> Iterator[Step]:
        for moved in self._known.follow(readings, asked=asked, now=until):
            yield from self._steps_of(moved, look, is_corrected=_is_corrected(moved.subject, touched))

    # Figures that are kept

    def _keep(self, readings: pl.DataFrame, look: Look) -> None:
        """Begin to keep what was read of everybody."""
        self._kept = None
        if not self._room.has_room(readings.height):
            return
        watch, numbers = self.watch, self._room.numbers
        try:
            if watch.key.reading is Reading.FIGURE:
                self._kept = KeptFigures(watch, numbers, readings)
            else:
                so_far, before = self._so_far(look.now)
                self._kept = KeptChanges(watch, numbers, readings, so_far=so_far, before=before, position=look.position)
        except TooLarge:
            self._is_additive = False

    def _from_kept(
        self, kept: KeptFigures | KeptChanges, look: Look, touched: Touched, *, is_whole: bool
    ) -> Iterator[Step]:
        """Add what new events add, and read anew whose events were voided."""
        if not (is_whole or touched.customers):
            return
        voided = sorted(touched.voided & frozenset(touched.customers))
        asked = Asked(self.watch.key, self.meter, self.zone, voided)
        try:
            if isinstance(kept, KeptFigures):
                moved, customers = self._figures_moved(kept, look, touched, asked, voided)
            else:
                moved, customers = self._changes_moved(kept, look, touched, asked, voided, is_whole=is_whole)
        except TooLarge:
            self._kept, self._is_additive, self._is_whole_due = None, False, True
            yield from self._evaluated(look, touched, None, (), until=look.now)
            return
        if customers:
            yield from self._followed(moved, customers, touched, look, until=look.now)

    def _figures_moved(
        self, kept: KeptFigures, look: Look, touched: Touched, asked: Asked, voided: Sequence[str]
    ) -> tuple[pl.DataFrame, list[str]]:
        """Return the readings to follow, and of whom they are."""
        moved = self._no_readings()
        if touched.addends is not None:
            moved = kept.add(touched.addends(self._span)).select(moved.columns)
        if voided:
            again, _ = read_figures(look.source, asked, self._span, now=look.now)
            kept.replace(voided, again)
            moved = pl.concat([self._without(moved, voided), again.select(moved.columns)])
        return moved, sorted({*moved[CUSTOMER_KEY].to_list(), *voided})

    def _changes_moved(
        self,
        kept: KeptChanges,
        look: Look,
        touched: Touched,
        asked: Asked,
        voided: Sequence[str],
        *,
        is_whole: bool,
    ) -> tuple[pl.DataFrame, list[str]]:
        so_far, before = self._so_far(look.now)
        fresh = look.fresh_after(kept.position)
        times = fresh.times(self.meter.event_type)

        def read_fresh(span: Span) -> Addends | None:
            is_apart = times is None or times[1] < span.start or span.end <= times[0]
            return None if is_apart else self._addends(fresh, span)

        kept.advance(so_far, before, look.position, source=partial(self._addends, look.source), fresh=read_fresh)
        if voided:
            kept.replace(voided, read_change(look.source, asked, so_far, before, now=look.now))
        moved = kept.moved(None if is_whole else touched.customers)
        return moved, moved[CUSTOMER_KEY].to_list()

    def _addends(self, source: EventFrames, span: Span) -> Addends:
        asked = Asked(self.watch.key, self.meter, self.zone, None)
        figures, _ = read_figures(source, asked, span, now=span.end)
        return Addends(figures, self._room.numbers)

    def _no_readings(self) -> pl.DataFrame:
        return pl.DataFrame(schema={CUSTOMER_KEY: pl.String(), HIGH: pl.Int128(), LOW: pl.Int128()})

    def _so_far(self, until: Instant) -> tuple[Span, Span]:
        """Return the period so far, and the same part of the one before."""
        so_far = Span(self._span.start, Instant(min(until + 1, self._span.end)))
        before = span_before(self._span, self.watch.key.period, self.zone)
        return so_far, elapsed_before(self._span, before, so_far.end)

    def _read(self, look: Look, touched: Touched, asked: Asked, *, until: Instant, is_whole: bool) -> pl.DataFrame:
        match self.watch.key.reading:
            case Reading.FIGURE:
                readings, _ = read_figures(look.source, asked, self._span, now=until)
            case Reading.CHANGE:
                so_far, before = self._so_far(until)
                readings = read_change(look.source, asked, so_far, before, now=until)
            case Reading.SILENCE:
                readings = self._read_last(look, touched, asked, is_whole=is_whole)
        return readings

    def _read_last(self, look: Look, touched: Touched, asked: Asked, *, is_whole: bool) -> pl.DataFrame:
        last = self._last
        if last is None:
            last = read_last(look.source, asked)
        elif touched.customers and touched.fresh is not None:
            named = msgspec.structs.replace(asked, customers=touched.customers)
            news = [read_last(touched.fresh, named)]
            gone = [each for each in touched.customers if each in touched.voided]
            if gone:
                last = self._without(last, gone)
                news.append(read_last(look.source, msgspec.structs.replace(asked, customers=gone)))
            last = pl.concat([last, *news]).group_by(self._keys).agg(pl.col(LAST).max())
        self._last = last
        readings = last
        if not is_whole and asked.customers is not None:
            readings = last.filter(pl.col(self._keys[0]).is_in(pl.Series(asked.customers, dtype=pl.String).implode()))
        self._time_due_at = self._next_silence(last, look.now)
        return readings

    def _next_silence(self, last: pl.DataFrame, now: Instant) -> Instant:
        """Return when somebody may next have been silent for long enough."""
        due = Instant(now + TIME_LOOK_EVERY_NS)
        for signal in self.watch.signals.values():
            wait = (signal.condition.silence_s or 0) * NS_PER_S
            first = last.filter(pl.col(LAST) > now - wait)[LAST].min()
            if isinstance(first, int):
                due = Instant(min(due, first + wait))
        return due

    def _without(self, frame: pl.DataFrame, customers: Sequence[str]) -> pl.DataFrame:
        column = customer_column(self.watch.key)
        if not customers or column is None:
            return frame
        return frame.filter(~pl.col(column).is_in(pl.Series(customers, dtype=pl.String).implode()))

    # Steps

    def _steps_of(self, moved: Moved, look: Look, *, is_corrected: bool) -> Iterator[Step]:
        reading, evidence = self.watch.key.reading, moved.evidence
        if evidence.figure is None and reading is not Reading.SILENCE:
            evidence = Evidence(figure=self._nothing, base=None if reading is Reading.FIGURE else self._nothing)
        for move in moved.moves:
            signal = self.watch.signals[move.signal]
            is_up = move.after > move.before
            reason = StepReason.USAGE
            if reading is Reading.SILENCE:
                reason = StepReason.SILENCE if is_up else StepReason.USAGE
            elif is_corrected and (not is_up or signal.condition.op in (Op.AT_MOST, Op.BELOW)):
                reason = StepReason.CORRECTION
            yield step_of(
                signal,
                moved.subject,
                move,
                evidence,
                span=self._span,
                reason=reason,
                position=look.position,
                at=look.now,
            )


def is_kept(key: WatchKey) -> bool:
    """Whether the figures of a watch can be kept, if its meter adds up."""
    is_plain = not key.group_by and key.timezone != CUSTOMER_ZONE
    return key.scope is Scope.EACH and key.reading is not Reading.SILENCE and is_plain


def _is_corrected(subject: Subject, touched: Touched) -> bool:
    """Whether what is read of the subject may be so because of a void or a late event."""
    if subject.customer is None:
        return bool(touched.voided or touched.late)
    return subject.customer in touched.voided or subject.customer in touched.late
