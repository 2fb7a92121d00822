"""An answer as a table: a row for each window, or for each group with its windows as columns where these fit, else as a trend.

Promises: figures exact, to the right, as the appliance answered them; a group's total is the appliance's, never a sum of its row. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
from rich.text import Text

from tallystick_tui.texts import figures, moments
from tallystick_tui.texts.sparkline import sparkline
from tallystick_tui.widgets.record_table import Column, Record
from tallystick_tui.widgets.time_graph import thinned

from .answer import Answer, Figure, Group, Row
from .labels import NAME_MAX, group_key, group_value, short_window_label, window_label
from .question import Asked, Window

_PADDING: Final = 2
_BAR_MAX: Final = 24
_BAR_MIN: Final = 6
_EIGHTHS: Final = " ▏▎▍▌▋▊▉"
_COMPARED: Final[tuple[Column, ...]] = (Column("before", "before", "right"), Column("change", "change", "right"))
Shade = Callable[[float], str]


class Kind(StrEnum):
    """What a row of the table stands for."""

    WINDOWS = "windows"
    GROUPS = "groups"


@dataclass(frozen=True, slots=True)
class Place:
    """What is behind a row: a group, or a window of all."""

    group: Group
    start: str = ""
    end: str = ""


@dataclass(frozen=True, slots=True)
class Pivot:
    """Columns and rows, and by a row's key what is behind it."""

    kind: Kind
    columns: tuple[Column, ...]
    records: tuple[Record, ...]
    places: dict[str, Place]
    has_window_columns: bool = False


@dataclass(frozen=True, slots=True)
class Look:
    """How wide the table may be, in which zone, and with what drawn; `shade` gives a style for a share of the largest figure."""

    width: int
    zone: ZoneInfo
    is_plain: bool = False
    shade: Shade | None = None
    bar_style: str = ""


def pivot(asked: Asked, answer: Answer, look: Look) -> Pivot:
    """Return the table of an answer."""
    return _by_group(asked, answer, look) if asked.question.group_by else _by_window(asked, answer, look)


def ranked(answer: Answer) -> list[Figure]:
    """Return the groups, largest first, those without a figure last."""
    return sorted(answer.totals, key=lambda total: (total.value is None, -(total.value or Decimal(0))))


def begun(asked: Asked, rows: Sequence[Row]) -> list[Row]:
    """Return the rows of windows that have begun."""
    return [row for row in rows if moments.parsed(row.start) < asked.at]


def rows_by_group(answer: Answer, names: Sequence[str]) -> dict[tuple[str | None, ...], list[Row]]:
    """Return each group's rows, in order of time."""
    found: dict[tuple[str | None, ...], list[Row]] = {}
    for row in answer.rows:
        found.setdefault(group_key(row.group, names), []).append(row)
    return found


def _by_window(asked: Asked, answer: Answer, look: Look) -> Pivot:
    is_compared, rows = asked.question.is_compared, begun(asked, answer.rows)
    cells = [
        [
            window_label(moments.parsed(row.start), asked.window, look.zone),
            figures.exact(row.value),
            figures.exact(row.events),
            *(_compared(row, is_over=moments.parsed(row.end) <= asked.at) if is_compared else []),
        ]
        for row in rows
    ]
    columns = [
        Column("window", asked.window.value if asked.window is not Window.TOTAL else "range"),
        Column("value", "usage", "right"),
        Column("events", "events", "right"),
        *(_COMPARED if is_compared else ()),
    ]
    bars = _bars([row.value for row in rows], look, _width(columns, cells))
    records = [
        Record(row.start, (*line, *([bars[number]] if bars else [])))
        for number, (row, line) in enumerate(zip(rows, cells, strict=True))
    ]
    places = {row.start: Place({}, row.start, row.end) for row in rows}
    return Pivot(Kind.WINDOWS, (*columns, *_bar_column(bars)), tuple(records), places)


