"""The figures that Tallystick promises to reach, and the table that says whether it did."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from rich import box
from rich.table import Table


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One row: what was measured, and what it must and should be. `is_ceiling`: less is better."""

    name: str
    measured: float
    must: float
    aim: float
    unit: str = "times"
    is_ceiling: bool = False
    evidence: str = ""

    @property
    def passes(self) -> bool:
        """Whether the figure is what it must be."""
        return self.measured <= self.must if self.is_ceiling else self.measured >= self.must

    @property
    def reaches_aim(self) -> bool:
        """Whether the figure is what it should be."""
        return self.measured <= self.aim if self.is_ceiling else self.measured >= self.aim

    @property
    def verdict(self) -> str:
        """The answer in a word."""
        if self.reaches_aim:
            return "aim"
        return "pass" if self.passes else "SHORT"


class Rate(msgspec.Struct, frozen=True, kw_only=True):
    """One run of the generator of load. `cpu_us_per_event` is the server's processor time, which a busy machine blurs least."""

    subject: str
    batch: int
    requests_per_s: float
    p50_ms: float
    p99_ms: float
    cpu_us_per_event: float | None

    @property
    def events_per_s(self) -> float:
        """Events answered a second."""
        return self.requests_per_s * self.batch


def medians(runs: Sequence[Rate]) -> list[Rate]:
    """Return, for each subject and batch, the run in the middle (the lower of two), in the order in which they first came."""
    grouped: dict[tuple[str, int], list[Rate]] = {}
    for run in runs:
        grouped.setdefault((run.subject, run.batch), []).append(run)
    return [sorted(group, key=lambda run: run.requests_per_s)[(len(group) - 1) // 2] for group in grouped.values()]


def number(value: float) -> str:
    """Write a figure with three digits or so."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"


def rates_table(rates: Sequence[Rate]) -> Table:
    """Lay out what every subject reached."""
    table = Table(box=box.SIMPLE_HEAD, title="events a second over HTTP, 64 connections", title_justify="left")
    table.add_column("subject")
    for heading in ("batch", "requests/s", "events/s", "p50 ms", "p99 ms", "CPU µs/event"):
        table.add_column(heading, justify="right")
    for rate in rates:
        table.add_row(
            rate.subject,
            str(rate.batch),
            number(rate.requests_per_s),
            number(rate.events_per_s),
            number(rate.p50_ms),
            number(rate.p99_ms),
            "" if rate.cpu_us_per_event is None else number(rate.cpu_us_per_event),
        )
    return table


def figures_table(figures: Sequence[Figure]) -> Table:
    """Lay out the promises beside what was measured."""
    table = Table(box=box.SIMPLE_HEAD, title="figures", title_justify="left")
    table.add_column("figure", overflow="fold")
    for heading in ("measured", "must", "aim"):
        table.add_column(heading, justify="right")
    table.add_column("unit")
    table.add_column("verdict")
    table.add_column("from", overflow="fold")
    for figure in figures:
        sign = "≤" if figure.is_ceiling else "≥"
        table.add_row(
            figure.name,
            number(figure.measured),
            f"{sign} {number(figure.must)}",
            f"{sign} {number(figure.aim)}",
            figure.unit,
            figure.verdict,
            figure.evidence,
        )
    return table
