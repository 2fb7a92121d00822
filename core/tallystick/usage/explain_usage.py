"""Explaining a figure: which events it was made of, or which intervals.

Promises: pages go together: the first one fixes the position of the log and the time that all are of, and hands them on in its cursor. So
nothing is listed twice or left out while events keep coming, and what is listed adds up to the figure on the first page.
Does not: explain more than `GROUPS_MAX` groups at once, nor windows: the range is the one window.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from msgspec.structs import replace

from tallystick.errors import InvalidQuestion
from tallystick.event import Position, StoredEvent
from tallystick.instant import Instant, StillClock
from tallystick.meter import Meter

from .aggregators import SeriesAggregator, bind_aggregator
from .answer import UsageTotal
from .answer_usage import answer_usage
from .check_question import check_question
from .counted_events import group_columns
from .event_frames import POSITION, TIME, EventFrames
from .explain_cursor import ExplainCursor, cursor_text
from .explain_events import AMOUNT, explained_events
from .explain_intervals import (
    CLOSED_AT,
    END,
    ENDING,
    OPENED_AT,
    START,
    CausesFound,
    causes,
    explained_intervals,
    seconds_between,
)
from .explanation import Causes, CountedEvent, Ending, Explanation, Interval
from .figure import HIGH, LOW, figure
from .level_table import SERIES_CUSTOMER, SERIES_PROPERTY, series_columns
from .question import Compare, Fill, UsageQuestion, WindowSize

GROUPS_MAX: Final = 1_000
PAGE_MAX: Final = 1_000

# The event at a position, as one that counts: it did when the page's position was written, though it may be voided since.
EventAt = Callable[[Position], StoredEvent]


def explain_usage(
    frames: EventFrames, meter: Meter, question: UsageQuestion, *, place: ExplainCursor, limit: int, event_at: EventAt
) -> Explanation:
    """Return the page that begins at a place: the figure of the question's whole range, as of the place's position and time.

    Raises `InvalidQuestion`, and `InvalidDefinition` for a meter that is none.
    """
    if not 1 <= limit <= PAGE_MAX:
        raise InvalidQuestion("limit", f"is not between 1 and {PAGE_MAX:,}")
    asked = replace(
        question,
        window=WindowSize.TOTAL,
        fill=Fill.NONE,
        compare=Compare.NONE,
        limit=None,
        as_of=Position(place.as_of),
    )
    check_question(asked)
    is_first = place.time < 0 and place.offset == 0
    totals = _totals(frames, meter, asked, now=Instant(place.now)) if is_first else None
    explanation = Explanation(
        meter=meter.key,
        meter_version=meter.version,
        question=question,
        as_of=Position(place.as_of),
        now=Instant(place.now),
        totals=totals,
        next_cursor=None,
    )
    aggregator = bind_aggregator(meter)
    if isinstance(aggregator, SeriesAggregator):
        return _with_intervals(explanation, frames, meter, asked, aggregator, place, limit, event_at)
    page = explained_events(frames, meter, asked, aggregator=aggregator, after=place, count=limit + 1)
    shown = page.head(limit)
    items = [
        CountedEvent(stored=event_at(row[POSITION]), group=_group(row, asked), amount=row[AMOUNT])
        for row in shown.iter_rows(named=True)
    ]
    more = replace(place, time=shown[TIME][-1], position=shown[POSITION][-1]) if page.height > limit else None
    return replace(explanation, events=items, next_cursor=None if more is None else cursor_text(more))


def _totals(frames: EventFrames, meter: Meter, asked: UsageQuestion, *, now: Instant) -> list[UsageTotal]:
    totals = answer_usage(frames, meter, asked, clock=StillClock(now)).totals
    if len(totals) > GROUPS_MAX:
        raise InvalidQuestion(
            "group_by",
            f"there are {len(totals):,} groups, and {GROUPS_MAX:,} can be explained at once: filter for some",
        )
    return list(totals)


def _with_intervals(
    explanation: Explanation,
    frames: EventFrames,
    meter: Meter,
    asked: UsageQuestion,
    aggregator: SeriesAggregator,
    place: ExplainCursor,
    limit: int,
    event_at: EventAt,
) -> Explanation:
    now = Instant(place.now)
    page = explained_intervals(
        frames, meter, asked, aggregator=aggregator, now=now, offset=place.offset, count=limit + 1
    )
    shown = page.head(limit)
    found = causes(frames, meter, asked, aggregator=aggregator, page=shown)
    names = list(series_columns(asked, aggregator))
    items = [_interval(row, names, asked, found, event_at) for row in shown.iter_rows(named=True)]
    more = replace(place, offset=place.offset + limit) if page.height > limit else None
    return replace(explanation, intervals=items, next_cursor=None if more is None else cursor_text(more))


def _interval(
    row: Mapping[str, Any],  # Any: a row as Polars gives it
    names: list[str],
    asked: UsageQuestion,
    found: Mapping[tuple[object, ...], CausesFound],
    event_at: EventAt,
) -> Interval:
    key = tuple(row[name] for name in names)
    level = figure(row[HIGH], row[LOW])
    assert level is not None  # noqa: S101 - a level is always a number
    return Interval(
        start=Instant(row[START]),
        end=Instant(row[END]),
        seconds=seconds_between(row[START], row[END]),
        level=level,
        group=_group(row, asked),
        customer=row[SERIES_CUSTOMER],
        series=row.get(SERIES_PROPERTY),
        opened=_causes(found[*key, row[OPENED_AT]], event_at),
        closed=None if row[CLOSED_AT] is None else _causes(found[*key, row[CLOSED_AT]], event_at),
        ending=Ending(row[ENDING]),
    )


def _causes(found: CausesFound, event_at: EventAt) -> Causes:
    return Causes(found.count, [event_at(Position(position)) for position in found.positions])


def _group(row: Mapping[str, Any], asked: UsageQuestion) -> dict[str, str | None]:  # Any: as above
    return {name: row[column] for column, name in group_columns(asked).items()}
