"""Usage in plain Python, slow and obviously right: what answers are compared with."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

from tallystick.amount import AmountOutOfRange, InvalidAmount, canonical_amount
from tallystick.event import Event, property_text
from tallystick.meter import Meter
from tallystick.usage.question import Fill, Order, UsageQuestion

Figure = Fraction | None
Group = tuple[str | None, ...]
Row = tuple[int, int, Group, Figure, int]
Total = tuple[Group, Figure, int]


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


def model_usage(
    events: Sequence[Event], meter: Meter, question: UsageQuestion, edges: Sequence[int]
) -> tuple[list[Row], list[Total]]:
    """Return rows and totals; `edges` are those of the windows, which have tests of their own."""
    is_number = meter.aggregation not in {"count", "unique"}
    counted: dict[Group, list[tuple[int, tuple[str | Fraction | None, ...]]]] = {}
    for event in sorted(events, key=lambda event: event.time):
        operands = tuple(operand_of(event, field, is_number=is_number) for field in meter.fields or (meter.field,))
        filters = [*meter.filter.items(), *question.filter.items()]
        if (
            event.type == meter.event_type
            and question.start <= event.time < question.end
            and all(text_of(event, name) in texts for name, texts in filters)
            and None not in operands
        ):
            group = tuple(text_of(event, name) for name in question.group_by)
            counted.setdefault(group, []).append((event.time, operands))
    if not question.group_by and question.fill is Fill.ZERO:
        counted.setdefault((), [])

    totals = [
        (group, figure_of(meter.aggregation, [operands for _, operands in found]), len(found))
        for group, found in sorted(counted.items(), key=lambda item: [(text is None, text or "") for text in item[0]])
    ]
    if question.limit is not None:
        sign = -1 if question.order is Order.DESC else 1
        top = sorted(totals, key=lambda total: sign * (total[1] or 0))[: question.limit]
        totals = [total for total in totals if total in top]

    rows: list[Row] = []
    for group, _, _ in totals:
        for start, end in pairwise(edges):
            inside = [operands for time, operands in counted[group] if start <= time < end]
            if inside or question.fill is Fill.ZERO:
                rows.append((start, end, group, figure_of(meter.aggregation, inside), len(inside)))
    return rows, totals


def as_fraction(value: Decimal | None) -> Figure:
    return None if value is None else Fraction(value)
