"""How an explanation looks in JSON."""

from __future__ import annotations

import msgspec

from tallystick.event import StoredEvent
from tallystick.usage.explanation import Causes, CountedEvent, Ending, Explanation, Interval
from tallystick_server.events.schemas import EventOut, event_out
from tallystick_server.json_values import Number, NumberOrNull, Timestamp, number, number_or_null, timestamp

from .schemas import UsageTotalOut


class ExplainedEventOut(EventOut, kw_only=True, tag_field="kind", tag="event"):
    """An event that counts.

    `amount` is what it adds: 1 for a count; for distinct values 1 where the value is new in the range, otherwise 0; else the number that
    was read; null where a plugin's aggregation does not say.
    """

    group: dict[str, str | None]
    amount: NumberOrNull


class CauseOut(msgspec.Struct):
    """An event that began or ended an interval."""

    source: str
    id: str
    time: Timestamp
    value: Number
    position: int


class CausesOut(msgspec.Struct):
    """The events of one series at one instant, the newest in the log first: how many there are, and at most ten of them."""

    count: int
    events: list[CauseOut]


class ExplainedIntervalOut(msgspec.Struct, kw_only=True, tag_field="kind", tag="interval"):
    """A series at one level other than 0, as far as it lies in the range.

    `opened` brought it to that level, and may lie before the range. `ending` says what ended it: an event (`closed`), the timeout, the end
    of the range, or nothing so far (`now`).
    """

    start: Timestamp
    end: Timestamp
    seconds: Number
    level: Number
    group: dict[str, str | None]
    customer: str
    series: str | None
    opened: CausesOut
    closed: CausesOut | None
    ending: Ending


class ExplanationOut(msgspec.Struct, kw_only=True, rename={"start": "from", "end": "to"}):
    """One page of what is behind a figure, in order of time: events, or for levels and durations intervals.

    Every page is of the log as it was at position `as_of` and of the time `now`, as the first one fixed them; that one has the
    figures in `totals`, the others null.
    """

    meter: str
    meter_version: int
    start: Timestamp
    end: Timestamp
    as_of: int
    now: Timestamp
    totals: list[UsageTotalOut] | None
    items: list[ExplainedEventOut | ExplainedIntervalOut]
    next_cursor: str | None


def explanation_out(explanation: Explanation) -> ExplanationOut:
    """Return a page as it is answered."""
    question = explanation.question
    return ExplanationOut(
        meter=explanation.meter,
        meter_version=explanation.meter_version,
        start=timestamp(question.start),
        end=timestamp(question.end),
        as_of=explanation.as_of,
        now=timestamp(explanation.now),
        totals=None
        if explanation.totals is None
        else [UsageTotalOut(total.group, number_or_null(total.value), total.events) for total in explanation.totals],
        items=[
            *(_event(event) for event in explanation.events or []),
            *(_interval(interval) for interval in explanation.intervals or []),
        ],
        next_cursor=explanation.next_cursor,
    )


def _event(event: CountedEvent) -> ExplainedEventOut:
    return ExplainedEventOut(
        **msgspec.structs.asdict(event_out(event.stored)), group=event.group, amount=number_or_null(event.amount)
    )


def _interval(interval: Interval) -> ExplainedIntervalOut:
    return ExplainedIntervalOut(
        start=timestamp(interval.start),
        end=timestamp(interval.end),
        seconds=number(interval.seconds),
        level=number(interval.level),
        group=interval.group,
        customer=interval.customer,
        series=interval.series,
        opened=_causes(interval.opened),
        closed=None if interval.closed is None else _causes(interval.closed),
        ending=interval.ending,
    )


def _causes(causes: Causes) -> CausesOut:
    return CausesOut(causes.count, [_cause(event) for event in causes.events])


def _cause(stored: StoredEvent) -> CauseOut:
    event = stored.event
    return CauseOut(event.source, event.id, timestamp(event.time), number(event.value), stored.position)
