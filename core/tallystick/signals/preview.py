"""A preview: when a signal would have fired, had it been there.

Promises: exact, to the instant. The time basis is the events' own: each counts from its own time on, as if it had arrived then, and
conditions that time alone meets are looked at in every instant. So a preview tells what the figures say; the appliance itself notices
within seconds, and a late event when it comes. What was voided does not count.
Every period begins armed, and so does the range: it begins where the period of `start` does, and nothing is fired before.
Does not: save anything, send anything, or know who is snoozed.
Bounded: see `preview_growth.LOOKED_AT_MAX`; of steps the newest are kept, and all are counted. It stops where nobody waits for it any more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from heapq import heappush, heappushpop
from typing import Final

import msgspec

from tallystick.event import Position
from tallystick.instant import Instant
from tallystick.meter import Meter
from tallystick.usage.event_frames import EventFrames

from .calendar_period import Span
from .crossing import step_of
from .ladder import Move, amount_of
from .preview_periods import CalendarPreview, Found
from .readings import Evidence, subject_of
from .signal import CUSTOMER_ZONE, EACH_CUSTOMER, Signal
from .step import Step, StepReason, Subject
from .watch import watch_key

STEPS_MAX: Final = 1_000
TOP_MAX: Final = 50
# Of all subjects together: with 10,000 periods, those of five.
FIGURES_MAX: Final = 50_000
UTC: Final = "UTC"


class PreviewQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """Over `[start, end)`: `limit` steps at most, and the figures of the `top` subjects."""

    start: Instant
    end: Instant
    limit: int = 100
    top: int = 10


class PreviewFigure(msgspec.Struct, frozen=True):
    """The figure of one period, and when it would first have fired in it: `level` is the highest that it came to."""

    start: Instant
    end: Instant
    figure: Decimal | None
    level: int
    fired_at: Instant | None


class PreviewSubject(msgspec.Struct, frozen=True):
    """One of the subjects that fired most, or have the largest figures: the figure of every period."""

    subject: Subject
    firings: int
    figures: list[PreviewFigure]


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """Steps, newest first, of which `firings` and `recoveries` count all; `start` is where the first period begins.

    `subjects` fired, of `subjects_seen` that have figures, in `periods` periods of `periods_seen`.
    """

    start: Instant
    end: Instant
    steps: list[Step]
    is_truncated: bool
    firings: int
    recoveries: int
    subjects: int
    subjects_seen: int
    periods: int
    periods_seen: int
    top: list[PreviewSubject]


def preview_signal(
    frames: EventFrames, meter: Meter, signal: Signal, question: PreviewQuestion, *, zones: Mapping[str, str]
) -> Preview:
    """Return when the signal would have fired; `zones` are those of the customers that were described.

    Raises `InvalidQuestion`, and `InvalidDefinition` for a meter that is none.
    """
    gathered = _Gathered(signal, question)
    for zone, only, without in _calendars(signal, zones):
        calendar = CalendarPreview(
            frames, meter, signal, zone=zone, start=question.start, end=question.end, only=only, without=without
        )
        gathered.take(calendar)
    return gathered.preview()


def _calendars(
    signal: Signal, zones: Mapping[str, str]
) -> Iterator[tuple[str, tuple[str, ...] | None, frozenset[str]]]:
    """Yield zones, each with the customers that live in it (None: all), and with those that do not."""
    if signal.timezone != CUSTOMER_ZONE:
        yield signal.timezone, None, frozenset()
    elif signal.customer != EACH_CUSTOMER:
        yield zones.get(signal.customer or "", UTC), None, frozenset()
    else:
        by_zone: dict[str, list[str]] = {}
        for customer, zone in zones.items():
            if zone != UTC:
                by_zone.setdefault(zone, []).append(customer)
        yield UTC, None, frozenset(customer for customers in by_zone.values() for customer in customers)
        for zone, customers in sorted(by_zone.items()):
            yield zone, tuple(customers), frozenset()


class _Gathered:
    """What several calendars found, put together."""

    def __init__(self, signal: Signal, question: PreviewQuestion) -> None:
        self._signal, self._question = signal, question
        self._key = watch_key(signal)
        self._start: Instant | None = None
        self._newest: list[tuple[int, int, Found]] = []
        self._firings = self._recoveries = self._seen = self._periods_seen = 0
        self._subjects = 0
        self._spans: set[Span] = set()
        self._top: list[tuple[int, int, PreviewSubject]] = []

    def take(self, calendar: CalendarPreview) -> None:
        """Follow one calendar to its end."""
        fired: dict[tuple[str | None, ...], dict[int, tuple[int, int, int]]] = {}
        for found in calendar.found():
            crossing = found.crossing
            self._keep(found)
            if crossing.after < crossing.before:
                self._recoveries += 1
                continue
            self._firings += 1
            self._spans.add(found.span)
            of_subject = fired.setdefault(found.subject, {})
            first_at, level, count = of_subject.get(found.period, (crossing.at, 0, 0))
            of_subject[found.period] = first_at, max(level, crossing.after), count + 1
        self._start = calendar.start if self._start is None else min(self._start, calendar.start)
        self._subjects += len(fired)
        self._seen += calendar.subject_count
        self._periods_seen = max(self._periods_seen, calendar.period_count)
        counts = {subject: sum(count for _, _, count in periods.values()) for subject, periods in fired.items()}
        top = min(self._question.top, FIGURES_MAX // max(calendar.period_count, 1))
        for rank, subject in calendar.largest(counts, top):
            figures = [
                PreviewFigure(
                    span.start,
                    span.end,
                    None if units is None else amount_of(units),
                    *_level_and_instant(fired.get(subject, {}).get(period)),
                )
                for period, span, units in calendar.figures_of(subject)
            ]
            firings = counts.get(subject, 0)
            self._top.append((firings, rank, PreviewSubject(subject_of(self._key, subject), firings, figures)))

    def preview(self) -> Preview:
        """Return the whole."""
        ranked = sorted(self._top, key=lambda each: each[:2], reverse=True)[: self._question.top]
        newest = sorted(self._newest, key=lambda each: each[:2], reverse=True)
        return Preview(
            start=self._question.start if self._start is None else self._start,
            end=self._question.end,
            steps=[self._step(found) for _, _, found in newest],
            is_truncated=len(newest) < self._firings + self._recoveries,
            firings=self._firings,
            recoveries=self._recoveries,
            subjects=self._subjects,
            subjects_seen=self._seen,
            periods=len(self._spans),
            periods_seen=self._periods_seen,
            top=[subject for _, _, subject in ranked],
        )

    def _keep(self, found: Found) -> None:
        entry = found.crossing.at, self._firings + self._recoveries, found
        if len(self._newest) < self._question.limit:
            heappush(self._newest, entry)
        elif self._newest:
            heappushpop(self._newest, entry)

    def _step(self, found: Found) -> Step:
        crossing = found.crossing
        evidence = Evidence(
            None if crossing.figure is None else amount_of(crossing.figure),
            None if crossing.base is None else amount_of(crossing.base),
            found.last_event_at,
        )
        return step_of(
            self._signal,
            subject_of(self._key, found.subject),
            Move(self._signal.key, crossing.before, crossing.after),
            evidence,
            span=found.span,
            reason=StepReason.USAGE if found.last_event_at is None else StepReason.SILENCE,
            position=Position(0),
            at=Instant(crossing.at),
        )


def _level_and_instant(fired: tuple[int, int, int] | None) -> tuple[int, Instant | None]:
    return (0, None) if fired is None else (fired[1], Instant(fired[0]))
