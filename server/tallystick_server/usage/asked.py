"""From parameters or a body to a usage question; the rules of the question itself are the store's."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from decimal import Decimal

from litestar import Request
from litestar.datastructures import State

from tallystick.amount import AmountOutOfRange, InvalidAmount, canonical_amount
from tallystick.api_key import ApiKey
from tallystick.errors import InvalidDefinition, InvalidQuestion, NotFound, PluginFailed, PluginMissing
from tallystick.event import Position
from tallystick.instant import Clock, Instant
from tallystick.usage.explanation import ExplainQuestion
from tallystick.usage.question import Compare, Fill, Order, UsageQuestion, WindowSize
from tallystick_server.dependencies import Present
from tallystick_server.json_values import invalid_parameter, moment
from tallystick_server.parameters import Cursor, Limit
from tallystick_server.problem import ProblemError, Refusal, refusal_of

from .parameters import (
    AnyWindow,
    AsOf,
    Comparison,
    Filling,
    From,
    GroupBy,
    Groups,
    Ranking,
    TimeZone,
    To,
    Version,
    Window,
)
from .schemas import FilterValue, UsageQuery


def question_from_parameters(  # noqa: PLR0913, PLR0917 - one for each parameter
    request: Request[None, ApiKey, State],
    clock: Present,
    start: From,
    end: To = None,
    window: Window = WindowSize.TOTAL,
    timezone: TimeZone = "UTC",
    group_by: GroupBy = None,
    order: Ranking = Order.DESC,
    limit: Groups = None,
    fill: Filling = Fill.NONE,
    compare: Comparison = Compare.NONE,
    as_of: AsOf = None,
    version: Version = None,
) -> UsageQuestion:
    """Return the question that the parameters ask; `filter[NAME]` is read from the request. Raises `Refusal` (400)."""
    return UsageQuestion(
        start=moment("from", start),
        end=end_or_now(end, clock),
        window=window,
        timezone=timezone,
        group_by=_names(group_by),
        filter=_filter(request.query_params.multi_items()),
        order=order,
        limit=limit,
        fill=fill,
        compare=compare,
        as_of=None if as_of is None else Position(as_of),
        version=version,
    )


def explain_question_from_parameters(  # noqa: PLR0913, PLR0917 - one for each parameter
    request: Request[None, ApiKey, State],
    clock: Present,
    start: From,
    end: To = None,
    window: AnyWindow = WindowSize.TOTAL,
    timezone: TimeZone = "UTC",
    group_by: GroupBy = None,
    as_of: AsOf = None,
    version: Version = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> ExplainQuestion:
    """Return the question whose figure is to be explained; `filter[NAME]` is read from the request. Raises `Refusal` (400)."""
    usage = UsageQuestion(
        start=moment("from", start),
        end=end_or_now(end, clock),
        window=window,
        timezone=timezone,
        group_by=_names(group_by),
        filter=_filter(request.query_params.multi_items()),
        as_of=None if as_of is None else Position(as_of),
        version=version,
    )
    return ExplainQuestion(usage=usage, limit=limit, cursor=cursor)


def question_from_body(query: UsageQuery, clock: Clock) -> UsageQuestion:
    """Return the question that a body asks. Raises `Refusal` (400)."""
    return UsageQuestion(
        start=moment("from", query.start),
        end=end_or_now(query.end, clock),
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
        compare=query.compare,
        as_of=None if query.as_of is None else Position(query.as_of),
        version=query.version,
    )


@contextmanager
def faults_of_query(place: int) -> Generator[None]:
    """Let what is wrong with one of several questions say which one it is. Raises `Refusal`."""
    try:
        yield
    except (InvalidDefinition, InvalidQuestion, NotFound, PluginFailed, PluginMissing, Refusal) as error:
        refusal = refusal_of(error)
        if refusal is None or refusal.status >= 500:  # noqa: PLR2004 - no fault of the question
            raise
        name = f"queries[{place}]"
        errors = [ProblemError(each.detail, pointer=f"{name}.{each.pointer}") for each in refusal.errors]
        errors = errors or [ProblemError(refusal.detail, pointer=f"{name}.meter")]
        raise Refusal(refusal.status, refusal.code, f"{name}: {refusal.detail}", errors=errors) from error


def bracketed_name(word: str, parameter: str) -> str | None:
    """Return NAME of a parameter such as `filter[NAME]`, None for another one; `filter[NAME][regex]` and its like are others."""
    before = f"{word}["
    if parameter.startswith(before) and parameter.endswith("]") and len(parameter) > len(before) + 1:
        name = parameter[len(before) : -1]
        return None if "][" in name else name
    return None


def filter_text(name: str, value: FilterValue) -> str:
    """Return the text by which a filter's value compares: numbers in canonical decimal. Raises `Refusal` (400)."""
    return _text(name, value)


def end_or_now(given: str | int | None, clock: Clock) -> Instant:
    """Return the end of a range; without one it is now. Raises `Refusal` (400)."""
    return clock.now() if given is None else moment("to", given)


def _names(text: str | None) -> tuple[str, ...]:
    if not text:
        return ()
    return tuple(name.strip() for name in text.split(","))


def _filter(parameters: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for parameter, value in parameters:
        if (name := bracketed_name("filter", parameter)) is not None:
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
