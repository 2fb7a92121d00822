"""Words for windows and groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from tallystick_tui.texts.harmless import cut

from .answer import Group
from .question import Window

NAME_MAX: Final = 28
_FORMS: Final = {
    Window.MINUTE: "%d %b %H:%M",
    Window.HOUR: "%a %d %b %H:%M",
    Window.DAY: "%a %d %b %Y",
    Window.WEEK: "week of %d %b %Y",
    Window.MONTH: "%b %Y",
    Window.TOTAL: "%d %b %Y %H:%M",
}
_SHORT_FORMS: Final = {Window.MINUTE: "%H:%M", Window.HOUR: "%H:%M", Window.DAY: "%d %b", Window.WEEK: "%d %b"}


def window_label(start: datetime, window: Window, zone: ZoneInfo) -> str:
    """Return how a window is called in a row."""
    return f"{start.astimezone(zone):{_FORMS[window]}}"


def short_window_label(start: datetime, window: Window, zone: ZoneInfo) -> str:
    """Return how a window is called above a column."""
    local = start.astimezone(zone)
    if window in {Window.MINUTE, Window.HOUR} and local.hour == local.minute == 0:
        return f"{local:%d %b}"
    return f"{local:{_SHORT_FORMS.get(window, _FORMS[window])}}"


def group_value(name: str, value: str | None) -> str:
    """Return one value of a group; without the property, words that say so."""
    if value is None:
        return f"(no {cut(name, NAME_MAX)})"
    return cut(value, NAME_MAX) if value else "(empty)"


def group_label(group: Mapping[str, str | None]) -> str:
    """Return a group as a graph's legend names it."""
    return " · ".join(group_value(name, value) for name, value in group.items()) or "all"


def group_key(group: Group, names: Sequence[str]) -> tuple[str | None, ...]:
    """Return what tells a group from others."""
    return tuple(group.get(name) for name in names)
