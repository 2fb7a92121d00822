"""What one meter says in a statement: the same whether the log is asked or a list of events by whoever checks it."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from tallystick.amount import plain
from tallystick.event import Position
from tallystick.instant import format_instant
from tallystick.meter import Meter
from tallystick.usage.answer_usage import answer_usage
from tallystick.usage.event_frames import CUSTOMER, EventFrames
from tallystick.usage.question import Fill, UsageQuestion, WindowSize

from .question import StatementQuestion
from .statement import StatedMeter, StatedTotal, StatedWindow, stated_definition

_NULL = msgspec.Raw(b"null")


def state_meter(
    frames: EventFrames, meter: Meter, question: StatementQuestion, *, in_force_from: Position, as_of: Position
) -> StatedMeter:
    """Return what the meter answers of the customer's events as they were known at `as_of`. Raises `InvalidQuestion`."""
    asked = UsageQuestion(
        start=question.start,
        end=question.end,
        window=question.window,
        timezone=question.timezone,
        filter={CUSTOMER: (question.customer,)},
        fill=Fill.ZERO,
        as_of=as_of,
    )
    answer = answer_usage(frames, meter, asked)
    (total,) = answer.totals
    windows = [] if question.window is WindowSize.TOTAL else answer.rows
    return StatedMeter(
        key=meter.key,
        version=meter.version,
        position=in_force_from,
        definition=stated_definition(meter),
        windows=tuple(
            StatedWindow(format_instant(row.start), format_instant(row.end), _figure(row.value), row.events)
            for row in windows
        ),
        total=StatedTotal(_figure(total.value), total.events),
    )


def _figure(value: Decimal | None) -> msgspec.Raw:
    return _NULL if value is None else msgspec.Raw(plain(value).encode())
