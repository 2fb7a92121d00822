"""What an explanation lists adds up to the figure, page by page, whatever comes meanwhile."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.errors import InvalidQuestion
from tallystick.event import Event, Position
from tallystick.instant import Instant, format_instant, parse_instant
from tallystick.meter import Meter
from tallystick.testing.frames import ListedFrames
from tallystick.usage.answer_usage import answer_usage
from tallystick.usage.explain_cursor import ExplainCursor, parsed_cursor
from tallystick.usage.explain_usage import explain_usage
from tallystick.usage.explanation import CountedEvent, Ending, Explanation, Interval
from tallystick.usage.question import UsageQuestion, WindowSize
from tests.core.usage.asking import NOW, call, clock_at, meter, question
from tests.core.usage.test_answer_usage_against_model import Case, cases, durations, levels, plain_meters

DAY = question("2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z")


def pages(
    frames: ListedFrames,
    of: Meter,
    asked: UsageQuestion,
    *,
    as_of: int,
    limit: int = 2,
    now: str = NOW,
) -> list[Explanation]:
    place = ExplainCursor(as_of, parse_instant(now), of.version)
    found = [explain_usage(frames, of, asked, place=place, limit=limit, event_at=frames.event_at)]
    while (cursor := found[-1].next_cursor) is not None:
        place = parsed_cursor(cursor)
        found.append(explain_usage(frames, of, asked, place=place, limit=limit, event_at=frames.event_at))
    return found


def explained(events: list[Event], of: Meter, asked: UsageQuestion = DAY, **how: Any) -> list[Explanation]:
    return pages(ListedFrames(events), of, asked, as_of=len(events), **how)


def listed(found: list[Explanation]) -> list[CountedEvent]:
    return [event for page in found for event in page.events or []]


def intervals(found: list[Explanation]) -> list[Interval]:
    return [interval for page in found for interval in page.intervals or []]


def clock(instant: Instant) -> str:
    return format_instant(instant)[11:].removesuffix("Z")


MORNING = [
    call("2026-11-01T09:30:00Z", value="2", ip="a"),
    call("2026-11-01T09:00:00Z", value="1", ip="b"),
    call("2026-11-01T09:30:00Z", value="4", ip="a"),
    call("2026-11-01T09:10:00Z", value="8"),
    call("2026-11-03T09:10:00Z", value="16", ip="c"),
]


def test_events_are_listed_in_order_of_time_and_each_says_what_it_adds() -> None:
    found = explained(MORNING, meter("sum"))
    assert [len(page.events or []) for page in found] == [2, 2]
    assert [(event.stored.position, event.amount) for event in listed(found)] == [(2, 1), (4, 8), (1, 2), (3, 4)]
    assert found[0].totals is not None
    assert [(total.value, total.events) for total in found[0].totals] == [(15, 4)]
    assert found[1].totals is None


@pytest.mark.parametrize(
    ("of", "amounts"),
    [
        (meter("count"), [1, 1, 1, 1]),
        (meter("max"), [1, 8, 2, 4]),
        (meter("avg"), [1, 8, 2, 4]),
        (meter("unique", field="properties.ip"), [1, 1, 0]),
        (meter("unique", fields=("properties.ip", "value")), [1, 1, 1]),
    ],
    ids=["count", "max", "avg", "unique", "unique of two"],
)
def test_what_an_event_adds_is_what_its_aggregation_makes_of_it(of: Meter, amounts: list[int]) -> None:
    assert [event.amount for event in listed(explained(MORNING, of))] == amounts


def test_pages_are_of_the_log_and_the_time_of_the_first_one() -> None:
    place = ExplainCursor(3, parse_instant(NOW), 1)
    before = ListedFrames(MORNING[:3])
    first = explain_usage(before, meter("sum"), DAY, place=place, limit=2, event_at=before.event_at)
    later = ListedFrames(MORNING, voids={3: 5})
    assert first.next_cursor is not None
    second = explain_usage(
        later, meter("sum"), DAY, place=parsed_cursor(first.next_cursor), limit=2, event_at=later.event_at
    )
    assert [event.stored.position for event in listed([first, second])] == [2, 1, 3]
    assert second.next_cursor is None


def test_a_duration_is_listed_as_intervals_with_what_opened_and_closed_them() -> None:
    events = [
        call("2026-11-01T10:50:00Z", machine="a"),
        call("2026-11-01T11:20:00Z", value="0", machine="a"),
        call("2026-11-01T11:00:00Z", machine="a"),
        call("2026-10-31T23:00:00Z", machine="b"),
        call("2026-11-01T23:00:00Z", machine="c"),
        call("2026-11-01T12:00:00Z", value="0", machine="d"),
    ]
    found = explained(events, meter("duration", series="machine", timeout=7200), now="2026-11-01T23:30:00Z")
    assert [
        (clock(each.start), clock(each.end), each.series, each.seconds, each.ending) for each in intervals(found)
    ] == [
        ("00:00:00", "01:00:00", "b", 3600, Ending.TIMEOUT),
        ("10:50:00", "11:20:00", "a", 1800, Ending.EVENT),
        ("23:00:00", "23:30:00", "c", 1800, Ending.NOW),
    ]
    assert [[event.position for event in each.opened.events] for each in intervals(found)] == [[4], [1], [5]]
    assert [each.closed and [event.position for event in each.closed.events] for each in intervals(found)] == [
        None,
        [2],
        None,
    ]
    assert found[0].totals is not None
    assert found[0].totals[0].value == 7200


def test_a_level_is_listed_as_intervals_between_which_it_changed() -> None:
    events = [
        call("2026-11-01T10:00:00Z", value="1"),
        call("2026-11-01T10:10:00Z", value="3"),
        call("2026-11-01T10:10:00Z", value="-2"),
        call("2026-11-01T10:40:00Z", value="-1"),
        call("2026-11-01T10:40:00Z", value="0", customer="beta"),
    ]
    found = explained(events, meter("running_total"), limit=10)
    assert [
        (clock(each.start), clock(each.end), each.level, each.opened.count, each.ending) for each in intervals(found)
    ] == [
        ("10:00:00", "10:10:00", 1, 1, Ending.EVENT),
        ("10:10:00", "10:40:00", 2, 2, Ending.EVENT),
        ("10:40:00", "00:00:00", 1, 1, Ending.RANGE),
    ]
    second = intervals(found)[1]
    assert [event.position for event in second.opened.events] == [3, 2]
    assert second.closed is not None
    assert [event.position for event in second.closed.events] == [4]


def test_a_page_of_another_place_and_too_large_questions_are_refused_by_name() -> None:
    for cursor in ("", "x", "AAAA", "____", "é"):
        with pytest.raises(InvalidQuestion) as refused:
            parsed_cursor(cursor)
        assert refused.value.parameter == "cursor"
    with pytest.raises(InvalidQuestion) as refused:
        explained(MORNING, meter("sum"), limit=1001)
    assert refused.value.parameter == "limit"
    many = [call("2026-11-01T09:00:00Z", customer=str(number)) for number in range(1001)]
    with pytest.raises(InvalidQuestion) as refused:
        explained(many, meter("sum"), msgspec.structs.replace(DAY, group_by=("customer",)), limit=1000)
    assert refused.value.parameter == "group_by"


orders = st.randoms(use_true_random=False)
limits = st.integers(1, 5)


def figures(case: Case, of: Meter, frames: ListedFrames) -> dict[tuple[str | None, ...], tuple[Decimal | None, int]]:
    asked = msgspec.structs.replace(
        case.question, window=WindowSize.TOTAL, limit=None, as_of=Position(len(case.events))
    )
    answer = answer_usage(frames, of, asked, clock=clock_at(format_instant(Instant(case.now))))
    return {
        tuple(total.group.values()): (total.value, total.events)
        for total in answer.totals
        if total.events or total.value
    }


@settings(max_examples=150, deadline=None)
@given(case=cases(), of=plain_meters, limit=limits, order=orders)
def test_listed_events_are_those_that_count_and_add_up_to_the_figure(
    case: Case, of: Meter, limit: int, order: Random
) -> None:
    order.shuffle(case.events)
    frames = ListedFrames(case.events, frame_events=3)
    found = pages(frames, of, case.question, as_of=len(case.events), limit=limit, now=format_instant(Instant(case.now)))
    amounts: dict[tuple[str | None, ...], list[Fraction]] = {}
    for event in listed(found):
        amounts.setdefault(tuple(event.group.values()), []).append(Fraction(event.amount or 0))

    def reading(numbers: list[Fraction]) -> Fraction:
        match of.aggregation:
            case "min":
                return min(numbers)
            case "max":
                return max(numbers)
            case "avg":
                return round(Fraction(sum(numbers)) / len(numbers), 12)
            case "latest":
                return numbers[-1]
            case _:
                return Fraction(sum(numbers))

    assert {group: (Fraction(value or 0), count) for group, (value, count) in figures(case, of, frames).items()} == {
        group: (reading(numbers), len(numbers)) for group, numbers in amounts.items()
    }
    positions = [event.stored.position for event in listed(found)]
    assert len(set(positions)) == len(positions)


@settings(max_examples=150, deadline=None)
@given(case=cases(), of=levels | durations, limit=limits, order=orders)
def test_listed_intervals_add_up_to_the_area_under_the_level(case: Case, of: Meter, limit: int, order: Random) -> None:
    order.shuffle(case.events)
    frames = ListedFrames(case.events, frame_events=3)
    of = msgspec.structs.replace(of, statistic=None if of.aggregation == "duration" else "average")
    now = format_instant(Instant(case.now))
    found = intervals(pages(frames, of, case.question, as_of=len(case.events), limit=limit, now=now))

    areas: dict[tuple[str | None, ...], Fraction] = {}
    for each in found:
        group = tuple(each.group.values())
        areas[group] = areas.get(group, Fraction(0)) + Fraction(each.level) * Fraction(each.seconds)
        assert each.opened.events[0].event.customer == each.customer
        assert each.opened.events[0].event.time <= each.start
        assert (each.closed is None) == (each.ending is not Ending.EVENT)
        assert each.closed is None or each.closed.events[0].event.time == each.end
    passed = Fraction(max(min(case.question.end, case.now) - case.question.start, 0), 10**9)
    if passed or of.aggregation == "duration":
        expected = {group: Fraction(value or 0) for group, (value, _) in figures(case, of, frames).items() if value}
        by = 1 if of.aggregation == "duration" else passed
        assert {group: value for group, area in areas.items() if (value := round(area / by, 12))} == expected
