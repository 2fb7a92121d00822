"""What the demonstration prints: the checks, the tables, the little bars."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from tallystick.instant import format_instant
from tallystick_server.cli.terminal import Cell, Column, Terminal, shown

from .figures import Check, Slice
from .trace import CUSTOMER_RULE

_EIGHTHS: Final = " ▏▎▍▌▋▊▉█"
BAR_WIDTH: Final = 16


def show_checks(terminal: Terminal, checks: list[Check]) -> None:
    """Write every figure beside the published one."""
    terminal.heading("Counted, beside what the dataset's authors published")
    columns = [
        Column("service"),
        Column("meter"),
        Column("counted", numeric=True),
        Column("published", numeric=True),
        Column(""),
    ]
    rows: list[list[Cell]] = [
        [
            check.service,
            check.meter,
            check.counted,
            check.published,
            mark(is_good=check.agrees),
        ]
        for check in checks
    ]
    terminal.table(columns, rows)
    terminal.paragraph(f"The trace names no customers: {CUSTOMER_RULE}.")


def show_slices(terminal: Terminal, slices: list[Slice]) -> None:
    """Write the usage of every five minutes, with bars for the generated tokens."""
    terminal.heading("Usage by five minutes (UTC)")
    most = max((piece.figures["generated_tokens"] for piece in slices), default=Decimal(0))
    columns = [
        Column("from"),
        Column("requests", numeric=True),
        Column("context tokens", numeric=True),
        Column("generated tokens", numeric=True),
        Column(""),
    ]
    rows: list[list[Cell]] = [
        [
            format_instant(piece.start)[11:16],
            piece.figures["requests"],
            piece.figures["context_tokens"],
            piece.figures["generated_tokens"],
            bar(piece.figures["generated_tokens"], most),
        ]
        for piece in slices
    ]
    terminal.table(columns, rows)


def show_customers(terminal: Terminal, customers: list[tuple[str, dict[str, Decimal]]]) -> None:
    """Write the customers with the most usage."""
    terminal.heading(f"Top {len(customers)} customers by generated tokens")
    most = max((figures["generated_tokens"] for _, figures in customers), default=Decimal(0))
    columns = [
        Column("customer"),
        Column("requests", numeric=True),
        Column("context tokens", numeric=True),
        Column("generated tokens", numeric=True),
        Column(""),
    ]
    rows: list[list[Cell]] = [
        [
            customer,
            figures["requests"],
            figures["context_tokens"],
            figures["generated_tokens"],
            bar(figures["generated_tokens"], most),
        ]
        for customer, figures in customers
    ]
    terminal.table(columns, rows)
    terminal.paragraph(f"Dealt out by rule: {CUSTOMER_RULE}.")


def mark(*, is_good: bool) -> str:
    """Return the sign of a thing that is as it should be, or not."""
    return "✓" if is_good else "✗"


def bar(value: Decimal, most: Decimal) -> str:
    """Return a bar whose length is the value's share of the largest, to an eighth of a character."""
    if most <= 0:
        return ""
    eighths = int(value * BAR_WIDTH * 8 / most)
    return "█" * (eighths // 8) + (_EIGHTHS[eighths % 8] if eighths % 8 else "")


def size_of(count: int) -> str:
    """Return bytes as people read them."""
    return f"{count / 1024 / 1024:.1f} MiB" if count >= 1024 * 1024 else f"{shown(count)} bytes"
