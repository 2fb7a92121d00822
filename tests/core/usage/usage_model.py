"""Usage in plain Python, slow and obviously right: what answers are compared with. It shares nothing with the code under test."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from tallystick.amount import AmountOutOfRange, InvalidAmount, canonical_amount
from tallystick.event import Event, property_text
from tallystick.meter import Meter
from tallystick.usage.question import Fill, Order, UsageQuestion

Figure = Fraction | None
Group = tuple[str | None, ...]
Row = tuple[int, int, Group, Figure, int]
Total = tuple[Group, Figure, int]

LEVELS = ("running_total", "level", "duration")


class Counted(NamedTuple):
    """What a meter sees of an event that counts."""

    time: int
    series: tuple[str | None, ...]
    operands: tuple[str | Fraction | None, ...]


class Read(NamedTuple):
    """What is said of a stretch of time: a figure, how many events, and whether there is anything to say."""

    figure: Figure
    events: int
    is_there: bool


def text_of(event: Event, name: str) -> str | None:
    if name == "customer":
        return event.customer
    return property_text(event.properties[name]) if name in event.properties else None


def operand_of(event: Event, field: str, *, is_number: bool) -> str | Fraction | None:
    text = property_text(event.value) if field == "value" else text_of(event, field.removeprefix("properties."))
    if not is_number or text is None:
        return text
    try:
        return Fraction(canonical_amount(text))
    except (InvalidAmount, AmountOutOfRange):
        return None


def half_even(exact: Fraction) -> Fraction:
    """Round to 12 decimals, a tie to the even neighbour: what `round` does with fractions."""
    return round(exact, 12)


def figure_of(aggregation: str, operands: Sequence[tuple[str | Fraction | None, ...]]) -> Figure:
    """Return the figure of the operands, which are in order of time and then of position."""
    if aggregation == "count":
        return Fraction(len(operands))
    if aggregation == "unique":
        return Fraction(len(set(operands)))
    numbers = [number for (number,) in operands if isinstance(number, Fraction)]
    if aggregation == "sum":
        return sum(numbers, Fraction(0))
    if aggregation == "avg":
        return half_even(sum(numbers, Fraction(0)) / len(numbers)) if numbers else None
    if aggregation == "latest":
        return numbers[-1] if numbers else None
    return {"min": min, "max": max}[aggregation](numbers, default=None)


def level_at(meter: Meter, history: Sequence[tuple[int, Fraction]], instant: int) -> Fraction:
    """Return the level of one series, given its events in order."""
    timeout = None if meter.timeout is None else meter.timeout * 10**9
    level, last = Fraction(0), None
    for time, number in history:
        if time > instant:
            break
        if timeout is not None and last is not None and time - last > timeout:
            level = Fraction(0)
        if meter.aggregation == "running_total":
            level += number
        else:
            level = number if meter.aggregation == "level" else Fraction(number > 0)
        last = time
    return Fraction(0) if timeout is not None and last is not None and instant - last >= timeout else level


def read_level(meter: Meter, counted: Sequence[Counted], start: int, end: int, now: int) -> Read:
    """Look at the level between any two instants at which it may change."""
    series: dict[tuple[str | None, ...], list[tuple[int, Fraction]]] = {}
    for event in counted:
        series.setdefault(event.series, []).append((event.time, Fraction(event.operands[0] or 0)))
    end = min(end, now + 1)
    if start >= end:
        return Read(Fraction(0) if meter.aggregation == "duration" else None, 0, is_there=False)
    changes = {event.time + wait for event in counted for wait in (0, (meter.timeout or 0) * 10**9)}
    instants = sorted({start, end, *(instant for instant in {*changes, now} if start <= instant < end)})
    levels = [sum((level_at(meter, each, instant) for each in series.values()), Fraction(0)) for instant in instants]
    lengths = [min(till, now) - since for since, till in pairwise(instants)]
    area = sum((level * length for level, length in zip(levels, lengths, strict=False)), Fraction(0))
    del levels[-1]
    figure = {
        "peak": max(levels),
        "low": min(levels),
        "closing": levels[-1],
        "average": half_even(area / sum(lengths)) if sum(lengths) else levels[-1],
    }[meter.statistic or "peak"]
    if meter.aggregation == "duration":
        figure = area / 10**9
    events = sum(start <= event.time < end for event in counted)
    return Read(figure, events, is_there=events > 0 or any(levels))


def read(meter: Meter, counted: Sequence[Counted], start: int, end: int, now: int) -> Read:
    """Return what is said of the events of one group between two instants."""
    if meter.aggregation in LEVELS:
        return read_level(meter, counted, start, end, now)
    operands = [event.operands for event in counted if start <= event.time < end]
    return Read(figure_of(meter.aggregation, operands), len(operands), is_there=bool(operands))


def counted_by_group(events: Sequence[Event], meter: Meter, question: UsageQuestion) -> dict[Group, list[Counted]]:
    """Return the events that pass the filters, by group, in order of time and then of position."""
    is_number = meter.aggregation not in {"count", "unique"}
    counted: dict[Group, list[Counted]] = {}
    for event in sorted(events, key=lambda event: event.time):
        operands = tuple(operand_of(event, field, is_number=is_number) for field in meter.fields or (meter.field,))
        filters = [*meter.filter.items(), *question.filter.items()]
        if (
            event.type == meter.event_type
            and all(text_of(event, name) in texts for name, texts in filters)
            and None not in operands
        ):
            group = tuple(text_of(event, name) for name in question.group_by)
            series = (
                event.customer,
                text_of(event, meter.series.removeprefix("properties.")) if meter.series else None,
            )
            counted.setdefault(group, []).append(Counted(event.time, series, operands))
    return counted


def model_usage(
    events: Sequence[Event], meter: Meter, question: UsageQuestion, edges: Sequence[int], *, now: int
) -> tuple[list[Row], list[Total]]:
    """Return rows and totals; `edges` are those of the windows, which have tests of their own."""
    counted = counted_by_group(events, meter, question)
    totals: list[Total] = []
    for group, found in sorted(counted.items(), key=lambda item: [(text is None, text or "") for text in item[0]]):
        total = read(meter, found, question.start, question.end, now)
        if total.is_there:
            totals.append((group, total.figure, total.events))
    is_filled = question.fill is Fill.ZERO
    if not question.group_by and is_filled and not totals:
        totals = [((), *read(meter, [], question.start, question.end, now)[:2])]
    if question.limit is not None:
        sign = -1 if question.order is Order.DESC else 1
        top = sorted(totals, key=lambda total: sign * (total[1] or 0))[: question.limit]
        totals = [total for total in totals if total in top]

    rows: list[Row] = []
    for group, _, _ in totals:
        for start, end in pairwise(edges):
            row = read(meter, counted.get(group, []), start, end, now)
            if row.is_there or is_filled:
                rows.append((start, end, group, row.figure, row.events))
    return rows, totals


def as_fraction(value: Decimal | None) -> Figure:
    return None if value is None else Fraction(value)