def _by_group(asked: Asked, answer: Answer, look: Look) -> Pivot:
    names, is_compared = asked.question.group_by, asked.question.is_compared
    totals, rows = ranked(answer), rows_by_group(answer, names)
    columns = [
        *(Column(f"name-{number}", _heading(name)) for number, name in enumerate(names)),
        Column("total", "total", "right"),
        Column("events", "events", "right"),
        *(_COMPARED if is_compared else ()),
    ]
    cells: list[list[str | Text]] = [
        [
            *(_name_cell(name, total.group.get(name)) for name in names),
            figures.exact(total.value),
            figures.exact(total.events),
            *(_compared(total, is_over=not asked.is_unfinished) if is_compared else []),
        ]
        for total in totals
    ]
    lines = [begun(asked, rows.get(group_key(total.group, names), [])) for total in totals]
    width = _width(columns, cells)
    windows = _window_columns(asked, lines, look, width)
    if windows is not None:
        columns += windows
        for line, group_rows in zip(cells, lines, strict=True):
            line.extend(_shaded(group_rows, lines, look))
    else:
        bars = _bars([total.value for total in totals], look, width)
        columns += _bar_column(bars)
        for line, bar in zip(cells, bars, strict=False):
            line.append(bar)
        room = look.width - _width(columns, cells) - _PADDING
        if not look.is_plain and asked.window is not Window.TOTAL and room >= _BAR_MIN:
            columns.append(Column("trend", f"by {asked.window.value}"))
            for line, group_rows in zip(cells, lines, strict=True):
                line.append(Text(_trend(group_rows, room), style=look.bar_style))
    keys = [msgspec.json.encode(total.group, order="sorted").decode() for total in totals]
    records = tuple(Record(key, tuple(line)) for key, line in zip(keys, cells, strict=True))
    places = {key: Place(total.group) for key, total in zip(keys, totals, strict=True)}
    return Pivot(Kind.GROUPS, tuple(columns), records, places, has_window_columns=windows is not None)


def _window_columns(asked: Asked, lines: Sequence[Sequence[Row]], look: Look, width: int) -> list[Column] | None:
    """Return a column for each window; None where they do not all fit."""
    first = next(iter(lines), None)
    if not first or asked.window is Window.TOTAL:
        return None
    columns = [
        Column(f"at {row.start}", short_window_label(moments.parsed(row.start), asked.window, look.zone), "right")
        for row in first
    ]
    cells = [[figures.exact(row.value) for row in line] for line in lines]
    return columns if width + _width(columns, cells) <= look.width else None


def _shaded(rows: Sequence[Row], lines: Sequence[Sequence[Row]], look: Look) -> list[str | Text]:
    """Return figures, the larger the more shaded."""
    if look.shade is None or look.is_plain:
        return [figures.exact(row.value) for row in rows]
    top = max((float(row.value) for line in lines for row in line if row.value is not None), default=0.0)
    return [
        Text(figures.exact(row.value), style=look.shade(float(row.value) / top) if row.value and top > 0 else "")
        for row in rows
    ]


def _compared(figure: Figure, *, is_over: bool) -> list[str]:
    """Return the figure before and the change; of a time that is not over, which no whole one can be held against, that it is not."""
    change = figures.change(figure.previous, figure.value) if is_over else "so far"
    return [figures.exact(figure.previous), change]


def _heading(name: str) -> str:
    return group_value(name, name)


def _name_cell(name: str, value: str | None) -> str | Text:
    text = group_value(name, value)
    return text if value else Text(text, style="italic dim")


def _width(columns: Sequence[Column], cells: Sequence[Sequence[str | Text]]) -> int:
    """Return how wide a table of these is; names as wide as they may get, so that a longer one does not move everything."""
    widths = [len(column.label) for column in columns]
    for line in cells:
        for place, cell in enumerate(line):
            widths[place] = max(widths[place], cell.cell_len if isinstance(cell, Text) else len(cell))
    return sum(min(width, NAME_MAX + _BAR_MAX) + _PADDING for width in widths)


def _bar_column(bars: Sequence[Text]) -> list[Column]:
    return [Column("bar", "")] if bars else []


def _bars(values: Sequence[Decimal | None], look: Look, width: int) -> list[Text]:
    """Return a bar for each figure, in what room is left; none where that is little, or plain text is wanted."""
    room = min(_BAR_MAX, look.width - width - _PADDING)
    top = max((float(value) for value in values if value is not None), default=0.0)
    if look.is_plain or room < _BAR_MIN or top <= 0:
        return []
    return [Text(bar(float(value or 0) / top, room), style=look.bar_style) for value in values]


def bar(share: float, width: int) -> str:
    """Return a bar of blocks, eighths of a character fine; what is not nothing has at least the thinnest."""
    eighths = max(1 if share > 0 else 0, round(min(1.0, max(0.0, share)) * width * 8))
    return ("█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()).ljust(width)


def _trend(rows: Sequence[Row], room: int) -> str:
    points = [(float(number), None if row.value is None else float(row.value)) for number, row in enumerate(rows)]
    if len(points) > room:
        filled = [(at, 0.0 if value is None else value) for at, value in points]
        return sparkline([value for _, value in thinned(filled, room)])
    return sparkline([value for _, value in points])
