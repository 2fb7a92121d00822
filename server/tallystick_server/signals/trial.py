"""A preview of a signal in JSON: when it would have fired, and the figures to draw beside it."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from tallystick.instant import NS_PER_DAY, Clock, Instant
from tallystick.signals.preview import FIGURES_MAX, STEPS_MAX, TOP_MAX, Preview, PreviewQuestion, PreviewSubject
from tallystick.signals.signal import Signal, levels
from tallystick.signals.step import Step, StepKind, StepReason
from tallystick_server.json_values import (
    Moment,
    Number,
    NumberOrNull,
    Timestamp,
    moment,
    number,
    number_or_null,
    timestamp,
    timestamp_or_null,
)

from .schemas import SignalDraft
from .standing import FiguresOut, SignalPeriodOut, figures_of

DEFAULT_DAYS: Final = 90
StepLimit = Annotated[
    int, msgspec.Meta(ge=1, le=STEPS_MAX, description="How many steps are answered, the newest ones.")
]
TopLimit = Annotated[
    int,
    msgspec.Meta(
        ge=0,
        le=TOP_MAX,
        description=f"Of how many subjects the figures of every period are answered; fewer where that were more than {FIGURES_MAX:,}.",
    ),
]


class SignalPreviewRequest(
    msgspec.Struct, kw_only=True, forbid_unknown_fields=True, rename={"start": "from", "end": "to"}
):
    """A signal that is not saved, and the range to try it on: the last 90 days if it is absent."""

    signal: SignalDraft
    start: Moment | None = None
    end: Moment | None = None
    limit: StepLimit = 100
    top: TopLimit = 10


class PreviewStepOut(FiguresOut, kw_only=True):
    """A step that the signal would have taken; `at` is the instant at which its figure crossed."""

    kind: StepKind
    reason: StepReason
    customer: str | None
    group: dict[str, str | None]
    level: int
    period: SignalPeriodOut
    at: Timestamp


class PreviewFigureOut(msgspec.Struct, kw_only=True):
    """The figure of one period, up to `to` if that lies within; the highest `level` that it came to, and when it first fired."""

    start: Timestamp
    end: Timestamp
    value: NumberOrNull
    level: int
    fired_at: Timestamp | None


class PreviewSubjectOut(msgspec.Struct, kw_only=True):
    """A subject with the figure of every period, null where there is none."""

    customer: str | None
    group: dict[str, str | None]
    firings: int
    figures: list[PreviewFigureOut]


class SignalPreviewOut(msgspec.Struct, kw_only=True, rename={"start": "from", "end": "to"}):
    """When a signal would have fired: `steps`, newest first, of which `firings` and `recoveries` count all.

    `from` is where the first period begins. `subjects` fired, of `subjects_seen` that have figures, in `periods` of `periods_seen` periods.
    `thresholds` are the figures at which a threshold goes one level up. `top` are those that fired most, then the largest.
    """

    start: Timestamp
    end: Timestamp
    firings: int
    recoveries: int
    subjects: int
    subjects_seen: int
    periods: int
    periods_seen: int
    thresholds: list[Number]
    steps: list[PreviewStepOut]
    truncated: bool
    top: list[PreviewSubjectOut]


def preview_question(request: SignalPreviewRequest, clock: Clock) -> PreviewQuestion:
    """Return the question that a body asks. Raises `Refusal` (400)."""
    end = clock.now() if request.end is None else moment("to", request.end)
    start = Instant(end - DEFAULT_DAYS * NS_PER_DAY) if request.start is None else moment("from", request.start)
    return PreviewQuestion(start=start, end=end, limit=request.limit, top=request.top)


def preview_out(found: Preview, signal: Signal) -> SignalPreviewOut:
    """Return a preview as it is answered."""
    return SignalPreviewOut(
        start=timestamp(found.start),
        end=timestamp(found.end),
        firings=found.firings,
        recoveries=found.recoveries,
        subjects=found.subjects,
        subjects_seen=found.subjects_seen,
        periods=found.periods,
        periods_seen=found.periods_seen,
        thresholds=[number(each) for each in levels(signal.condition)],
        steps=[_step_out(step) for step in found.steps],
        truncated=found.is_truncated,
        top=[_subject_out(subject) for subject in found.top],
    )


def _step_out(step: Step) -> PreviewStepOut:
    return PreviewStepOut(
        kind=step.kind,
        reason=step.reason,
        customer=step.subject.customer,
        group=dict(step.subject.group),
        level=step.level,
        period=SignalPeriodOut(timestamp(step.period_start), timestamp(step.period_end)),
        at=timestamp(step.at),
        last_event_at=timestamp_or_null(step.last_event_at),
        **figures_of(step),
    )


def _subject_out(found: PreviewSubject) -> PreviewSubjectOut:
    return PreviewSubjectOut(
        customer=found.subject.customer,
        group=dict(found.subject.group),
        firings=found.firings,
        figures=[
            PreviewFigureOut(
                start=timestamp(figure.start),
                end=timestamp(figure.end),
                value=number_or_null(figure.figure),
                level=figure.level,
                fired_at=timestamp_or_null(figure.fired_at),
            )
            for figure in found.figures
        ],
    )
