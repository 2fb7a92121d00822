"""The step that a move makes: what was passed, which way, and the figures that explain it."""

from __future__ import annotations

from decimal import Decimal

from tallystick.amount import EXACT
from tallystick.event import Position
from tallystick.instant import Instant
from tallystick.usage.figure import UNITS_PER_ONE

from .calendar_period import Span
from .gauge import change_shown
from .ladder import Move
from .readings import Evidence
from .signal import ConditionType, Op, Signal, levels
from .step import Step, StepKind, StepReason, Subject


def step_of(
    signal: Signal,
    subject: Subject,
    move: Move,
    evidence: Evidence,
    *,
    span: Span,
    reason: StepReason,
    position: Position,
    at: Instant,
) -> Step:
    """Return the step of a signal from one level to another.

    The threshold is the one that was passed: on the way up the highest, on the way down the lowest.
    """
    condition = signal.condition
    is_up = move.after > move.before
    passed = move.after if is_up else move.after + 1
    threshold, percent = condition.value, None
    if condition.type is ConditionType.THRESHOLD:
        threshold = levels(condition)[passed - 1]
        if condition.limit is not None:
            percents = sorted(condition.thresholds or (Decimal(100),), reverse=condition.op in (Op.AT_MOST, Op.BELOW))
            percent = percents[passed - 1]
    change = None
    if condition.type in (ConditionType.ABSOLUTE_CHANGE, ConditionType.PERCENT_CHANGE):
        change = _change(signal, evidence)
    return Step(
        signal=signal.key,
        signal_version=signal.version,
        subject=subject,
        kind=StepKind.FIRED if is_up else StepKind.RECOVERED,
        level=move.after,
        reason=reason,
        position=position,
        at=at,
        period_start=span.start,
        period_end=span.end,
        figure=evidence.figure,
        threshold=threshold,
        percent=percent,
        limit=condition.limit,
        base=evidence.base,
        change=change,
        last_event_at=evidence.last_event_at,
    )


def period_end_step(signal: Signal, subject: Subject, *, span: Span, position: Position, at: Instant) -> Step:
    """Return the step that a fired signal takes when its period is over: back to level 0, without a message."""
    return Step(
        signal=signal.key,
        signal_version=signal.version,
        subject=subject,
        kind=StepKind.RECOVERED,
        level=0,
        reason=StepReason.PERIOD_END,
        position=position,
        at=at,
        period_start=span.start,
        period_end=span.end,
    )


def _change(signal: Signal, evidence: Evidence) -> Decimal | None:
    if evidence.figure is None or evidence.base is None:
        return None
    figure, base = (int(EXACT.multiply(each, Decimal(UNITS_PER_ONE))) for each in (evidence.figure, evidence.base))
    return change_shown(signal.condition, figure, base)
