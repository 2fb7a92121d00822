"""A preview of a signal in a terminal: what it would have done in a sentence, charts of who fired most, and every step.

Promises: readable without colour and at 80 columns. A column is a period, or the largest of several; a mark below says that it would have
fired then.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import msgspec

from .bars import standing_bars
from .client import decode
from .printable import printable
from .terminal import Column, Terminal, shown
from .usage_reply import local_time

if TYPE_CHECKING:
    from rich.console import Console

_HEIGHT: Final = 5
_WIDE_MAX: Final = 6


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
    from rich.text import Text

    values = [figure.value for figure in subject.figures]
    top = max([*(value for value in values if value is not None), Decimal(0)])
    bottom = min([*(value for value in values if value is not None), Decimal(0)])
    labels = [shown(top), shown(bottom) if bottom else "0"]
    margin = max(map(len, labels))
    room = max(console.width - margin - 2, 10)
    share = -(-len(values) // room)
    columns = -(-len(values) // share)
    wide = max(min(room // columns, _WIDE_MAX), 1)
    pieces = [subject.figures[start : start + share] for start in range(0, len(values), share)]
    lines = standing_bars([_largest(piece) for piece in pieces], top=top, bottom=bottom, height=_HEIGHT)
    title = f"{_who(subject.customer, subject.group)}   fired {subject.firings:,}"
    if reply.thresholds:
        title += f"   past {', '.join(shown(each) for each in reply.thresholds)}"
    console.print()
    console.print(Text(title, style="bold"), soft_wrap=True)
    for number, line in enumerate(lines):
        label = labels[0] if number == 0 else labels[1] if number == len(lines) - 1 else ""
        text = Text.assemble(
            (f"{label:>{margin}} ", "dim"), ("┤" if label else "│", "dim"), (_widened(line, wide), "cyan")
        )
        console.print(text, soft_wrap=True)
    console.print(f"{' ' * margin} └{'─' * (columns * wide)}", style="dim", soft_wrap=True)
    marks = "".join(("▲" if any(each.fired_at for each in piece) else " ").ljust(wide) for piece in pieces)
    if marks.strip():
        console.print(Text(f"{' ' * (margin + 2)}{marks.rstrip()}", style="red"), soft_wrap=True)
    first, last = (local_time(figure.start, zone) for figure in (subject.figures[0], subject.figures[-1]))
    space = columns * wide - len(first)
    times = first if len(subject.figures) == 1 or space < len(last) + 1 else f"{first}{last:>{space}}"
    console.print(f"{' ' * (margin + 2)}{times}", style="dim", soft_wrap=True)


def _largest(piece: Sequence[_Figure]) -> Decimal | None:
    return max((each.value for each in piece if each.value is not None), key=abs, default=None)


def _widened(line: str, wide: int) -> str:
    return (line if wide == 1 else "".join(cell * (wide - 1) + " " for cell in line)).rstrip()


def _who(customer: str | None, group: dict[str, str | None]) -> str:
    who = "everybody" if customer is None else printable(customer)
    values = ", ".join(f"{printable(name)}={'-' if text is None else printable(text)}" for name, text in group.items())
    return f"{who} {values}".strip()


def _change(step: _Step) -> str | None:
    if step.base is None:
        return None
    return "from nothing" if step.change is None else f"{step.change:f}"
