"""Where signals stand, in JSON: states, steps, what is fired now; and whom a request means."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType

from tallystick.errors import InvalidDefinition
from tallystick.instant import NS_PER_S, Instant
from tallystick.signal_store import FiredState
from tallystick.signals.signal import EACH_CUSTOMER, Signal
from tallystick.signals.step import EVERYBODY, RecordedStep, SignalState, Step, StepKind, StepReason, Subject
from tallystick_server.json_values import (
    Moment,
    NumberOrNull,
    Timestamp,
    moment,
    number_or_null,
    timestamp,
    timestamp_or_null,
)

ForS = Annotated[int, msgspec.Meta(ge=1, le=366 * 86_400, description="For how many seconds from now.")]
Group = Annotated[
    dict[str, str | None],
    msgspec.Meta(
        description="The values of the properties that the signal is grouped by.", examples=[{"region": "eu"}]
    ),
]


class Standing(StrEnum):
    """A subject's state in a word: `snoozed` is one whose messages are held back, whatever its level."""

    ARMED = "armed"
    FIRED = "fired"
    SNOOZED = "snoozed"


class SnoozeRequest(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Whose messages to hold back, and until when: `until` an instant, or `for_s` seconds from now; `"until": null` wakes.

    Without `customer` and `group`: those about everybody that the signal watches.
    """

    customer: Annotated[str, msgspec.Meta(min_length=1, max_length=256, examples=["acme"])] | None = None
    group: Group = {}
    until: Moment | UnsetType | None = UNSET
    for_s: ForS | UnsetType = UNSET


class SignalPeriodOut(msgspec.Struct):
    """The calendar period whose figure it is, `[start, end)`."""

    start: Timestamp
    end: Timestamp


class StateOut(msgspec.Struct, kw_only=True):
    """Where a signal stands for a subject; `since` is when the level last changed, null if it never did.

    `level` is how many thresholds the figure is past in the present period. `customer` is null for all together.
    """

    customer: str | None
    group: dict[str, str | None]
    state: Standing
    level: int
    since: Timestamp | None
    snoozed_until: Timestamp | None


class StatesOut(msgspec.Struct):
    """States of one signal: of those about whom it ever took a step; everybody else is armed."""

    items: list[StateOut]
    next_cursor: str | None


class FiguresOut(msgspec.Struct, kw_only=True):
    """What explains a step: `threshold` is the figure that was passed, `percent` which share of the `limit` that is.

    Of a change: `base` is the figure of the period before, and `change` is null where there was nothing before.
    """

    figure: NumberOrNull
    threshold: NumberOrNull
    percent: NumberOrNull
    limit: NumberOrNull
    base: NumberOrNull
    change: NumberOrNull
    last_event_at: Timestamp | None


class HistoryStepOut(FiguresOut, kw_only=True):
    """One step. `level` is the level after it; `position` the end of the log that `figure` includes; `at` when it was noticed.

    Steps that people took (`snoozed`, `woken`) have no period and no figures.
    """

    id: str
    kind: StepKind
    reason: StepReason
    customer: str | None
    group: dict[str, str | None]
    level: int
    period: SignalPeriodOut | None
    at: Timestamp
    position: int
    snoozed_until: Timestamp | None


class HistoryOut(msgspec.Struct):
    """Steps of one signal, newest first; with a filter a page may be short and still have a next one."""

    items: list[HistoryStepOut]
    next_cursor: str | None


class FiredOut(FiguresOut, kw_only=True):
    """A subject that is past a threshold now; the figures are of the step that led there."""

    signal: str
    name: str
    meter: str
    customer: str | None
    group: dict[str, str | None]
    state: Standing
    level: int
    since: Timestamp
    snoozed_until: Timestamp | None
    period: SignalPeriodOut
    position: int | None


class FiredPageOut(msgspec.Struct):
    """What is fired now, newest first; with a filter a page may be short and still have a next one.

    `count` is over all signals. For a moment it may still have what was fired in a period that just ended.
    """

    items: list[FiredOut]
    next_cursor: str | None
    count: int


def state_out(state: SignalState, *, whole: SignalState | None, now: Instant) -> StateOut:
    """Return a state as it is answered; `whole` is the state that a snooze of everybody is in."""
    level, until = state.level_at(now), snoozed_until(state, whole, now=now)
    return StateOut(
        customer=state.subject.customer,
        group=dict(state.subject.group),
        state=_standing(level, until),
        level=level,
        since=timestamp(state.changed_at) if state.changed_at else None,
        snoozed_until=timestamp_or_null(until),
    )


def history_step_out(recorded: RecordedStep) -> HistoryStepOut:
    """Return a step as it is answered."""
    step = recorded.step
    is_of_a_period = step.kind in (StepKind.FIRED, StepKind.RECOVERED)
    return HistoryStepOut(
        id=recorded.id,
        kind=step.kind,
        reason=step.reason,
        customer=step.subject.customer,
        group=dict(step.subject.group),
        level=step.level,
        period=SignalPeriodOut(timestamp(step.period_start), timestamp(step.period_end)) if is_of_a_period else None,
        at=timestamp(step.at),
        position=step.position,
        snoozed_until=timestamp_or_null(step.snoozed_until),
        last_event_at=timestamp_or_null(step.last_event_at),
        **figures_of(step),
    )


def fired_out(
    fired: FiredState, signals: Mapping[str, Signal], *, whole: SignalState | None, now: Instant
) -> FiredOut | None:
    """Return what is fired as it is answered; None if its signal was deleted meanwhile."""
    signal, state, step = signals.get(fired.signal), fired.state, fired.step
    if signal is None:
        return None
    until = snoozed_until(state, whole, now=now)
    return FiredOut(
        signal=signal.key,
        name=signal.name or signal.key,
        meter=signal.meter,
        customer=state.subject.customer,
        group=dict(state.subject.group),
        state=_standing(state.level, until),
        level=state.level,
        since=timestamp(state.changed_at),
        snoozed_until=timestamp_or_null(until),
        period=SignalPeriodOut(timestamp(state.period_start), timestamp(state.period_end)),
        position=None if step is None else step.step.position,
        last_event_at=None if step is None else timestamp_or_null(step.step.last_event_at),
        **figures_of(None if step is None else step.step),
    )


def snoozed_until(state: SignalState | None, whole: SignalState | None, *, now: Instant) -> Instant | None:
    """Return until when messages about a subject are held back, on its own or with everybody; None if they are not."""
    return max(
        (
            each.snoozed_until
            for each in (state, whole)
            if each is not None and each.snoozed_until is not None and each.is_snoozed(now)
        ),
        default=None,
    )


def until_of(request: SnoozeRequest, *, now: Instant) -> Instant | None:
    """Return until when a request snoozes, None where it wakes. Raises `InvalidDefinition`, `Refusal` (400)."""
    if isinstance(request.until, UnsetType) == isinstance(request.for_s, UnsetType):
        raise InvalidDefinition("until", "give either until (null wakes) or for_s")
    if not isinstance(request.for_s, UnsetType):
        return Instant(now + request.for_s * NS_PER_S)
    if isinstance(request.until, UnsetType) or request.until is None:
        return None
    return moment("until", request.until)


def subject_of(request: SnoozeRequest, signal: Signal) -> Subject:
    """Return whom a request means. Raises `InvalidDefinition` for somebody whom the signal does not watch."""
    customer = request.customer
    if customer is None and not request.group:
        return EVERYBODY
    if signal.customer is None and customer is not None:
        raise InvalidDefinition("customer", "the signal watches all customers together: leave it out")
    if signal.customer not in (None, EACH_CUSTOMER):
        if customer not in (None, signal.customer):
            raise InvalidDefinition("customer", f"the signal watches {signal.customer!r} alone")
        customer = signal.customer
    if signal.customer == EACH_CUSTOMER and customer is None:
        raise InvalidDefinition("customer", "the signal watches each customer on its own: name one beside the group")
    if request.group.keys() != set(signal.group_by):
        names = ", ".join(signal.group_by)
        raise InvalidDefinition(
            "group", f"must have a value for each of: {names}" if names else "the signal is not grouped: leave it out"
        )
    return Subject(customer, tuple((name, request.group[name]) for name in signal.group_by))


def _standing(level: int, until: Instant | None) -> Standing:
    if until is not None:
        return Standing.SNOOZED
    return Standing.FIRED if level else Standing.ARMED


def figures_of(step: Step | None) -> dict[str, msgspec.Raw]:
    """Return the numbers of a step by the names of `FiguresOut`; nulls without one."""
    return {
        "figure": number_or_null(step.figure if step else None),
        "threshold": number_or_null(step.threshold if step else None),
        "percent": number_or_null(step.percent if step else None),
        "limit": number_or_null(step.limit if step else None),
        "base": number_or_null(step.base if step else None),
        "change": number_or_null(step.change if step else None),
    }
