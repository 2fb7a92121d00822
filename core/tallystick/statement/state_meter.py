"""What one meter says in a statement: the same whether the log is asked or a list of events by whoever checks it."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from tallystick.amount import plain
from tallystick.event import Position
from tallystick.instant import Instant, StillClock, format_instant
from tallystick.meter import Meter
from tallystick.usage.aggregators import SeriesAggregator, bind_aggregator
from tallystick.usage.answer import UsageRow
from tallystick.usage.answer_usage import answer_usage
from tallystick.usage.event_frames import CUSTOMER, EventFrames
from tallystick.usage.question import Fill, UsageQuestion, WindowSize

from .question import StatementQuestion
from .statement import StatedMeter, StatedTotal, StatedWindow, stated_definition

_NULL = msgspec.Raw(b"null")


def is_carried(meter: Meter) -> bool:
    """Whether what came before a range moves the meter's figure of it. Raises `InvalidDefinition` for a meter that is none."""
    return isinstance(bind_aggregator(meter), SeriesAggregator)


def state_meter(
    frames: EventFrames,
    meter: Meter,
    question: StatementQuestion,
    *,
    in_force_from: Position,
    as_of: Position,
    written_at: Instant,
) -> StatedMeter:
    """Return what the meter answers of the customer's events as they were known at `as_of`, a position that was written at `written_at`.

    A level that still stands then is counted up to that instant. Raises `InvalidQuestion`, `InvalidDefinition`.
    """
    asked = UsageQuestion(
        start=question.start,
        end=question.end,
        window=question.window,
        timezone=question.timezone,
        filter={CUSTOMER: (question.customer,)},
        fill=Fill.ZERO,
        as_of=as_of,
    )
    answer = answer_usage(frames, meter, asked, clock=StillClock(written_at))
    (total,) = answer.totals
    return StatedMeter(
        key=meter.key,
        version=meter.version,
        position=in_force_from,
        definition=stated_definition(meter),
        windows=() if question.window is WindowSize.TOTAL else tuple(map(_window, answer.rows)),
        total=StatedTotal(_figure(total.value), total.events),
    )


def _window(row: UsageRow) -> StatedWindow:
    return StatedWindow(format_instant(row.start), format_instant(row.end), _figure(row.value), row.events)


def _figure(value: Decimal | None) -> msgspec.Raw:
    return _NULL if value is None else msgspec.Raw(plain(value).encode())
