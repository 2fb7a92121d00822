"""What the form's fields come to as a body for the API, and what is wrong with them before it is sent. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Final

from .words import seconds_of

# As figures are written on the screen; commas stand between thresholds too.
_WITH_THOUSANDS: Final = re.compile(r"(?<![\d.])\d{1,3}(,\d{3})+(?![\d])")


class Unreadable(Exception):
    """A field that cannot be read; `field_name` is the form's name for it."""

    def __init__(self, field_name: str, words: str) -> None:
        super().__init__(words)
        self.field_name = field_name


@dataclass(frozen=True, slots=True)
class Typed:
    """The texts of the form's fields, as typed."""

    key: str
    name: str
    meter: str
    type: str
    op: str
    thresholds: str
    limit: str
    value: str
    direction: str
    floor: str
    silence: str
    who: str
    customer: str
    group_by: str
    period: str
    timezone: str
    channels: str
    digest: str
    filter: dict[str, str] = field(default_factory=dict[str, str])


def body_of(typed: Typed) -> dict[str, object]:
    """Return the definition without its key. Raises `Unreadable`; what only the appliance knows, it says itself."""
    if not typed.meter:
        raise Unreadable("meter", "is needed")
    return {
        "name": typed.name or None,
        "meter": typed.meter,
        "scope": {"customer": _scope(typed)},
        "filter": {name: _list(text, "|") for name, text in typed.filter.items()},
        "group_by": _list(typed.group_by, ","),
        "period": typed.period,
        "timezone": typed.timezone or "UTC",
        "condition": _condition(typed),
        "channels": _list(typed.channels, ","),
        "digest": typed.digest,
    }


def patch_of(typed: Typed, *, filtered_before: dict[str, list[str]]) -> dict[str, object]:
    """Return the definition as a merge patch: a filter that is gone is cleared by null."""
    body = body_of(typed)
    now: dict[str, list[str] | None] = {name: _list(text, "|") for name, text in typed.filter.items()}
    gone: dict[str, list[str] | None] = dict.fromkeys(name for name in filtered_before if name not in now)
    return {**body, "filter": {**gone, **now}}


def _scope(typed: Typed) -> str | None:
    if typed.who == "all":
        return None
    if typed.who == "each":
        return "*"
    if not typed.customer:
        raise Unreadable("customer", "names the customer")
    return typed.customer


def _condition(typed: Typed) -> dict[str, object]:
    if typed.type == "no_data":
        seconds = seconds_of(typed.silence)
        if seconds is None:
            raise Unreadable("silence", "is a length of time such as 90m, 2h or 3d")
        return {"type": "no_data", "silence_s": seconds}
    if typed.type != "threshold":
        condition: dict[str, object] = {
            "type": typed.type,
            "value": _figure("value", typed.value),
            "direction": typed.direction,
        }
        if typed.type == "percent_change" and typed.floor:
            condition["floor"] = _figure("floor", typed.floor)
        return condition
    # Of a limit they are percent.
    if not typed.limit and (unclear := _WITH_THOUSANDS.search(typed.thresholds)) is not None:
        one, several = unclear[0].replace(",", ""), unclear[0].replace(",", ", ")
        raise Unreadable("thresholds", f"{unclear[0]} is one figure or several: type {one}, or {several}")
    figures = [_figure("thresholds", each) for each in _list(typed.thresholds, ",")]
    if typed.limit:
        shares = {"thresholds": figures} if figures else {}
        return {"type": "threshold", "op": typed.op, "limit": _figure("limit", typed.limit), **shares}
    if not figures:
        raise Unreadable("thresholds", "needs a figure, or several with commas")
    given: dict[str, object] = {"value": figures[0]} if len(figures) == 1 else {"thresholds": figures}
    return {"type": "threshold", "op": typed.op, **given}


def _figure(field_name: str, text: str) -> str:
    """Return the digits of a figure, thousands put together. Raises `Unreadable`."""
    plain = text.replace("_", "").replace(" ", "").rstrip("%")
    try:
        figure = Decimal(plain)
    except InvalidOperation:
        raise Unreadable(field_name, f"{text!a} is no figure") from None
    if not figure.is_finite():
        raise Unreadable(field_name, f"{text!a} is no figure")
    return f"{figure:f}"


def _list(text: str, separator: str) -> list[str]:
    return [part for each in text.split(separator) if (part := each.strip())]
