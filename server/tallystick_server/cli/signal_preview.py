"""A preview of a signal in a terminal: what it would have done in a sentence, charts of who fired most, and every step.

Promises: readable without colour and at 80 columns. A column is a period, or the largest of several; a mark below says that it would have
fired then.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import msgspec

from .client import decode
from .column_chart import ColumnChart
from .printable import printable
from .terminal import Column, Terminal, shown
from .usage_reply import group_name, local_time

if TYPE_CHECKING:
    from rich.console import Console

_HEIGHT: Final = 5


class _Figure(msgspec.Struct, frozen=True):
    start: str
    end: str
    value: Decimal | None
    level: int
    fired_at: str | None


class _Subject(msgspec.Struct, frozen=True):
    customer: str | None
    group: dict[str, str | None]
    firings: int
    figures: list[_Figure]


class _Step(msgspec.Struct, frozen=True, kw_only=True):
    at: str
    kind: str
    level: int
    customer: str | None
    group: dict[str, str | None]
    figure: Decimal | None
    threshold: Decimal | None
    base: Decimal | None
    change: Decimal | None
    percent: Decimal | None


class PreviewReply(msgspec.Struct, frozen=True, rename={"start": "from", "end": "to"}):
    """The answer, as far as it is shown."""

    start: str
    end: str
    firings: int
    recoveries: int
    subjects: int
    subjects_seen: int
    periods: int
    periods_seen: int
    thresholds: list[Decimal]
    steps: list[_Step]
    truncated: bool
    top: list[_Subject]


_COLUMNS: Final = (
    Column("at", moment=True),
    Column("what"),
    Column("level", numeric=True),
    Column("who"),
    Column("figure", numeric=True),
    Column("threshold", numeric=True),
    Column("before", numeric=True),
    Column("change", numeric=True),
)


def show_preview(terminal: Terminal, body: bytes, *, zone_name: str, with_charts: bool) -> None:
    """Write the answer: for a pipe the steps alone, unless charts are asked for."""
    reply = decode(body, PreviewReply)
    zone = ZoneInfo(zone_name)
    if terminal.for_person or with_charts:
        terminal.paragraph(_sentence(reply, zone, zone_name))
        console = terminal.console()
        for subject in reply.top:
            if subject.figures:
                _chart(console, subject, reply, zone)
        console.print()
    rows = [
        [
            step.at,
            step.kind,
            step.level,
            _who(step.customer, step.group),
            step.figure,
            step.threshold,
            step.base,
            _change(step),
        ]
        for step in reply.steps
    ]
    terminal.table(_COLUMNS, rows, empty="It would never have fired.")
    if reply.truncated:
        terminal.note(
            f"The newest {len(reply.steps):,} steps of {reply.firings + reply.recoveries:,}: raise --limit for more."
        )


def _sentence(reply: PreviewReply, zone: ZoneInfo, zone_name: str) -> str:
    times = "once" if reply.firings == 1 else f"{reply.firings:,} times"
    span = f"from {local_time(reply.start, zone)} to {local_time(reply.end, zone)[:19]} {zone_name}"
    if not reply.firings:
        return f"It would never have fired, {span}: {reply.subjects_seen:,} with figures in {reply.periods_seen:,} periods."
    return (
        f"It would have fired {times}, {span}, for {reply.subjects:,} of {reply.subjects_seen:,} with figures, in {reply.periods:,} of "
        f"{reply.periods_seen:,} periods; {reply.recoveries:,} recoveries."
    )


def _chart(console: Console, subject: _Subject, reply: PreviewReply, zone: ZoneInfo) -> None:
    figures = subject.figures
    values = [figure.value for figure in figures]
    chart = ColumnChart.of(values, count=len(values), console=console, label=shown)
    title = f"{_who(subject.customer, subject.group)}   fired {subject.firings:,}"
    if reply.thresholds:
        title += f"   past {', '.join(shown(each) for each in reply.thresholds)}"
    chart.draw(console, title, values, height=_HEIGHT, colour="cyan")
    chart.draw_base(console)
    fired = (any(each.fired_at for each in piece) for piece in chart.pieces(figures))
    marks = "".join(("▲" if has_fired else " ").ljust(chart.wide) for has_fired in fired).rstrip()
    if marks:
        chart.draw_below(console, marks, style="red")
    first, last = (local_time(figure.start, zone) for figure in (figures[0], figures[-1]))
    space = chart.width - len(first)
    chart.draw_below(console, first if len(figures) == 1 or space < len(last) + 1 else f"{first}{last:>{space}}")


def _who(customer: str | None, group: dict[str, str | None]) -> str:
    who = "everybody" if customer is None else printable(customer)
    return f"{who} {group_name(group)}".strip()


def _change(step: _Step) -> str | None:
    if step.base is None:
        return None
    return "from nothing" if step.change is None else f"{step.change:f}"
