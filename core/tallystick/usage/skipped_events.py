"""Events that a meter would count if they had what it reads: of its type, past its filter, and without a field or a number in it.

Promises: an event of the type that passes the filter either counts or is skipped, never both; each that is skipped says for every field at
fault what is wrong with it. It is not lost: it counts for other meters, and for this one as soon as it reads another field.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import msgspec
import polars as pl

from tallystick.amount import AmountOutOfRange, InvalidAmount, canonical_amount
from tallystick.event import Event, StoredEvent, property_text
from tallystick.instant import Instant
from tallystick.meter import Meter

from .aggregators import bind_aggregator
from .event_selection import EventSelection, select_events
from .operand import Operand, OperandKind, property_names

_SHOWN_MAX = 64


class SkipCode(StrEnum):
    """Why a field keeps an event from counting."""

    MISSING = "missing"
    NOT_A_NUMBER = "not_a_number"


class SkipReason(msgspec.Struct, frozen=True):
    """One field at fault, as the meter names it."""

    field: str
    code: SkipCode
    detail: str


class SkippedEvent(msgspec.Struct, frozen=True):
    """An event of the log that does not count for a meter, and why."""

    stored: StoredEvent
    reasons: list[SkipReason]


class SkippedQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """Which skipped events: their time in `[start, end)`, newest first; `cursor` goes on where a page ended."""

    start: Instant
    end: Instant
    limit: int = 100
    cursor: str | None = None


class Skipping(msgspec.Struct, frozen=True):
    """What makes a meter skip events: `operands` are those of its fields that an event may lack."""

    meter: Meter
    selection: EventSelection
    operands: Sequence[Operand]

    @property
    def properties(self) -> list[str]:
        """Return the properties that must be read to tell."""
        return sorted(self.selection.property_names | property_names(self.operands))

    def skipped(self, events: pl.LazyFrame) -> pl.LazyFrame:
        """Return the skipped ones among the events of the meter's type."""
        return self.selection.narrow(events).filter(
            pl.any_horizontal(operand.expression().is_null() for operand in self.operands)
        )

    def reasons(self, event: Event) -> list[SkipReason]:
        """Return what is wrong with an event for this meter; nothing if it counts."""
        found = (_reason(operand, event) for operand in self.operands)
        return list(dict.fromkeys(reason for reason in found if reason is not None))


def skipping(meter: Meter) -> Skipping:
    """Return what makes the meter skip events. Raises `InvalidDefinition` for one whose aggregation is there no more."""
    operands = [
        operand
        for operand in bind_aggregator(meter).operands
        # Every event has a value, which is a number, and a customer.
        if operand.property_name is not None and (operand.kind is OperandKind.NUMBER or operand.if_missing is None)
    ]
    return Skipping(meter, select_events([meter.filter]), operands)


def _reason(operand: Operand, event: Event) -> SkipReason | None:
    name = operand.property_name
    value = None if name is None else event.properties.get(name)
    if value is None:
        is_missing = name is not None and operand.if_missing is None
        return SkipReason(operand.field, SkipCode.MISSING, f"the event has no {operand.field}") if is_missing else None
    if operand.kind is OperandKind.TEXT:
        return None
    text = property_text(value)
    try:
        canonical_amount(text)
    except InvalidAmount:
        shown = ascii(text if len(text) <= _SHOWN_MAX else text[:_SHOWN_MAX] + "…")
        return SkipReason(operand.field, SkipCode.NOT_A_NUMBER, f"{operand.field} is {shown}, which is no number")
    except AmountOutOfRange as error:
        return SkipReason(operand.field, SkipCode.NOT_A_NUMBER, f"{operand.field}: {error}")
    return None
