"""A usage answer as tables: rows by window and group, then the totals of the range, each with a bar for a person."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from .client import decode
from .terminal import Cell, Column, Terminal
from .usage_reply import UsageFigure, UsageReply, heading, local_time


def show_usage(terminal: Terminal, body: bytes, *, zone_name: str, totals_only: bool) -> None:
    """Write the rows (and for a person the totals below them), or the totals alone."""
    reply = decode(body, UsageReply)
    if terminal.for_person:
        terminal.say(heading(reply, zone_name))
        terminal.say("")
    if not totals_only and not (terminal.for_person and reply.window == "total"):
        _show_rows(terminal, reply, ZoneInfo(zone_name))
        if terminal.for_person and reply.rows:
            terminal.say("")
    if totals_only or terminal.for_person:
        columns = [*(Column(name) for name in reply.names), *_figure_columns(reply, "total")]
        rows = [[*_group(total, reply), *_figures(total, reply)] for total in reply.totals]
        bars = [total.value for total in reply.totals]
        terminal.table(columns, rows, bars=bars, empty="No usage in this range.")


def _show_rows(terminal: Terminal, reply: UsageReply, zone: ZoneInfo) -> None:
    heads = [Column(reply.window)] if terminal.for_person else [Column("start"), Column("end")]
    columns = [*heads, *(Column(name) for name in reply.names), *_figure_columns(reply, "value")]
    rows: list[list[Cell]] = []
    for row in reply.rows:
        window: list[Cell] = [local_time(row.start, zone)] if terminal.for_person else [row.start, row.end]
        rows.append([*window, *_group(row, reply), *_figures(row, reply)])
    terminal.table(columns, rows, bars=[row.value for row in reply.rows])


def _figure_columns(reply: UsageReply, title: str) -> list[Column]:
    titles = [title, "events"]
    if reply.compared_with is not None:
        titles += ["previous", "change", "change %"]
    return [Column(each, numeric=True) for each in titles]


def _figures(figure: UsageFigure, reply: UsageReply) -> list[Cell]:
    own: list[Cell] = [figure.value, figure.events]
    return own if reply.compared_with is None else [*own, figure.previous, figure.change, figure.change_percent]


def _group(figure: UsageFigure, reply: UsageReply) -> list[Cell]:
    return [figure.group.get(name) for name in reply.names]
