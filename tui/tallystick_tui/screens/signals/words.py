"""Signals in words: what is watched, who, when it fires, and what a step says. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from tallystick_tui.connection.fired_signal import Figures
from tallystick_tui.texts.figures import exact, percent

from .records import Condition, Delivery, HistoryStep, Signal

_PERIODS: Final = {"hour": "an hour", "day": "a day", "week": "a week", "month": "a month"}
_DIRECTIONS: Final = {"up": "rises by", "down": "falls by", "any": "changes by"}
_SIGNS: Final = {"fired": "● fired", "snoozed": "◌ snoozed", "armed": "○ armed"}
_STEPS: Final = {"fired": "● fired", "recovered": "○ recovered", "snoozed": "◌ snoozed", "woken": "◎ woken"}
_REASONS: Final = {
    "usage": "by usage",
    "correction": "by a correction",
    "period_end": "period over",
    "silence": "silent",
    "operator": "by hand",
}
_DELIVERY_SIGNS: Final = {
    "waiting": "… waiting",
    "held": "… held",
    "delivered": "✓ delivered",
    "failed": "! failed",
    "joined": "→ joined",
    "cancelled": "- cancelled",
}


def state_in_words(state: str) -> str:
    """Return a state with a sign, so that colour is not the only one."""
    return _SIGNS.get(state, state)


def step_in_words(step: HistoryStep) -> str:
    """Return what a step was and what moved it."""
    return f"{_STEPS.get(step.kind, step.kind)} {_REASONS.get(step.reason, step.reason)}"


def delivery_in_words(delivery: Delivery) -> str:
    """Return a delivery's state with a sign."""
    return _DELIVERY_SIGNS.get(delivery.state, delivery.state)


def condition_in_words(condition: Condition) -> str:
    """Return when a signal fires: `≥ 100,000`, `50, 80, 100 % of 1,000`, `falls by 50 %`, `silent for 2 h`."""
    if condition.type == "no_data":
        return f"silent for {duration(condition.silence_s or 0)}"
    if condition.type == "threshold":
        sign = {">=": "≥", "<=": "≤"}.get(condition.op or ">=", condition.op or "≥")
        if condition.limit is not None:
            shares = ", ".join(exact(each) for each in condition.thresholds) or "100"
            return f"{sign} {shares} % of {exact(condition.limit)}"
        figures = [condition.value] if condition.value is not None else condition.thresholds
        return f"{sign} {', '.join(exact(each) for each in figures)}"
    by = exact(condition.value) + (" %" if condition.type == "percent_change" else "")
    floor = f", from {exact(condition.floor)}" if condition.floor else ""
    return f"{_DIRECTIONS.get(condition.direction or 'any', 'changes by')} {by}{floor}"


def scope_in_words(signal: Signal) -> str:
    """Return who is watched."""
    who = {None: "all together", "*": "each customer"}.get(signal.scope.customer, signal.scope.customer or "")
    return who + (f" by {', '.join(signal.group_by)}" if signal.group_by else "")


def period_in_words(period: str) -> str:
    """Return `a month`."""
    return _PERIODS.get(period, period)


def signal_in_words(signal: Signal) -> str:
    """Return the whole signal as a sentence."""
    only = "".join(f", only {name} {' or '.join(values)}" for name, values in signal.filter.items())
    often = "" if signal.condition.type == "no_data" else f" {period_in_words(signal.period)}"
    return f"{signal.meter} of {scope_in_words(signal)}{only}: {condition_in_words(signal.condition)}{often}"


def subject_in_words(customer: str | None, group: Mapping[str, str | None]) -> str:
    """Return about whom: `acme, region eu`, or `all together`."""
    parts = [customer] if customer is not None else []
    parts += [f"{name} {value if value is not None else '(none)'}" for name, value in group.items()]
    return ", ".join(parts) or "all together"


def figures_in_words(figures: Figures) -> str:
    """Return what explains a step: `1,204 of 1,000, past 100 %`, `50, before 100 (-50 %)`."""
    words = exact(figures.figure)
    if figures.limit is not None:
        return f"{words} of {exact(figures.limit)}" + (f", past {exact(figures.percent)} %" if figures.percent else "")
    if figures.base is not None:
        by = percent(figures.change, signed=True) if figures.change is not None else "nothing before"
        return f"{words}, before {exact(figures.base)} ({by})"
    return f"{words} past {exact(figures.threshold)}" if figures.threshold is not None else words


def duration(seconds: int) -> str:
    """Return a length of time by its largest units: `2 h`, `1 d 12 h`."""
    parts: list[str] = []
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")):
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or "0 s"


def seconds_of(text: str) -> int | None:
    """Return the seconds of `90`, `90s`, `15m`, `2h`, `3d`; None for what is no length of time."""
    sizes = {"s": 1, "m": 60, "min": 60, "h": 3_600, "d": 86_400, "w": 604_800}
    number = text.strip().lower()
    unit = number.lstrip("0123456789").strip()
    digits = number[: len(number) - len(number.lstrip("0123456789"))]
    size = sizes.get(unit or "s")
    return int(digits) * size if digits and size and len(digits) <= 9 else None  # noqa: PLR2004 - a billion seconds


def listed(texts: Sequence[str], *, otherwise: str) -> str:
    """Return texts with commas, or a word where there are none."""
    return ", ".join(texts) or otherwise
