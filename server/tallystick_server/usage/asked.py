"""From parameters or a body to a usage question; the rules of the question itself are the store's."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated

from litestar import Request
from litestar.datastructures import State
from litestar.params import QueryParameter

from tallystick.amount import AmountOutOfRange, InvalidAmount, canonical_amount
from tallystick.api_key import ApiKey
from tallystick.event import Position
from tallystick.instant import Clock, Instant
from tallystick.usage.question import Fill, Order, UsageQuestion, WindowSize
from tallystick_server.dependencies import Present
from tallystick_server.json_values import invalid_parameter, moment

from .schemas import FilterValue, UsageQuery

LAST_POSITION = 2**63 - 1


def question_from_parameters(  # noqa: PLR0913, PLR0917 - declared one by one, so that the document lists them
    request: Request[None, ApiKey, State],
    clock: Present,
    start: Annotated[
        str, QueryParameter(name="from", description="Start of the range, in it: RFC 3339, or milliseconds since 1970.")
    ],
    end: Annotated[
        str | None,
        QueryParameter(
            name="to", description="End of the range, not in it. Absent: now. Never widened to whole windows."
        ),
    ] = None,
    window: Annotated[
        WindowSize,
        QueryParameter(
            name="window", description="How the range is cut, by the local calendar; weeks start on Monday."
        ),
    ] = WindowSize.TOTAL,
    timezone: Annotated[
        str, QueryParameter(name="timezone", max_length=64, description="The IANA name of the calendar's zone.")
    ] = "UTC",
    group_by: Annotated[
        str | None,
        QueryParameter(name="group_by", max_length=4_096, description="Comma-separated: `customer` or any property."),
    ] = None,
    order: Annotated[
        Order,
        QueryParameter(
            name="order", description="Which groups come first where `limit` cuts: the largest totals, or the smallest."
        ),
    ] = Order.DESC,
    limit: Annotated[
        int | None, QueryParameter(name="limit", ge=1, description="How many groups are answered at most.")
    ] = None,
    fill: Annotated[
        Fill, QueryParameter(name="fill", description="`zero`: a row for every window of every group.")
    ] = Fill.NONE,
    as_of: Annotated[
        int | None,
        QueryParameter(
            name="as_of",
            ge=0,
            le=LAST_POSITION,
            description="A position of the log: the answer as it was known then, by the meter's version in force then.",
        ),
    ] = None,
    version: Annotated[
        int | None,
        QueryParameter(
            name="version",
            ge=1,
            le=LAST_POSITION,
            description="An older version of the meter. Absent: the newest, or with `as_of` the one in force then.",
        ),
    ] = None,
) -> UsageQuestion:
    """Return the question that the parameters ask; `filter[NAME]` is read from the request. Raises `Refusal` (400)."""
    return UsageQuestion(
        start=moment("from", start),
        end=_end(end, clock),
        window=window,
        timezone=timezone,
        group_by=_names(group_by),
        filter=_filter(request.query_params.multi_items()),
        order=order,
        limit=limit,
        fill=fill,
        as_of=None if as_of is None else Position(as_of),
        version=version,
    )


def question_from_body(query: UsageQuery, clock: Clock) -> UsageQuestion:
    """Return the question that a body asks. Raises `Refusal` (400)."""
    return UsageQuestion(
        start=moment("from", query.start),
        end=_end(query.end, clock),
        window=query.window,
        timezone=query.timezone,
        group_by=_names(query.group_by) if isinstance(query.group_by, str) else tuple(query.group_by),
        filter={
            name: tuple(_text(name, value) for value in (values if isinstance(values, list) else [values]))
            for name, values in query.filter.items()
        },
        order=query.order,
        limit=query.limit,
        fill=query.fill,
        as_of=None if query.as_of is None else Position(query.as_of),
        version=query.version,
    )


def filter_name(parameter: str) -> str | None:
    """Return NAME of `filter[NAME]`, None for another parameter."""
    if parameter.startswith("filter[") and parameter.endswith("]") and len(parameter) > len("filter[]"):
        return parameter[len("filter[") : -1]
    return None


def filter_text(name: str, value: FilterValue) -> str:
    """Return the text by which a filter's value compares: numbers in canonical decimal. Raises `Refusal` (400)."""
    return _text(name, value)


def _end(given: str | int | None, clock: Clock) -> Instant:
    return clock.now() if given is None else moment("to", given)


def _names(text: str | None) -> tuple[str, ...]:
    if not text:
        return ()
    return tuple(name.strip() for name in text.split(","))


def _filter(parameters: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for parameter, value in parameters:
        if (name := filter_name(parameter)) is not None:
            found.setdefault(name, []).append(value)
    return {name: tuple(values) for name, values in found.items()}


def _text(name: str, value: FilterValue) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    try:
        return canonical_amount(f"{Decimal(repr(value)):f}")
    except (InvalidAmount, AmountOutOfRange) as error:
        raise invalid_parameter(f"filter.{name}", str(error)) from error
