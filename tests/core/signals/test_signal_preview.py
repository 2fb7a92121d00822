"""When a signal would have fired: compared with looking at every instant, one by one, through the usage that everybody sees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import partial
from operator import ge, gt, le, lt
from typing import Any, NamedTuple

import polars as pl
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from msgspec import structs

from tallystick.cancellation import Cancellation, Cancelled
from tallystick.errors import InvalidQuestion
from tallystick.event import Event
from tallystick.instant import NS_PER_HOUR, NS_PER_S, Instant, StillClock, format_instant, parse_instant
from tallystick.meter import Meter
from tallystick.signals import preview_growth, preview_periods
from tallystick.signals.calendar_period import span_at, span_before
from tallystick.signals.preview import Preview, PreviewQuestion, preview_signal
from tallystick.signals.signal import Condition, ConditionType, Direction, Op, Period, Signal, levels
from tallystick.testing.frames import ListedFrames
from tallystick.usage import answer_usage as usage_answer
from tallystick.usage.answer_usage import answer_usage
from tallystick.usage.question import UsageQuestion
from tests.core.usage.asking import call, meter
from tests.core.usage.sample_plugins import PlainSum, bind

CAP = Signal(
    key="cap", meter="calls", customer="*", period=Period.DAY, condition=Condition(type=ConditionType.THRESHOLD)
)


def threshold(*values: str, op: Op = Op.AT_LEAST) -> Condition:
    return Condition(type=ConditionType.THRESHOLD, thresholds=tuple(map(Decimal, values)), op=op)


def change(
    value: str, direction: Direction = Direction.ANY, *, percent: bool = False, floor: str | None = None
) -> Condition:
    return Condition(
        type=ConditionType.PERCENT_CHANGE if percent else ConditionType.ABSOLUTE_CHANGE,
        value=Decimal(value),
        direction=direction,
        floor=None if floor is None else Decimal(floor),
    )


def preview(
    events: Sequence[Event],
    signal: Signal,
    of: Meter | None = None,
    *,
    start: str = "2026-11-01T00:00:00Z",
    end: str = "2026-11-04T00:00:00Z",
    zones: Mapping[str, str] | None = None,
    limit: int = 1_000,
    top: int = 10,
) -> Preview:
    question = PreviewQuestion(start=parse_instant(start), end=parse_instant(end), limit=limit, top=top)
    return preview_signal(ListedFrames(events), of or meter(), signal, question, zones=zones or {})


class Told(NamedTuple):
    """A step, as tests compare it."""

    at: str
    customer: str | None
    group: tuple[str | None, ...]
    level: int
    figure: Decimal | None
    base: Decimal | None


def told(found: Preview) -> list[Told]:
    return sorted(
        Told(
            format_instant(step.at),
            step.subject.customer,
            tuple(value for _, value in step.subject.group),
            step.level,
            step.figure,
            step.base,
        )
        for step in found.steps
    )


# The slow reference: usage asked at every instant, by the code that answers people.


def figure_at(
    events: Sequence[Event], of: Meter, start: Instant, until: Instant, *, now: Instant, **names: str | None
) -> Decimal | None:
    filters = {name: (value,) for name, value in names.items() if value is not None}
    seen = [event for event in events if event.time <= now]
    asked = UsageQuestion(start=start, end=until, filter=filters)
    totals = list(answer_usage(ListedFrames(seen), of, asked, clock=StillClock(now)).totals)
    if totals:
        return totals[0].value
    return None


COMPARED = {Op.AT_LEAST: ge, Op.ABOVE: gt, Op.AT_MOST: le, Op.BELOW: lt}


def level_of(condition: Condition, figure: Decimal | None, base: Decimal | None) -> int:
    if condition.type is ConditionType.THRESHOLD:
        if figure is None:
            return 0
        return sum(bool(COMPARED[condition.op](figure, limit)) for limit in levels(condition))
    return 0 if figure is None or base is None else int(is_changed(condition, figure, base))


def is_changed(condition: Condition, figure: Decimal, base: Decimal) -> bool:
    difference = figure - base
    size = {Direction.UP: difference, Direction.DOWN: -difference, Direction.ANY: abs(difference)}[condition.direction]
    assert condition.value is not None
    if condition.type is ConditionType.ABSOLUTE_CHANGE:
        return size >= condition.value
    if condition.floor is not None and figure < condition.floor and base < condition.floor:
        return False
    return size > 0 if base == 0 else size * 100 >= condition.value * abs(base)


def reference(
    events: Sequence[Event], signal: Signal, of: Meter, *, zone: str, start: str, end: str, every_s: int | None = None
) -> list[Told]:
    """Look at every customer in every period at each of its events, and at those of the period before as they are reached again."""
    steps: list[Told] = []
    begin, until = parse_instant(start), parse_instant(end)
    is_change = signal.condition.type is not ConditionType.THRESHOLD
    for customer in sorted({event.customer for event in events}):
        own = [event for event in events if event.customer == customer]
        span = span_at(begin, signal.period, zone)
        while span.start < until:
            before = span_before(span, signal.period, zone)
            last = min(span.end, until)
            instants = {event.time for event in own if span.start <= event.time < last}
            timeout_ns = (of.timeout or 0) * NS_PER_S
            if of.aggregation in ("level", "running_total", "duration"):
                instants |= {span.start}
                instants |= {Instant(event.time + timeout_ns) for event in own}
            if is_change:
                # A level that stood when the period before ended is compared as it stood then, at its very end.
                changes = (
                    {event.time for event in own} | {Instant(event.time + timeout_ns) for event in own} | {before.end}
                )
                replayed = {Instant(each - before.start + span.start) for each in changes if each <= before.end}
                instants |= {each for each in replayed if each >= span.start}
            if every_s is not None:
                instants |= {Instant(each) for each in range(span.start, last, every_s * NS_PER_S)}
            level = 0
            for at in sorted(each for each in instants if span.start <= each < last):
                figure = figure_at(own, of, span.start, Instant(at + 1), now=at)
                nothing = None if of.aggregation in ("min", "max", "avg", "latest") else Decimal(0)
                base = None
                if is_change:
                    reached = min(Instant(before.start + (at - span.start)), before.end)
                    base_until = min(Instant(reached + 1), before.end)
                    base = figure_at(own, of, before.start, base_until, now=reached)
                    # What there is no row for is compared as the figure of no events at all.
                    figure, base = (nothing if each is None else each for each in (figure, base))
                after = level_of(signal.condition, figure, base)
                if after != level:
                    steps.append(Told(format_instant(at), customer, (), after, figure, base))
                level = after
            span = span_at(span.end, signal.period, zone)
    return sorted(steps)


# A failing example is small as it is, and each look of the reference costs a question.
UNSHRUNK = (Phase.explicit, Phase.reuse, Phase.generate)
HOURS = st.integers(0, 24 * 5 * 4 - 1)
EVENTS = st.lists(
    st.tuples(HOURS, st.sampled_from(["acme", "beta"]), st.sampled_from(["1", "2", "5", "-3", "0.5"])), max_size=14
)
AGGREGATIONS = ["count", "sum", "min", "max", "avg", "latest", "unique"]
CONDITIONS = [
    threshold("3"),
    threshold("1", "4", "7"),
    threshold("2", op=Op.ABOVE),
    threshold("1", "3", op=Op.AT_MOST),
    threshold("2", op=Op.BELOW),
    change("2"),
    change("1", Direction.UP),
    change("1", Direction.DOWN),
    change("50", percent=True),
    change("50", Direction.DOWN, percent=True),
    change("100", Direction.UP, percent=True, floor="3"),
]


def made(drawn: Sequence[tuple[int, str, str]]) -> list[Event]:
    # Around the night in which clocks go back in Berlin, a quarter of an hour apart.
    begin = parse_instant("2026-10-23T12:00:00Z")
    return [
        structs.replace(
            call("2026-10-23T12:00:00Z", value=value, customer=customer), time=Instant(begin + hour * NS_PER_HOUR // 4)
        )
        for hour, customer, value in drawn
    ]


@pytest.mark.parametrize("aggregation", AGGREGATIONS)
@given(drawn=EVENTS, condition=st.sampled_from(CONDITIONS), zone=st.sampled_from(["UTC", "Europe/Berlin"]))
@settings(max_examples=30, deadline=None, phases=UNSHRUNK)
def test_it_fires_where_looking_at_every_instant_finds_it(
    aggregation: str, drawn: Sequence[tuple[int, str, str]], condition: Condition, zone: str
) -> None:
    events, of = made(drawn), meter(aggregation)
    signal = structs.replace(CAP, condition=condition, timezone=zone)
    start, end = "2026-10-24T12:00:00Z", "2026-10-27T06:00:00Z"
    assert told(preview(events, signal, of, start=start, end=end)) == reference(
        events, signal, of, zone=zone, start=start, end=end
    )


LEVELS = [
    meter("level", statistic="peak"),
    meter("level", statistic="low", timeout=7_200),
    meter("level", statistic="closing", timeout=5_400),
    meter("running_total", statistic="closing"),
    meter("running_total", statistic="peak", timeout=9_000),
]


@pytest.mark.parametrize("of", LEVELS, ids=lambda of: f"{of.aggregation}-{of.statistic}")
@given(drawn=EVENTS, condition=st.sampled_from(CONDITIONS), zone=st.sampled_from(["UTC", "Europe/Berlin"]))
@settings(max_examples=15, deadline=None, phases=UNSHRUNK)
def test_levels_fire_where_they_are_moved_run_out_or_begin_a_period(
    of: Meter, drawn: Sequence[tuple[int, str, str]], condition: Condition, zone: str
) -> None:
    events = made(drawn)
    signal = structs.replace(CAP, condition=condition, timezone=zone)
    start, end = "2026-10-24T12:00:00Z", "2026-10-26T06:00:00Z"
    assert told(preview(events, signal, of, start=start, end=end)) == reference(
        events, signal, of, zone=zone, start=start, end=end
    )


@given(
    drawn=st.lists(st.tuples(st.integers(0, 200), st.just("acme"), st.sampled_from(["1", "0"])), min_size=1, max_size=6)
)
@settings(max_examples=6, deadline=None, phases=UNSHRUNK)
def test_a_duration_fires_while_nothing_comes(drawn: Sequence[tuple[int, str, str]]) -> None:
    events, of = made(drawn), meter("duration", timeout=14_400)
    signal = structs.replace(CAP, condition=threshold("3600", "7200", "18000"))
    start, end = "2026-10-24T12:00:00Z", "2026-10-26T00:00:00Z"
    found = told(preview(events, signal, of, start=start, end=end))
    assert found == reference(events, signal, of, zone="UTC", every_s=900, start=start, end=end)


def test_a_duration_fires_at_the_second_at_which_it_is_reached() -> None:
    events = [call("2026-11-01T10:00:00Z", value="1"), call("2026-11-01T13:00:00Z", value="0")]
    found = preview(events, structs.replace(CAP, condition=threshold("3661")), meter("duration"))
    assert [(each.at, each.figure) for each in told(found)] == [("2026-11-01T11:01:01Z", Decimal(3661))]


def test_durations_are_compared_while_both_flow_and_where_the_sign_of_the_change_turns() -> None:
    hours = {"01T10": "1", "01T12": "0", "02T11": "1", "02T15": "0"}
    events = [call(f"2026-11-{hour}:00:00Z", value=value) for hour, value in hours.items()]
    of, end = meter("duration"), "2026-11-03T00:00:00Z"
    up = preview(events, structs.replace(CAP, condition=change("3600", Direction.UP)), of, end=end)
    assert [(each.at, each.level) for each in told(up)] == [("2026-11-01T11:00:00Z", 1), ("2026-11-02T14:00:00Z", 1)]
    either = preview(events, structs.replace(CAP, condition=change("3600")), of, start="2026-11-02T00:00:00Z", end=end)
    # An hour less at 11, both on until 12, as much at 13, and an hour more at 14.
    assert [(each.at, each.level, each.figure, each.base) for each in told(either)] == [
        ("2026-11-02T11:00:00Z", 1, Decimal(0), Decimal(3600)),
        ("2026-11-02T12:00:00.000000001Z", 0, Decimal("3600.000000001"), Decimal(7200)),
        ("2026-11-02T14:00:00Z", 1, Decimal(10800), Decimal(7200)),
    ]
    share = preview(events, structs.replace(CAP, condition=change("50", Direction.UP, percent=True)), of, end=end)
    last = told(share)[-1]
    assert (last.at, last.level, last.figure) == ("2026-11-02T14:00:00Z", 1, Decimal(10800))


def test_an_average_level_crosses_at_the_first_nanosecond_at_which_it_is_past() -> None:
    events = [call("2026-11-01T06:00:00Z", value="10"), call("2026-11-01T12:00:00Z", value="0")]
    found = preview(events, structs.replace(CAP, condition=threshold("2.5", "3")), meter("level", statistic="average"))
    fired, higher, recovered = told(found)
    assert (fired.at, fired.level, fired.figure) == ("2026-11-01T07:59:59.999999999Z", 1, Decimal("2.5"))
    assert (higher.at[:17], higher.level, higher.figure) == ("2026-11-01T08:34:", 2, Decimal(3))
    # Six hours at 10 are 3 on average until 20:00. Figures have 12 decimals, and so round a nanosecond here and there to the limit.
    assert recovered.at.startswith("2026-11-01T20:00:00.0000000")
    assert recovered.level == 1


def test_a_month_is_looked_at_by_days_where_it_is_long_and_the_answer_is_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    events = [
        call(
            f"2026-{month:02}-{day:02}T{hour:02}:30:00Z",
            customer=customer,
            value=str(day % 5),
            region="eu" if hour else "us",
        )
        for month in (9, 10, 11)
        for day in range(1, 29)
        for hour in (0, 7, 23)
        for customer in ("acme", "beta")
    ]
    start, end = "2026-09-10T00:00:00Z", "2026-11-20T12:00:00Z"
    cases = [
        (meter("sum"), threshold("20", "40", "150")),
        (meter("count"), threshold("17", "56")),
        (meter("max"), threshold("3", "4")),
        (meter("min"), threshold("0", op=Op.AT_MOST)),
        (meter("unique", field="value"), threshold("2", "5")),
    ]
    for of, condition in cases:
        for signal in (
            structs.replace(CAP, condition=condition, period=Period.MONTH, timezone="Asia/Kolkata"),
            structs.replace(CAP, condition=condition, period=Period.WEEK, customer=None),
            structs.replace(CAP, condition=condition, period=Period.MONTH, group_by=("region",)),
        ):
            monkeypatch.setattr(preview_growth, "_FEW", 10**9)
            plain = preview(events, signal, of, start=start, end=end)
            monkeypatch.setattr(preview_growth, "_FEW", 0)
            assert told(preview(events, signal, of, start=start, end=end)) == told(plain)
            assert plain.firings > 0


def test_what_would_have_to_be_looked_at_one_by_one_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preview_growth, "LOOKED_AT_MAX", 3)
    events = [call(f"2026-11-01T0{hour}:00:00Z") for hour in range(5)]
    with pytest.raises(InvalidQuestion, match="5 events would have to be looked at one by one"):
        preview(events, structs.replace(CAP, condition=change("1")))


def test_steps_come_newest_first_and_all_are_counted() -> None:
    events = [
        call(f"2026-11-0{day}T10:00:00Z", customer=customer) for day in (1, 2, 3) for customer in ("acme", "beta")
    ]
    found = preview(events, structs.replace(CAP, condition=threshold("1")), limit=2, top=1)
    assert [format_instant(step.at)[:10] for step in found.steps] == ["2026-11-03", "2026-11-03"]
    assert (found.firings, found.recoveries, found.is_truncated) == (6, 0, True)
    assert (found.subjects, found.subjects_seen, found.periods, found.periods_seen) == (2, 2, 3, 3)
    (top,) = found.top
    assert (top.firings, [each.level for each in top.figures]) == (3, [1, 1, 1])
    assert [each.fired_at for each in top.figures] == [parse_instant(f"2026-11-0{day}T10:00:00Z") for day in (1, 2, 3)]


def test_the_figures_to_be_drawn_leave_no_period_out() -> None:
    events = [call("2026-11-01T10:00:00Z"), call("2026-11-03T10:00:00Z", value="5")]
    signal = structs.replace(CAP, condition=threshold("4"))
    for of, nothing in ((meter("sum"), Decimal(0)), (meter("max"), None)):
        (top,) = preview(events, signal, of).top
        assert [(each.figure, each.level) for each in top.figures] == [(Decimal(1), 0), (nothing, 0), (Decimal(5), 1)]
        assert [format_instant(each.start)[:10] for each in top.figures] == ["2026-11-01", "2026-11-02", "2026-11-03"]


def test_customers_of_several_zones_each_follow_their_own_calendar() -> None:
    # 23:30 in UTC is the next day in Berlin, and still the same one in New York.
    events = [
        call(time, customer=who)
        for who in ("berlin", "york", "nobody")
        for time in ("2026-11-01T12:00:00Z", "2026-11-01T23:30:00Z")
    ]
    signal = structs.replace(CAP, condition=threshold("2"), timezone="customer")
    zones = {"berlin": "Europe/Berlin", "york": "America/New_York", "unseen": "UTC"}
    found = preview(events, signal, zones=zones)
    assert [(each.customer, each.at) for each in told(found)] == [
        ("nobody", "2026-11-01T23:30:00Z"),
        ("york", "2026-11-01T23:30:00Z"),
    ]
    only = preview(events, structs.replace(signal, customer="berlin"), zones=zones)
    assert (told(only), only.subjects_seen) == ([], 1)


def test_a_rise_from_nothing_fires_and_has_no_change() -> None:
    found = preview([call("2026-11-02T10:00:00Z")], structs.replace(CAP, condition=change("50", percent=True)))
    (step, back) = sorted(found.steps, key=lambda step: step.at)
    assert (step.figure, step.base, step.change) == (Decimal(1), Decimal(0), None)
    # The day after has nothing at the same hour: all of it is gone.
    assert (format_instant(back.at), back.base, back.change) == ("2026-11-03T10:00:00Z", Decimal(1), Decimal(-100))


def test_a_plugin_is_followed_as_it_grew(monkeypatch: pytest.MonkeyPatch) -> None:
    values = ["3", "-1", "8", "2", "-9", "4"]
    events = [call(f"2026-11-0{1 + at % 2}T1{at}:00:00Z", value=value) for at, value in enumerate(values)]
    signals = [structs.replace(CAP, condition=each) for each in (threshold("3", "5"), change("4"))]
    wanted = [told(preview(events, signal)) for signal in signals]
    for module in (preview_periods, usage_answer):
        monkeypatch.setattr(module, "bind_aggregator", partial(bind, PlainSum))
    assert [told(preview(events, signal)) for signal in signals] == wanted
    assert all(wanted)


def test_silence_fires_after_so_long_and_recovers_with_the_next_event() -> None:
    events = [
        call("2026-10-31T23:30:00Z"),
        call("2026-11-01T03:00:00Z"),
        call("2026-11-01T03:30:00Z"),
        call("2026-11-01T04:30:00Z"),
        call("2026-11-03T22:59:59Z"),
        call("2026-11-01T05:00:00Z", customer="beta", type_="other"),
    ]
    signal = structs.replace(CAP, condition=Condition(type=ConditionType.NO_DATA, silence_s=3_600))
    found = preview(events, signal)
    steps = sorted(found.steps, key=lambda step: step.at)
    assert [(format_instant(step.at), step.level) for step in steps] == [
        ("2026-11-01T00:30:00Z", 1),
        ("2026-11-01T03:00:00Z", 0),
        ("2026-11-01T05:30:00Z", 1),
        # A period begins armed, and it is still so.
        ("2026-11-02T00:00:00Z", 1),
        ("2026-11-03T00:00:00Z", 1),
        ("2026-11-03T22:59:59Z", 0),
        ("2026-11-03T23:59:59Z", 1),
    ]
    assert steps[0].last_event_at == parse_instant("2026-10-31T23:30:00Z")
    assert (found.firings, found.recoveries, found.subjects) == (5, 2, 1)


def test_who_was_silent_long_before_the_range_is_so_at_its_start() -> None:
    signal = structs.replace(CAP, condition=Condition(type=ConditionType.NO_DATA, silence_s=3_600))
    found = preview([call("2026-03-01T00:00:00Z"), call("2026-11-02T00:00:00Z")], signal, end="2026-11-02T00:30:00Z")
    (step,) = found.steps
    assert (step.at, step.last_event_at) == (
        parse_instant("2026-11-01T00:00:00Z"),
        parse_instant("2026-03-01T00:00:00Z"),
    )


def test_it_stops_when_nobody_waits_for_it() -> None:
    work = Cancellation()

    class GivenUp(ListedFrames):
        """Frames that nobody waits for once they were asked for."""

        def frames(self, **asked: Any) -> list[pl.LazyFrame]:  # Any: as `EventFrames` has them
            work.cancel()
            return super().frames(**asked)

    question = PreviewQuestion(start=parse_instant("2026-11-01T00:00:00Z"), end=parse_instant("2026-11-04T00:00:00Z"))
    signal = structs.replace(CAP, condition=threshold("1"))
    frames = GivenUp([call("2026-11-01T10:00:00Z")])
    with pytest.raises(Cancelled):
        work.run(lambda: preview_signal(frames, meter(), signal, question, zones={}))


def test_a_range_without_periods_or_events_has_no_steps() -> None:
    for start, end in (
        ("2026-11-01T00:00:00Z", "2026-11-01T00:00:00Z"),
        ("2026-11-01T00:00:00Z", "2026-11-04T00:00:00Z"),
    ):
        found = preview([], structs.replace(CAP, condition=threshold("1")), start=start, end=end)
        assert (found.steps, found.firings, found.top, found.subjects_seen) == ([], 0, [], 0)


def test_periods_are_bounded_too() -> None:
    with pytest.raises(InvalidQuestion, match="periods"):
        preview([], structs.replace(CAP, condition=threshold("1"), period=Period.HOUR), start="2020-01-01T00:00:00Z")
