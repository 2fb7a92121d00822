"""An answer as what a graph draws: the largest groups as series, or one series; beside the period before where that was asked for.

Does not: draw "all others" as one: for distinct counts or peaks that would be no figure at all. How many of how many are drawn is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tallystick_tui.texts import moments
from tallystick_tui.widgets.time_graph import POINTS_MAX, GraphKind, Series, thinned

from .answer import Answer, Row
from .labels import group_key, group_label
from .pivot import begun, ranked, rows_by_group
from .question import Asked

# As many as there are colours that can be told apart.
SERIES_MAX: Final = 6
BEFORE: Final = "before"


@dataclass(frozen=True, slots=True)
class Drawn:
    """What is drawn, and of how many groups."""

    series: tuple[Series, ...]
    group_count: int


def graph_of(asked: Asked, answer: Answer, kind: GraphKind) -> Drawn:
    """Return the series of an answer."""
    names = asked.question.group_by
    is_stacked = kind is GraphKind.STACKED
    if not names:
        series = [Series(asked.question.meter, _points(begun(asked, answer.rows), is_stacked=is_stacked))]
        if asked.question.is_compared:
            series.append(Series(BEFORE, _before(answer.rows), is_behind=True))
        return Drawn(tuple(series), 1)
    rows, totals = rows_by_group(answer, names), ranked(answer)
    series = [
        Series(
            group_label(total.group),
            _points(begun(asked, rows.get(group_key(total.group, names), [])), is_stacked=is_stacked),
        )
        for total in totals[:SERIES_MAX]
    ]
    return Drawn(tuple(series), len(totals))


def _points(rows: Sequence[Row], *, is_stacked: bool) -> tuple[tuple[float, float], ...]:
    """Return points; where there is no figure there is no point, but in a stack, whose layers share all instants."""
    points = [
        (moments.parsed(row.start).timestamp(), float(row.value or 0))
        for row in rows
        if is_stacked or row.value is not None
    ]
    if is_stacked and len(points) > POINTS_MAX:
        # Each layer by the same instants: the peaks of one layer may lie beside those of another.
        return tuple(points[:: -(-len(points) // POINTS_MAX)])
    return thinned(points)


def _before(rows: Sequence[Row]) -> tuple[tuple[float, float], ...]:
    """Return the figures of the period before, at the instants beside which they stand."""
    return thinned(
        [(moments.parsed(row.start).timestamp(), float(row.previous)) for row in rows if row.previous is not None]
    )
