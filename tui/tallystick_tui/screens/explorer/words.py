"""The explorer's question and totals in words."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from tallystick_tui.texts import figures, moments
from tallystick_tui.viewer import Viewer
from tallystick_tui.widgets.time_graph import GraphKind

from .answer import Answers
from .date_range import InvalidRange, zone_named
from .face import Face
from .graph_series import Drawn
from .labels import group_value
from .question import Asked, Question, Window
from .question_chips import Chip


def chips(question: Question, viewer: Viewer, *, face: Face, kind: GraphKind, is_wide: bool) -> list[Chip]:
    """Return the question part by part, each with its key."""
    zone, now = zone_named(question.zone), viewer.now()
    filters = ", ".join(
        f"{name}={'|'.join(group_value(name, value) for value in values)}" for name, values in question.filters
    )
    try:
        range_words, window = question.range.words(now, zone), question.at(now).window
    except InvalidRange:
        range_words, window = "no range", question.window or Window.DAY
    is_drawn = face is Face.GRAPH or (face is Face.BOTH and is_wide)
    cut = "in total" if window is Window.TOTAL else f"by {window.value}"
    return [
        Chip("m", "edit('meter')", question.meter),
        Chip("g", "edit('group')", " & ".join(question.group_by) or "ungrouped", is_set=bool(question.group_by)),
        Chip("f", "edit('filter')", filters or "no filter", is_set=bool(filters)),
        Chip("d", "edit('range')", range_words),
        Chip("w", "edit('window')", cut),
        Chip("z", "edit('zone')", question.zone if is_wide else question.zone.rpartition("/")[2]),
        Chip("v", "compare", "vs before" if question.is_compared else "compare", is_set=question.is_compared),
        Chip("t", "turn_face", face.value if face is not Face.BOTH else "table, graph" if is_wide else "table"),
        Chip("k", "turn_kind", kind.value, is_set=is_drawn),
        Chip("o", "views", "views", is_set=False),
        Chip("e", "export", "CSV", is_set=False),
        Chip("y", "texts", "copy", is_set=False),
    ]


def totals_words(asked: Asked, answers: Answers, *, unit: str, zone: ZoneInfo, drawn: Drawn | None) -> str:
    """Return the figure of the whole, beside the one before, and of what it is."""
    whole = answers.whole
    parts: list[str] = []
    if whole is not None:
        so_far = " so far" if asked.is_unfinished else ""
        parts.append(f"total {figures.exact(whole.value, unit or None)}{so_far}")
        if asked.question.is_compared:
            change = " in all" if so_far else f" {figures.change(whole.previous, whole.value)}"
            parts.append(f"before {figures.exact(whole.previous)}{change}")
        parts.append(f"{figures.exact(whole.events)} events")
    if asked.question.group_by:
        count = len(answers.asked.totals)
        is_cut = asked.groups_max is not None and count >= asked.groups_max
        parts.append(f"the largest {count} groups" if is_cut else f"{count} group{'' if count == 1 else 's'}")
        if drawn is not None and drawn.group_count > len(drawn.series):
            parts.append(f"{len(drawn.series)} of them drawn")
    span = asked.span
    parts.append(f"{moments.as_short_as_exact(span.start, zone)} to {moments.as_short_as_exact(span.end, zone)}")
    return " · ".join(parts)
