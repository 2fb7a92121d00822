"""Answers equal those of a plain-Python model, for any events, order, frames and question."""

from __future__ import annotations

from decimal import Decimal
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.event import Event
from tallystick.instant import NS_PER_HOUR, Instant, parse_instant
from tallystick.meter import Meter
from tallystick.testing.frames import ListedFrames
from tallystick.usage.answer_usage import answer_usage
from tallystick.usage.question import Fill, Order, UsageQuestion, WindowSize
from tallystick.usage.windows import cut_windows
from tests.core.usage.usage_model import as_fraction, model_usage

FIRST = parse_instant("2026-10-24T20:30:00Z")  # the clock goes back in Berlin and in Lord Howe's summer it stands still
LAST = parse_instant("2026-10-26T06:30:00Z")
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
times = st.integers(FIRST - NS_PER_HOUR, LAST + NS_PER_HOUR) | st.integers(-2, 36).map(
    lambda hour: FIRST + NS_PER_HOUR // 2 + hour * NS_PER_HOUR
)


@st.composite
def event_lists(draw: st.DrawFn) -> list[Event]:
    return [
        Event(
            source="",
            id=str(number),
            type=draw(st.sampled_from(["call", "call", "call", "other"])),
            customer=draw(st.sampled_from(["acme", "b", "c"])),
            time=Instant(draw(times)),
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


@st.composite
def meters(draw: st.DrawFn) -> Meter:
    aggregation = draw(st.sampled_from(["count", "sum", "min", "max", "avg", "latest", "unique"]))
    several = ("customer", "properties.n", "value") if aggregation == "unique" and draw(st.booleans()) else ()
    field = "value" if several else draw(fields)
    return Meter(
        key="m",
        name="m",
        event_type="call",
        aggregation=aggregation,
        field=field,
        fields=several,
        filter=draw(filters),
    )


@st.composite
def questions(draw: st.DrawFn) -> UsageQuestion:
    group_by = draw(st.lists(st.sampled_from(["customer", "region", "n"]), unique=True, max_size=2))
    return UsageQuestion(
        start=FIRST,
        end=draw(st.sampled_from([FIRST, Instant(FIRST + 5 * NS_PER_HOUR), LAST, LAST])),
        window=draw(st.sampled_from([size for size in WindowSize if size is not WindowSize.MINUTE])),
        timezone=draw(st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe"])),
        group_by=tuple(group_by),
        filter=draw(filters),
        order=draw(st.sampled_from(Order)),
        limit=draw(st.none() | st.integers(1, 3)),
        fill=draw(st.sampled_from(Fill)),
    )


@settings(max_examples=200, deadline=None)
@given(
    events=event_lists(),
    meter=meters(),
    question=questions(),
    frame_events=st.integers(1, 13),
    order=st.randoms(use_true_random=False),
)
def test_an_answer_depends_on_the_set_of_events_alone_and_equals_the_model(
    events: list[Event], meter: Meter, question: UsageQuestion, frame_events: int, order: Random
) -> None:
    order.shuffle(events)
    edges = cut_windows(question.start, question.end, question.window, question.timezone).instants()
    expected_rows, expected_totals = model_usage(events, meter, question, edges)

    answer = answer_usage(ListedFrames(events, frame_events=frame_events), meter, question)

    assert [
        (row.start, row.end, tuple(row.group.values()), as_fraction(row.value), row.events) for row in answer.rows
    ] == expected_rows
    assert [
        (tuple(total.group.values()), as_fraction(total.value), total.events) for total in answer.totals
    ] == expected_totals
    assert all(tuple(row.group) == question.group_by for row in answer.rows)
