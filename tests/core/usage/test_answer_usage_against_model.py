"""Answers equal those of a plain-Python model, for any events, order, frames and question."""

from __future__ import annotations

from decimal import Decimal
from random import Random
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.event import Event
from tallystick.instant import NS_PER_HOUR, Instant, format_instant, parse_instant
from tallystick.meter import Meter
from tallystick.testing.frames import ListedFrames
from tallystick.usage.answer_usage import answer_usage
from tallystick.usage.question import Fill, Order, UsageQuestion, WindowSize
from tallystick.usage.windows import cut_windows
from tests.core.usage.asking import clock_at, meter
from tests.core.usage.usage_model import as_fraction, model_usage

# Where each range begins, and a zone whose clock is moved within it.
BEGINNINGS = {
    "2026-10-24T20:30:00Z": "Europe/Berlin",
    "2026-10-03T04:00:00Z": "Australia/Lord_Howe",
    "2018-11-03T16:00:00Z": "America/Sao_Paulo",
}
SPAN = 34 * NS_PER_HOUR
LARGEST = Decimal("99999999999999999999999999.999999999999")

numbers = st.sampled_from(
    [LARGEST, LARGEST.copy_negate(), Decimal(0), Decimal("0.1"), Decimal("-2.5"), Decimal("1E-12")]
)
amounts = numbers | st.decimals(-1000, 1000, places=3)
texts = st.sampled_from(
    [
        "",
        "eu",
        "us",
        "é",
        "zz\U0001f600",
        "1",
        "1.0",
        "1e3",
        "+1",
        ".5",
        " 1",
        "true",
        "0.0000000000005",
        "-0",
        "1" * 27,
        "NaN",
    ]
)
properties = st.dictionaries(st.sampled_from(["region", "n"]), texts | amounts | st.booleans(), max_size=2)
# From before the range until after it; often at full hours, so that instants and windows meet.
offsets = st.integers(-NS_PER_HOUR, SPAN + NS_PER_HOUR) | st.integers(-3, 36).map(lambda hour: hour * NS_PER_HOUR)
presents = st.sampled_from([-NS_PER_HOUR, 0, 5 * NS_PER_HOUR, SPAN, 2 * SPAN, 2 * SPAN, 2 * SPAN]) | offsets


@st.composite
def event_lists(draw: st.DrawFn, beginning: int) -> list[Event]:
    return [
        Event(
            source="",
            id=str(number),
            type=draw(st.sampled_from(["call", "call", "call", "other"])),
            customer=draw(st.sampled_from(["acme", "b", "c"])),
            time=Instant(beginning + draw(offsets)),
            time_given=True,
            value=draw(amounts),
            properties=draw(properties),
        )
        for number in range(draw(st.integers(0, 12)))
    ]


filters = st.dictionaries(
    st.sampled_from(["customer", "region", "n"]),
    st.lists(st.sampled_from(["acme", "b", "eu", "us", "1", "true", "0.1", ""]), min_size=1, max_size=4).map(tuple),
    max_size=1,
)
fields = st.sampled_from(["value", "properties.n", "properties.region"])


plain_meters = st.builds(
    meter,
    st.sampled_from(["count", "sum", "min", "max", "avg", "latest", "unique"]),
    field=fields,
    filter=filters,
) | st.builds(meter, st.just("unique"), fields=st.just(("customer", "properties.n", "value")), filter=filters)
levels = st.builds(
    meter,
    st.sampled_from(["running_total", "level"]),
    field=st.sampled_from(["value", "value", "properties.n"]),
    filter=filters,
    series=st.sampled_from([None, "n", "region", "customer"]),
    timeout=st.sampled_from([None, 1, 1800, 3600, 7200, 90_000]),
    statistic=st.sampled_from([None, "peak", "low", "closing", "average"]),
)
durations = st.builds(
    meter,
    st.just("duration"),
    field=st.sampled_from(["value", "value", "properties.n"]),
    filter=filters,
    series=st.sampled_from([None, "n", "region"]),
    timeout=st.sampled_from([None, 1, 1800, 3600, 7200, 90_000]),
)


@st.composite
def questions(draw: st.DrawFn, beginning: int, zone: str) -> UsageQuestion:
    group_by = draw(st.lists(st.sampled_from(["customer", "region", "n"]), unique=True, max_size=2))
    return UsageQuestion(
        start=Instant(beginning),
        end=Instant(beginning + draw(st.sampled_from([0, 5 * NS_PER_HOUR, SPAN, SPAN]))),
        window=draw(st.sampled_from([size for size in WindowSize if size is not WindowSize.MINUTE])),
        timezone=draw(st.sampled_from([zone, zone, "UTC", "Asia/Kathmandu"])),
        group_by=tuple(group_by),
        filter=draw(filters),
        order=draw(st.sampled_from(Order)),
        limit=draw(st.none() | st.integers(1, 3)),
        fill=draw(st.sampled_from(Fill)),
    )


class Case(NamedTuple):
    """Events, a question, and when it is asked."""

    events: list[Event]
    question: UsageQuestion
    now: int


@st.composite
def cases(draw: st.DrawFn) -> Case:
    text, zone = draw(st.sampled_from(sorted(BEGINNINGS.items())))
    beginning = parse_instant(text)
    return Case(draw(event_lists(beginning)), draw(questions(beginning, zone)), beginning + draw(presents))


def check(case: Case, defined: Meter, *, frame_events: int, order: Random) -> None:
    events, question, now = case
    order.shuffle(events)
    edges = cut_windows(question.start, question.end, question.window, question.timezone).instants()
    expected_rows, expected_totals = model_usage(events, defined, question, edges, now=now)

    frames = ListedFrames(events, frame_events=frame_events)
    answer = answer_usage(frames, defined, question, clock=clock_at(format_instant(Instant(now))))

    assert [
        (tuple(total.group.values()), as_fraction(total.value), total.events) for total in answer.totals
    ] == expected_totals
    assert [
        (row.start, row.end, tuple(row.group.values()), as_fraction(row.value), row.events) for row in answer.rows
    ] == expected_rows
    assert all(tuple(row.group) == question.group_by for row in answer.rows)


orders = st.randoms(use_true_random=False)


@settings(max_examples=200, deadline=None)
@given(case=cases(), defined=plain_meters, frame_events=st.integers(1, 13), order=orders)
def test_an_answer_depends_on_the_set_of_events_alone_and_equals_the_model(
    case: Case, defined: Meter, frame_events: int, order: Random
) -> None:
    check(case, defined, frame_events=frame_events, order=order)


@settings(max_examples=300, deadline=None)
@given(case=cases(), defined=levels | durations, frame_events=st.integers(1, 13), order=orders)
def test_levels_and_durations_depend_on_the_set_of_events_alone_and_equal_the_model(
    case: Case, defined: Meter, frame_events: int, order: Random
) -> None:
    check(case, defined, frame_events=frame_events, order=order)
