"""The page on meters says what the product does: its names, its limits and its worked example."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from tallystick.amount import plain
from tallystick.usage.aggregators import aggregators
from tallystick.usage.aggregators.unique import FIELDS_MAX
from tallystick.usage.arrange_answer import ROWS_MAX
from tallystick.usage.check_question import GROUP_BY_MAX, LIMIT_MAX
from tallystick.usage.event_filter import NAMES_MAX, TEXTS_MAX
from tallystick.usage.meter_definition import DIMENSIONS_MAX, NAME_LENGTH_MAX, UNIT_LENGTH_MAX
from tallystick.usage.question import UsageQuestion, WindowSize
from tallystick.usage.windows import WINDOWS_MAX
from tests.core.usage.asking import ask, call, meter, question

PAGE = (Path(__file__).parents[3] / "docs" / "meters.md").read_text(encoding="utf-8")

EVENTS = [
    call("2026-11-02T09:10:00Z", value="0.1", ip="10.0.0.1", tokens=Decimal(812)),
    call("2026-11-02T09:20:00Z", value="0.1", ip="10.0.0.1", tokens="1.50"),
    call("2026-11-02T09:50:00Z", value="0.1", ip="10.0.0.2", tokens="many"),
    call("2026-11-02T10:05:00Z", value="2", customer="beta", ip="10.0.0.2", tokens=Decimal("1e3")),
    call("2026-11-02T10:30:00Z", value="-0.5", customer="beta", tokens=True),
    call("2026-11-02T10:40:00Z", customer="beta"),
]


def test_every_aggregation_has_its_line() -> None:
    for name in aggregators():
        assert f"| `{name}` |" in PAGE


def test_every_window_is_named() -> None:
    for size in WindowSize:
        assert f"`{size}`" in PAGE


@pytest.mark.parametrize(
    "line",
    [
        f"up to {FIELDS_MAX} of them",
        f"1 to {NAME_LENGTH_MAX} characters",
        f"up to {UNIT_LENGTH_MAX} characters",
        f"up to {DIMENSIONS_MAX} names",
        f"At most {NAMES_MAX} names, {TEXTS_MAX:,} values each",
        f"up to {GROUP_BY_MAX} of `customer`",
        f"at most {ROWS_MAX:,} rows",
    ],
)
def test_every_limit_is_as_the_page_says(line: str) -> None:
    assert line in PAGE
    assert ROWS_MAX == WINDOWS_MAX == LIMIT_MAX


@pytest.mark.parametrize(
    ("line", "aggregation", "field"),
    [
        ("count", "count", "value"),
        ("sum` of `value", "sum", "value"),
        ("min` of `value", "min", "value"),
        ("max` of `value", "max", "value"),
        ("avg` of `value", "avg", "value"),
        ("latest` of `value", "latest", "value"),
        ("sum` of `properties.tokens", "sum", "properties.tokens"),
        ("unique` of `properties.ip", "unique", "properties.ip"),
        ("count` of `properties.ip", "count", "properties.ip"),
    ],
)
def test_the_worked_example_comes_out_as_printed(line: str, aggregation: str, field: str) -> None:
    asked: UsageQuestion = question(window=WindowSize.HOUR)
    answer = ask(EVENTS, asked, meter(aggregation, field=field))
    figures = [row.value for row in answer.rows] + [total.value for total in answer.totals]
    printed = " | ".join(plain(figure) for figure in figures if figure is not None)
    assert f"| `{line}` | {printed} |" in PAGE.replace("**", "")
