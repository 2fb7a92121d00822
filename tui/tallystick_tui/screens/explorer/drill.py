"""Going down into a figure: the question of one row, and the way back up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from tallystick_tui.texts import moments

from .answer import Meter
from .date_range import DateRange
from .labels import group_value, window_label
from .pivot import Place
from .question import Question, Window

CUSTOMER = "customer"


@dataclass(frozen=True, slots=True)
class Step:
    """What was asked before one went down, and how the row is called that one went into."""

    before: Question
    row_key: str
    words: str


def of_row(question: Question, place: Place, *, window: Window, zone: ZoneInfo) -> tuple[Question, list[str]] | None:
    """Return the question about one row alone, and its words; None where no filter can ask for it: events without a property."""
    words: list[str] = []
    if question.group_by:
        group = {name: value for name, value in place.group.items() if value is not None}
        if len(group) < len(place.group):
            return None
        question = question.narrowed_to(group)
        words += [f"{name} {group_value(name, value)}" for name, value in group.items()]
    if place.start:
        start = moments.parsed(place.start)
        question = replace(question, range=DateRange(None, place.start, place.end), window=None)
        words.append(window_label(start, window, zone))
    return question, words


def next_dimensions(question: Question, meter: Meter) -> list[str]:
    """Return what the question can be grouped by further: what nothing is narrowed to yet, the meter's own dimensions first."""
    taken = {name for name, values in question.filters if len(values) == 1}
    return [name for name in dict.fromkeys((*meter.dimensions, CUSTOMER)) if name not in taken]


def trail_words(steps: Sequence[Step]) -> str:
    """Return the way down as one line."""
    return " › ".join(["all", *(step.words for step in steps)])  # noqa: RUF001 - the sign of a way down


def can_be_cut(question: Question, now: datetime) -> bool:
    """Return whether the question still has more than one window, so that going down in time shows something."""
    asked = replace(question, window=None).at(now)
    return asked.window is not Window.TOTAL and asked.window.count_in(asked.span) > 1
