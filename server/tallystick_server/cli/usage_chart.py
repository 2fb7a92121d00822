"""A usage answer as charts in text: columns over time, one chart for each group, all to the same scale; without windows, a bar a group.

Promises: readable without colour and at 80 columns, in a pipe too; the largest figure and the zero are written at the side, times below.
Where there are more windows than columns, several windows share one, and the largest of them is drawn; the line below says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from .bars import lying_bars
from .client import decode
from .column_chart import ColumnChart
from .terminal import Terminal, shown
from .usage_reply import UsageReply, UsageRow, group_name, heading, local_time

if TYPE_CHECKING:
    from rich.console import Console

_COLOURS: Final = ("cyan", "green", "yellow", "magenta", "blue", "red")
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
    names = [_cut(group_name(total.group), console.width // 3) for total in totals]
    figures = [shown(total.value) for total in totals]
    wide, long = max(map(len, names)), max(map(len, figures))
    lying = lying_bars([total.value for total in totals], max(console.width - wide - long - 4, 8))
    console.print()
    for at, (name, figure, bar) in enumerate(zip(names, figures, lying, strict=True)):
        colour = _COLOURS[at % len(_COLOURS)]
        console.print(Text.assemble(f"{name:<{wide}}  ", (bar, colour), f"  {figure}"), soft_wrap=True)


def _charts(console: Console, reply: UsageReply, zone: ZoneInfo) -> None:
    groups = _by_group(reply)
    figures = [row.value for rows in groups for row in rows]
    chart = ColumnChart.of(figures, count=max(map(len, groups)), console=console, label=_short)
    height = next((height for count, height in _HEIGHTS if len(groups) <= count), _LOW)
    for at, rows in enumerate(groups):
        values = [row.value for row in rows]
        chart.draw(console, _title(rows, reply, at), values, height=height, colour=_COLOURS[at % len(_COLOURS)])
    chart.draw_base(console)
    chart.draw_below(console, _times(groups[0], zone, width=chart.width))
    note = (
        f"a column a {reply.window}"
        if chart.share == 1
        else f"a column is {chart.share} {reply.window}s, the largest of them drawn"
    )
    chart.draw_below(console, note)


def _times(rows: Sequence[UsageRow], zone: ZoneInfo, *, width: int) -> str:
    """Return the first, a middle and the last time, as many as there is room for."""
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
    return line


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
    words = [group_name(rows[0].group), f"total {shown(total.value)}"]
    if reply.compared_with is not None:
        percent = total.change_percent
        words.append(f"before {shown(total.previous)}" + ("" if percent is None else f" ({percent:+f} %)"))
    return "   ".join(word for word in words if word)


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: max(width - 1, 1)] + "…"


def _short(figure: Decimal) -> str:
    """Return a figure in few characters; the exact ones are in the table and in the titles."""
    for power, unit in ((12, "T"), (9, "G"), (6, "M"), (3, "k")):
        if abs(figure) >= Decimal(10) ** power * 10:
            return f"{figure.scaleb(-power):,.1f}{unit}"
    return f"{figure:,.2f}".rstrip("0").rstrip(".") if figure % 1 else f"{figure:,.0f}"
