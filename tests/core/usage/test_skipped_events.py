"""Events that a meter skips: exactly those that do not count, each with its reasons."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.event import Event, PropertyValue
from tallystick.meter import Meter
from tallystick.testing.frames import ListedFrames
from tallystick.usage.event_frames import POSITION
from tallystick.usage.question import UsageQuestion
from tallystick.usage.skipped_events import SkipCode, skipping

from .asking import ask, call, meter, question

NOON = "2026-11-01T12:00:00Z"
ASKED = question()


def skipped_positions(events: list[Event], of: Meter, asked: UsageQuestion = ASKED) -> list[int]:
    found = skipping(of)
    frames = ListedFrames(events).frames(
        event_type=of.event_type,
        start=asked.start,
        end=asked.end,
        properties=found.properties,
        customers=found.selection.customers,
    )
    if not found.operands or not frames:
        return []
    return sorted(pl.concat(found.skipped(frame) for frame in frames).collect()[POSITION].to_list())


@pytest.mark.parametrize(
    ("value", "code", "detail"),
    [
        ("many", SkipCode.NOT_A_NUMBER, "properties.n is 'many', which is no number"),
        ("", SkipCode.NOT_A_NUMBER, "properties.n is '', which is no number"),
        (True, SkipCode.NOT_A_NUMBER, "properties.n is 'true', which is no number"),
        ("+1", SkipCode.NOT_A_NUMBER, "properties.n is '+1', which is no number"),
        ("1e30", SkipCode.NOT_A_NUMBER, "properties.n: the number has more than 26 digits before the point"),
        ("x" * 100, SkipCode.NOT_A_NUMBER, None),
        (None, SkipCode.MISSING, "the event has no properties.n"),
        ("1.50", None, None),
        (Decimal("1E+3"), None, None),
    ],
)
def test_each_field_at_fault_says_what_is_wrong_with_it(
    value: PropertyValue | None, code: SkipCode | None, detail: str | None
) -> None:
    event = call(NOON) if value is None else call(NOON, n=value)
    reasons = skipping(meter(field="properties.n")).reasons(event)
    assert [reason.code for reason in reasons] == ([] if code is None else [code])
    for reason in reasons:
        assert reason.field == "properties.n"
        assert detail is None or reason.detail == detail
        assert len(reason.detail) < 120


def test_every_field_that_is_missing_is_named() -> None:
    both = skipping(meter("unique", fields=("properties.a", "properties.b", "customer")))
    assert [reason.field for reason in both.reasons(call(NOON))] == ["properties.a", "properties.b"]
    assert [reason.field for reason in both.reasons(call(NOON, a="x"))] == ["properties.b"]


@pytest.mark.parametrize("of", [meter(), meter("count"), meter("unique", field="customer")])
def test_a_meter_of_what_every_event_has_skips_none(of: Meter) -> None:
    assert skipping(of).operands == []


VALUES = st.sampled_from([None, "1", "x", "", True, Decimal("2.5"), "1e3", "1e40", "+1", "-0"])


@given(
    drawn=st.lists(st.tuples(VALUES, VALUES, st.sampled_from(["eu", "us"])), max_size=10),
    of=st.sampled_from(
        [
            meter(field="properties.a"),
            meter("count", field="properties.a"),
            meter("max", field="properties.a", filter={"region": ("eu",)}),
            meter("unique", fields=("properties.a", "properties.b")),
            meter("unique", field="properties.a", filter={"b": ("1", "x"), "customer": ("acme",)}),
        ]
    ),
)
def test_an_event_that_passes_the_filter_counts_or_is_skipped_with_a_reason_never_both(
    drawn: list[tuple[Any, Any, str]], of: Meter
) -> None:
    events = [
        call(NOON, region=region, **{name: value for name, value in (("a", a), ("b", b)) if value is not None})
        for a, b, region in drawn
    ]
    found = skipped_positions(events, of)
    every = meter("count", filter=of.filter)
    counted, passing = (sum(total.events for total in ask(events, ASKED, each).totals) for each in (of, every))
    assert counted + len(found) == passing
    for position, event in enumerate(events, start=1):
        if position in found:
            assert skipping(of).reasons(event) != []
