"""Which steps signals take, in plain Python with whole fractions and `zoneinfo`: slow, and shares nothing with the code under test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import cache
from zoneinfo import ZoneInfo

from tallystick.signals.signal import Condition, ConditionType, Direction, Op, Period, Signal

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Every zone's offsets, and the instants at which they change, are multiples of it (since 1972).
_GRID_S = 900
Key = tuple[object, ...]
Subject = tuple[str | None, ...]


@dataclass
class Sent:
    """An event as the model keeps it."""

    id: str
    at: int  # nanoseconds, as every instant here
    customer: str
    value: Fraction
    region: str | None
    received_at: int
    is_voided: bool = False


@dataclass(frozen=True)
class Taken:
    """A step, as far as it is compared."""

    signal: str
    subject: Subject
    kind: str
    level: int
    reason: str
    period_start: int
    figure: Fraction | None = None
    base: Fraction | None = None


def _named(second: int, period: Period, zone: str) -> Key:
    local = (_EPOCH + timedelta(seconds=second)).astimezone(ZoneInfo(zone))
    return {
        Period.HOUR: (local.date(), local.hour, local.utcoffset()),
        Period.DAY: (local.date(),),
        Period.WEEK: local.isocalendar()[:2],
        Period.MONTH: (local.year, local.month),
    }[period]


@cache
def _period_from(second: int, period: Period, zone: str) -> tuple[int, int]:
    """Return the seconds between which the calendar shows the same, walking a quarter of an hour at a time."""
    shown, start, end = _named(second, period, zone), second, second
    while start >= _GRID_S and _named(start - _GRID_S, period, zone) == shown:
        start -= _GRID_S
    while _named(end, period, zone) == shown:
        end += _GRID_S
    return start, end


def period_of(instant: int, period: Period, zone: str) -> tuple[int, int]:
    second = instant // 10**9 // _GRID_S * _GRID_S
    start, end = _period_from(second, period, zone)
    return start * 10**9, end * 10**9


@dataclass
class SignalsModel:
    """Signals, events, and where every signal stands: looks at everything each time."""

    signals: Sequence[Signal]
    aggregation: str = "sum"
    zones: dict[str, str] = field(default_factory=dict[str, str])
    events: list[Sent] = field(default_factory=list[Sent])
    states: dict[tuple[str, Subject], tuple[tuple[int, int], int]] = field(
        default_factory=dict[tuple[str, Subject], tuple[tuple[int, int], int]]
    )
    steps: list[Taken] = field(default_factory=list[Taken])
    corrected: set[str] = field(default_factory=set[str])
    looked_at: int = 0
    # When what was not looked at yet came: the first of it, and the last.
    unseen_since: int | None = None
    unseen_until: int = 0

    def look(self, now: int) -> None:
        """Do what a look does, for every signal and subject there is."""
        since = now if self.unseen_since is None else self.unseen_since
        for signal in self.signals:
            for subject in self._subjects(signal):
                self._look_at(signal, subject, self._zone(signal, subject), since, now)
        self.looked_at, self.unseen_since = now, None
        self.corrected.clear()

    def levels_at(self, now: int) -> dict[tuple[str, Subject], tuple[int, int]]:
        """Return the start of the present period and the level in it, of all that are above level 0."""
        found: dict[tuple[str, Subject], tuple[int, int]] = {}
        for signal in self.signals:
            for subject in self._subjects(signal):
                span = period_of(now, signal.period, self._zone(signal, subject))
                level = self._level(signal, *self._figures(signal, subject, span, now), now)
                if level:
                    found[signal.key, subject] = span[0], level
        return found

    def _zone(self, signal: Signal, subject: Subject) -> str:
        return self.zones.get(str(subject[0]), "UTC") if signal.timezone == "customer" else signal.timezone

    def _look_at(self, signal: Signal, subject: Subject, zone: str, since: int, now: int) -> None:
        is_change = signal.condition.type in (ConditionType.ABSOLUTE_CHANGE, ConditionType.PERCENT_CHANGE)
        closing = period_of(min(since, self.looked_at) if is_change else since, signal.period, zone)
        is_visited = is_change or self.unseen_since is not None
        while self.looked_at and closing[1] <= now:
            self._close_before(signal, subject, closing[0])
            if is_visited:
                self._move(signal, subject, closing, closing[1])
            self._close_before(signal, subject, closing[1])
            closing = period_of(closing[1], signal.period, zone)
            is_visited = self.unseen_since is not None and since < closing[1] and closing[0] <= self.unseen_until
        present = period_of(now, signal.period, zone)
        self._close_before(signal, subject, present[0])
        self._move(signal, subject, present, now)

    def _close_before(self, signal: Signal, subject: Subject, instant: int) -> None:
        known, level = self.states.get((signal.key, subject), ((0, 0), 0))
        if level and known[1] <= instant:
            self._close(signal, subject)

    def _close(self, signal: Signal, subject: Subject) -> None:
        known, level = self.states.get((signal.key, subject), ((0, 0), 0))
        if level:
            self.states[signal.key, subject] = known, 0
            self.steps.append(Taken(signal.key, subject, "recovered", 0, "period_end", known[0]))

    def _move(self, signal: Signal, subject: Subject, span: tuple[int, int], until: int) -> None:
        known, level = self.states.get((signal.key, subject), ((0, 0), 0))
        level = level if known == span else 0
        figure, base = self._figures(signal, subject, span, until)
        after = self._level(signal, figure, base, until)
        if after == level:
            return
        self.states[signal.key, subject] = span, after
        is_silence = signal.condition.type is ConditionType.NO_DATA
        who = self.corrected & {subject[0]} if signal.customer is not None else self.corrected
        is_less = signal.condition.op in (Op.AT_MOST, Op.BELOW)
        reason = "correction" if who and (after < level or is_less) and not is_silence else "usage"
        if is_silence and after > level:
            reason = "silence"
        kind = "fired" if after > level else "recovered"
        if figure is None:
            figure = Fraction(0)
            base = None if signal.condition.type is ConditionType.THRESHOLD else Fraction(0)
        if is_silence:
            figure = base = None
        self.steps.append(Taken(signal.key, subject, kind, after, reason, span[0], figure, base))

    # Figures

    def _matching(self, signal: Signal, subject: Subject) -> list[Sent]:
        names = ("region",) if signal.group_by else ()
        groups = subject if signal.customer is None else subject[1:]
        return [
            each
            for each in self.events
            if not each.is_voided
            and (signal.customer is None or each.customer == subject[0])
            and (not names or groups == (each.region,))
            and all(each.region in texts for texts in signal.filter.values())
        ]

    def _subjects(self, signal: Signal) -> list[Subject]:
        found: dict[Subject, None] = {}
        for each in self.events:
            group = (each.region,) if signal.group_by else ()
            if signal.customer is None:
                found[group] = None
            elif signal.customer in ("*", each.customer):
                found[each.customer, *group] = None
        return list(found)

    def _figure(self, events: Sequence[Sent], start: int, end: int) -> Fraction | None:
        values = [each.value for each in events if start <= each.at < end]
        if self.aggregation == "count":
            return Fraction(len(values)) if values else None
        return sum(values, Fraction(0)) if values else None

    def _figures(
        self, signal: Signal, subject: Subject, span: tuple[int, int], until: int
    ) -> tuple[Fraction | None, Fraction | None]:
        events = self._matching(signal, subject)
        if signal.condition.type is ConditionType.THRESHOLD:
            return self._figure(events, *span), None
        if signal.condition.type is ConditionType.NO_DATA:
            last = max((each.at for each in events), default=None)
            return (None if last is None else Fraction(last)), None
        before = period_of(span[0] - 1, signal.period, self._zone(signal, subject))
        end = min(until + 1, span[1])
        base_end = min(before[0] + end - span[0], before[1])
        now, was = self._figure(events, span[0], end), self._figure(events, before[0], base_end)
        if now is None and was is None:
            return None, None
        return now or Fraction(0), was or Fraction(0)

    def _level(self, signal: Signal, figure: Fraction | None, base: Fraction | None, until: int) -> int:
        condition = signal.condition
        if condition.type is ConditionType.NO_DATA:
            return int(figure is not None and until - figure >= Fraction(condition.silence_s or 0) * 10**9)
        if figure is None:
            return 0
        if condition.type is ConditionType.THRESHOLD:
            return sum(_is_past(condition.op, figure, threshold) for threshold in _thresholds(condition))
        return int(base is not None and _has_changed(condition, figure, base))


def _thresholds(condition: Condition) -> list[Fraction]:
    if condition.limit is not None:
        percents = [Fraction(each) for each in condition.thresholds] or [Fraction(100)]
        return [Fraction(condition.limit) * each / 100 for each in percents]
    return [Fraction(each) for each in (condition.thresholds or (condition.value or 0,))]


def _is_past(op: Op, figure: Fraction, threshold: Fraction) -> bool:
    return {
        Op.AT_LEAST: figure >= threshold,
        Op.ABOVE: figure > threshold,
        Op.AT_MOST: figure <= threshold,
        Op.BELOW: figure < threshold,
    }[op]


def _has_changed(condition: Condition, figure: Fraction, base: Fraction) -> bool:
    change, value = figure - base, Fraction(condition.value or 0)
    size = {Direction.UP: change, Direction.DOWN: -change, Direction.ANY: abs(change)}[condition.direction]
    if condition.type is ConditionType.ABSOLUTE_CHANGE:
        return size >= value
    if condition.floor is not None and max(figure, base) < Fraction(condition.floor):
        return False
    return size > 0 if base == 0 else size * 100 >= value * abs(base)
