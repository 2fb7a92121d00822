"""A step: one move of a signal's state for one subject, with the figures that explain it. The log keeps every one.

The machine, for each signal and subject, within one period:

    armed (level 0) ──fired──▶ fired (level n ≥ 1) ──fired──▶ a higher level
                    ◀─recovered── (back to level 0, or to a lower one)

A new period begins armed without a step. Snoozed is no state of its own: steps go on and are kept, and no message says so until it ends.
"""

from __future__ import annotations

import hashlib
from decimal import Decimal
from enum import StrEnum

import msgspec

from tallystick.event import Position
from tallystick.instant import Instant


class Subject(msgspec.Struct, frozen=True, array_like=True):
    """About whom: a customer (None: all together), and the values of the grouped properties in the order of the signal's `group_by`."""

    customer: str | None = None
    group: tuple[tuple[str, str | None], ...] = ()

    def digest(self) -> bytes:
        """Return 16 bytes that stand for the subject in a table's key: names of customers are longer than keys may be."""
        return hashlib.sha256(msgspec.msgpack.encode(self)).digest()[:16]


EVERYBODY = Subject()


class StepKind(StrEnum):
    """Which way the state moved."""

    FIRED = "fired"
    RECOVERED = "recovered"
    SNOOZED = "snoozed"
    WOKEN = "woken"


class StepReason(StrEnum):
    """What moved it: an event, a correction (void or late event), time (a period's end, silence), or a person."""

    USAGE = "usage"
    CORRECTION = "correction"
    PERIOD_END = "period_end"
    SILENCE = "silence"
    OPERATOR = "operator"


class Step(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """One move. `level` is the level after it; `position` the end of the log that `figure` includes; `at` when it was noticed.

    `threshold` is the figure that was passed, `percent` which share of `limit` that is; `base` and `change` are of the period before, and
    `change` is None with a base of zero: there was nothing before. `signal_version` is the version that was looked through.
    """

    signal: str
    signal_version: int
    subject: Subject
    kind: StepKind
    level: int
    reason: StepReason
    position: Position
    at: Instant
    period_start: Instant
    period_end: Instant
    figure: Decimal | None = None
    threshold: Decimal | None = None
    percent: Decimal | None = None
    limit: Decimal | None = None
    base: Decimal | None = None
    change: Decimal | None = None
    last_event_at: Instant | None = None
    snoozed_until: Instant | None = None


class RecordedStep(msgspec.Struct, frozen=True):
    """A step as the log has it; `id` is its place there."""

    id: str
    step: Step


class SignalState(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """Where a signal stands for a subject, in the period that began at `period_start`; in any later period it is armed again.

    `changed_at` is when the level last changed; 0 if it never did.
    """

    subject: Subject
    period_start: Instant = Instant(0)
    level: int = 0
    changed_at: Instant = Instant(0)
    snoozed_until: Instant | None = None
    period_end: Instant = Instant(0)

    def level_in(self, period_start: Instant) -> int:
        """Return the level in a period: 0 in one that has not been looked at."""
        return self.level if self.period_start == period_start else 0

    def level_at(self, now: Instant) -> int:
        """Return the level now: 0 once the period is over."""
        return self.level if now < self.period_end else 0

    def is_snoozed(self, now: Instant) -> bool:
        """Whether messages are held back."""
        return self.snoozed_until is not None and now < self.snoozed_until


class Mark(msgspec.Struct, frozen=True, array_like=True):
    """How far signals were looked at: every change of the log up to `position`, and everything that time alone brings up to `at`."""

    position: Position
    at: Instant


def state_after(state: SignalState | None, step: Step) -> SignalState | None:
    """Return the state after the step; None if the step does not follow from the state, and so must not be taken.

    That is what makes a crossing fire once: whoever looked at an older state, or looks again after a crash, finds no step to take.
    """
    known = state or SignalState(subject=step.subject)
    if step.kind in (StepKind.SNOOZED, StepKind.WOKEN):
        return msgspec.structs.replace(known, snoozed_until=step.snoozed_until)
    if step.period_start < known.period_start:
        return None
    level = known.level_in(step.period_start)
    goes_up = step.kind is StepKind.FIRED
    if step.level < 0 or (step.level <= level if goes_up else step.level >= level):
        return None
    # A period that is over stays over: what is looked at again after a crash finds a later one here.
    is_over = step.reason is StepReason.PERIOD_END
    return msgspec.structs.replace(
        known,
        period_start=step.period_end if is_over else step.period_start,
        period_end=step.period_end,
        level=step.level,
        changed_at=step.at,
    )


def tells(step: Step) -> bool:
    """Whether a step is worth a message: not what people did themselves, nor that a period is over."""
    return step.kind in (StepKind.FIRED, StepKind.RECOVERED) and step.reason is not StepReason.PERIOD_END
