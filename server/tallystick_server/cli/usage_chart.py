"""A usage answer as charts in text: columns over time, one chart for each group, all to the same scale; without windows, a bar a group.

Promises: readable without colour and at 80 columns, in a pipe too; the largest figure and the zero are written at the side, times below.
Where there are more windows than columns, several windows share one, and the largest of them is drawn; the line below says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from .bars import lying_bars, standing_bars
from .client import decode
from .printable import printable
from .terminal import Terminal, shown
from .usage_reply import UsageReply, UsageRow, heading, local_time

if TYPE_CHECKING:
    from rich.console import Console

_COLOURS: Final = ("cyan", "green", "yellow", "magenta", "blue", "red")
_COLUMN_MAX: Final = 6
_HEIGHTS: Final = ((1, 12), (2, 8), (4, 5), (8, 4))
_LOW: Final = 3
_GROUPS_MAX: Final = 24


def show_chart(terminal: Terminal, body: bytes, *, zone_name: str) -> None:
    """Write the answer as charts."""
    reply = decode(body, UsageReply)
    terminal.say(heading(reply, zone_name))
    if not reply.totals:
        terminal.say("No usage in this range.")
        return
    console = terminal.console()
    if reply.window == "total":
        _bars(console, reply)
    else:
        _charts(console, reply, ZoneInfo(zone_name))
    left = len(reply.totals) - _GROUPS_MAX
    if left > 0:
        terminal.say(f"{left:,} groups more: --top keeps the largest.")


def _bars(console: Console, reply: UsageReply) -> None:
    from rich.text import Text

    totals = reply.totals[:_GROUPS_MAX]
    names = [_cut(_name(total.group), console.width // 3) for total in totals]
    figures = [shown(total.value) for total in totals]
    wide, long = max(map(len, names)), max(map(len, figures))
    lying = lying_bars([total.value for total in totals], max(console.width - wide - long - 4, 8))
    console.print()
    for at, (name, figure, bar) in enumerate(zip(names, figures, lying, strict=True)):
        colour = _COLOURS[at % len(_COLOURS)]
        console.print(Text.assemble(f"{name:<{wide}}  ", (bar, colour), f"  {figure}"), soft_wrap=True)


def _charts(console: Console, reply: UsageReply, zone: ZoneInfo) -> None:
    groups = _by_group(reply)
    figures = [row.value for rows in groups for row in rows if row.value is not None]
    top, bottom = max([*figures, Decimal(0)]), min([*figures, Decimal(0)])
    labels = [_short(top), "0" if bottom == 0 else _short(bottom)]
    margin = max(map(len, labels))
    width = max(console.width - margin - 2, 10)
    windows = max(map(len, groups))
    share = -(-windows // width)
    columns = -(-windows // share)
    wide = max(min(width // columns, _COLUMN_MAX), 1)
    height = next((height for count, height in _HEIGHTS if len(groups) <= count), _LOW)
    for at, rows in enumerate(groups):
        values = _shared([row.value for row in rows], share)
        lines = [_widened(line, wide) for line in standing_bars(values, top=top, bottom=bottom, height=height)]
        _chart(console, _title(rows, reply, at), lines, labels, margin, _COLOURS[at % len(_COLOURS)])
    _axis(console, groups[0], zone, margin=margin, width=columns * wide)
    note = (
        f"a column a {reply.window}"
        if share == 1
        else f"a column is {share} {reply.window}s, the largest of them drawn"
    )
    console.print(f"{' ' * (margin + 2)}{note}", style="dim", soft_wrap=True)


def _chart(console: Console, title: str, lines: Sequence[str], labels: Sequence[str], margin: int, colour: str) -> None:
    from rich.text import Text

    console.print()
    console.print(Text(title, style="bold"), soft_wrap=True)
    for number, line in enumerate(lines):
        label = labels[0] if number == 0 else labels[1] if number == len(lines) - 1 else ""
        text = Text.assemble((f"{label:>{margin}} ", "dim"), ("┤" if label else "│", "dim"), (line.rstrip(), colour))
        console.print(text, soft_wrap=True)


def _axis(console: Console, rows: Sequence[UsageRow], zone: ZoneInfo, *, margin: int, width: int) -> None:
    """Print the line below and the first, a middle and the last time, as many as there is room for."""
    console.print(f"{' ' * margin} └{'─' * width}", style="dim", soft_wrap=True)
    times = [local_time(row.start, zone) for row in (rows[0], rows[len(rows) // 2], rows[-1])]
    if len({time[:10] for time in times}) == 1 and len(times[-1]) > len("2026-11-01"):
        times = [time[11:] or "00:00" for time in times]
    first, middle, last = times
    line = first
    if len(rows) > 1 and width >= len(first) + len(last) + 2:
        line = f"{first}{last:>{width - len(first)}}"
        place = width // 2 - len(middle) // 2
        if len(rows) > 2 and place > len(first) and place + len(middle) < width - len(last):  # noqa: PLR2004 - one between two
            line = line[:place] + middle + line[place + len(middle) :]
    console.print(f"{' ' * (margin + 2)}{line}", style="dim", soft_wrap=True)


def _by_group(reply: UsageReply) -> list[list[UsageRow]]:
    """Return the rows of each group, which stand beside each other, in the order of the answer."""
    groups: list[list[UsageRow]] = []
    for row in reply.rows:
        if not groups or groups[-1][0].group != row.group:
            groups.append([])
        groups[-1].append(row)
    return groups[:_GROUPS_MAX]


def _title(rows: Sequence[UsageRow], reply: UsageReply, at: int) -> str:
    total = reply.totals[at]
    words = [_name(rows[0].group), f"total {shown(total.value)}"]
    if reply.compared_with is not None:
        percent = total.change_percent
        words.append(f"before {shown(total.previous)}" + ("" if percent is None else f" ({percent:+f} %)"))
    return "   ".join(word for word in words if word)


def _name(group: dict[str, str | None]) -> str:
    return ", ".join(f"{printable(name)}={'-' if text is None else printable(text)}" for name, text in group.items())


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: max(width - 1, 1)] + "…"


def _shared(values: Sequence[Decimal | None], share: int) -> list[Decimal | None]:
    """Return the largest size of each `share` values."""
    pieces = (values[start : start + share] for start in range(0, len(values), share))
    return [max((each for each in piece if each is not None), key=abs, default=None) for piece in pieces]


def _widened(line: str, wide: int) -> str:
    """Return the line with each cell so wide, a gap between two columns where there is room for one."""
    if wide == 1:
        return line
    return "".join(cell * (wide - 1) + " " for cell in line)


def _short(figure: Decimal) -> str:
    """Return a figure in few characters; the exact ones are in the table and in the titles."""
    for power, unit in ((12, "T"), (9, "G"), (6, "M"), (3, "k")):
        if abs(figure) >= Decimal(10) ** power * 10:
            return f"{figure.scaleb(-power):,.1f}{unit}"
    return f"{figure:,.2f}".rstrip("0").rstrip(".") if figure % 1 else f"{figure:,.0f}"
