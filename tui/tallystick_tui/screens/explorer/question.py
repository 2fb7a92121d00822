"""What the explorer asks: a question that moves with the clock, and the same question bound to two instants.

Promises: a value, compared and kept like one; what it says over HTTP, as a `curl` line and as a `tallystick usage` command gives the same
figures. The key is in none of them.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Final
from urllib.parse import quote

from tallystick_tui.connection.appliance_client import segment
from tallystick_tui.navigation import ToExplorer
from tallystick_tui.texts import moments

from .date_range import DateRange, Span, zone_named

GROUPS_MAX: Final = 200
WINDOWS_MAX: Final = 1_000
_CELLS_MAX: Final = 20_000
_GROUPS_MIN: Final = 10
_WINDOWS_WANTED_MAX: Final = 100
_MINUTE_S: Final = 60
_HOUR_S: Final = 3_600
_DAY_S: Final = 86_400
KEY_VARIABLE: Final = "TALLYSTICK_API_KEY"


class Window(StrEnum):
    """How a range is cut."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    TOTAL = "total"

    def count_in(self, span: Span) -> int:
        """Return how many windows a span has, one more at most."""
        return 1 if self is Window.TOTAL else int(span.seconds // _LENGTH_S[self]) + 1


_LENGTH_S: Final = {
    Window.MINUTE: _MINUTE_S,
    Window.HOUR: _HOUR_S,
    Window.DAY: _DAY_S,
    Window.WEEK: 7 * _DAY_S,
    Window.MONTH: 28 * _DAY_S,
}
Filters = tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Question:
    """The question as the person sees it; `window` None: one that suits the range. `zone` is an IANA name."""

    meter: str
    zone: str
    range: DateRange = field(default_factory=DateRange)
    group_by: tuple[str, ...] = ()
    filters: Filters = ()
    window: Window | None = None
    is_compared: bool = False

    def with_filter(self, name: str, value: str) -> Question:
        """Return the question for events that have this value too; values of one name are alternatives."""
        values = dict(self.filters)
        if value in values.get(name, ()):
            return self
        values[name] = (*values.get(name, ()), value)
        return replace(self, filters=tuple(values.items()))

    def without_filter(self, name: str, value: str) -> Question:
        """Return the question without this value of a filter."""
        kept = {each: tuple(text for text in texts if (each, text) != (name, value)) for each, texts in self.filters}
        return replace(self, filters=tuple((each, texts) for each, texts in kept.items() if texts))

    def narrowed_to(self, group: Mapping[str, str]) -> Question:
        """Return the question for one of its groups alone, no longer grouped by what the group says."""
        values = dict(self.filters) | {name: (value,) for name, value in group.items()}
        rest = tuple(name for name in self.group_by if name not in group)
        return replace(self, filters=tuple(values.items()), group_by=rest)

    def at(self, now: datetime) -> Asked:
        """Return the question as it is asked now. Raises `InvalidRange`.

        Compared, days and months are asked to their end: then the period before begins with the same day or hour, and each window stands
        beside its like.
        """
        span = self.range.span(now, zone_named(self.zone), is_whole=self.is_compared)
        return Asked(self, span, window_for(span, self.window), now)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question bound to instants and to a window: what was asked, and can be asked again."""

    question: Question
    span: Span
    window: Window
    at: datetime

    @property
    def is_unfinished(self) -> bool:
        """Whether the range ends only in the future: its figures are those so far."""
        return self.span.end > self.at

    @property
    def groups_max(self) -> int | None:
        """How many groups are asked for at most, the largest; None where nothing is grouped."""
        if not self.question.group_by:
            return None
        return max(_GROUPS_MIN, min(GROUPS_MAX, _CELLS_MAX // self.window.count_in(self.span)))

    @property
    def path(self) -> str:
        """Where `params` are sent."""
        return f"/v1/meters/{segment(self.question.meter)}/usage"

    def params(self, *, with_limit: bool = True) -> list[tuple[str, str]]:
        """Return the parameters of `GET`."""
        asked = self.question
        params = [*self._range(), ("window", self.window.value), ("timezone", asked.zone)]
        params += [("group_by", ",".join(asked.group_by))] if asked.group_by else []
        params += [(f"filter[{name}]", value) for name, values in asked.filters for value in values]
        params += [("fill", "zero")] if self._is_filled else []
        params += [("compare", "previous")] if asked.is_compared else []
        params += [("limit", str(self.groups_max))] if with_limit and self.groups_max is not None else []
        return params

    def body(self) -> dict[str, object]:
        """Return the body of `POST /v1/usage`: this question, and where it is grouped the same over all groups."""
        asked = self.question
        whole: dict[str, object] = {
            **dict(self._range()),
            "meter": asked.meter,
            "window": self.window.value,
            "timezone": asked.zone,
            "filter": {name: list(values) for name, values in asked.filters},
            "compare": "previous" if asked.is_compared else "none",
            "fill": "zero" if self._is_filled else "none",
        }
        if not asked.group_by:
            return {"queries": [whole]}
        grouped = whole | {"group_by": list(asked.group_by), "limit": self.groups_max}
        return {"queries": [grouped, whole | {"window": "total", "fill": "none"}]}

    def explain_params(self) -> list[tuple[str, str]]:
        """Return the parameters that explain the figure over the whole range."""
        asked = self.question
        return [*self._range(), *((f"filter[{name}]", value) for name, values in asked.filters for value in values)]

    def curl(self, url: str) -> str:
        """Return a shell line that asks the same; the key comes from the environment."""
        query = "&".join(f"{_readable(name)}={_readable(value)}" for name, value in self.params())
        return f'curl -sS -H "Authorization: Bearer ${KEY_VARIABLE}" {shlex.quote(f"{url}{self.path}?{query}")}'

    def command(self, url: str) -> str | None:
        """Return a `tallystick usage` command that gives the same figures; the key comes from the environment.

        None where a filter's name cannot stand before a `=`.
        """
        asked, (start, end) = self.question, self._range()
        if any("=" in name or name != name.strip() for name, _ in asked.filters):
            return None
        words = ["tallystick", "usage", asked.meter, "--url", url, "--from", start[1], "--to", end[1]]
        words += ["--window", self.window.value, "--timezone", asked.zone]
        words += [word for name in asked.group_by for word in ("--by", name)]
        words += [
            word for name, values in asked.filters for value in values for word in ("--filter", f"{name}={value}")
        ]
        words += ["--fill", "zero"] if self._is_filled else []
        words += ["--compare"] if asked.is_compared else []
        words += ["--top", str(self.groups_max)] if self.groups_max is not None else []
        return shlex.join(words)

    @property
    def _is_filled(self) -> bool:
        return self.window is not Window.TOTAL

    def _range(self) -> list[tuple[str, str]]:
        return [("from", moments.rfc3339(self.span.start)), ("to", moments.rfc3339(self.span.end))]


def arriving(question: Question, destination: ToExplorer) -> Question:
    """Return the question that another section wants to see; what it does not say stays."""
    kept = {
        "meter": destination.meter,
        "group_by": destination.group_by,
        "filters": None if destination.filters is None else tuple(destination.filters.items()),
        "range": None if destination.start is None else DateRange(None, destination.start, destination.end or ""),
        "window": None if destination.window is None else Window(destination.window),
    }
    begun = Question(question.meter, question.zone) if destination.is_whole else question
    return replace(begun, **{name: value for name, value in kept.items() if value is not None})


def window_for(span: Span, wanted: Window | None) -> Window:
    """Return the wanted window unless the span has too many of it; without a wish the shortest that gives a readable number."""
    windows = [Window.MINUTE, Window.HOUR, Window.DAY, Window.WEEK, Window.MONTH, Window.TOTAL]
    most = _WINDOWS_WANTED_MAX if wanted is None else WINDOWS_MAX
    first = 0 if wanted is None else windows.index(wanted)
    # Weeks are a wish: nobody expects them unasked.
    fitting = (each for each in windows[first:] if each.count_in(span) <= most and (wanted or each is not Window.WEEK))
    return next(fitting, Window.TOTAL)


def _readable(text: str) -> str:
    return quote(text, safe="[],:")
