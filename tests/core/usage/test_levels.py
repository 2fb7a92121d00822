"""Levels and durations, one rule a test; the worked examples of the page on meters among them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tallystick.instant import format_instant
from tallystick.usage.answer import UsageAnswer
from tallystick.usage.question import WindowSize
from tests.core.usage.asking import ask, call, meter, question

UP_AND_DOWN = [
    call("2026-11-01T10:00:00Z", value="1"),
    call("2026-11-01T10:10:00Z", value="1"),
    call("2026-11-01T10:40:00Z", value="-1"),
]
MORNING = question("2026-11-01T09:00:00Z", "2026-11-01T13:00:00Z", window=WindowSize.HOUR)


def by_hour(answer: UsageAnswer) -> dict[str, Decimal | None]:
    return {format_instant(row.start)[11:13]: row.value for row in answer.rows}


@pytest.mark.parametrize(
    ("statistic", "ten", "later"),
    [("peak", "2", "1"), ("closing", "1", "1"), ("average", "1.5", "1"), ("low", "1", "1"), (None, "2", "1")],
)
def test_a_running_total_stands_until_it_is_moved_again(statistic: str | None, ten: str, later: str) -> None:
    answer = ask(UP_AND_DOWN, MORNING, meter("running_total", statistic=statistic))
    assert by_hour(answer) == {"10": Decimal(ten), "11": Decimal(later), "12": Decimal(later)}
    assert [row.events for row in answer.rows] == [3, 0, 0]


@pytest.mark.parametrize(
    ("statistic", "ten", "eleven"),
    [("peak", "2", "1"), ("closing", "1", "0"), ("average", "1.5", "0.333333333333"), ("low", "1", "0")],
)
def test_a_running_total_falls_to_0_after_its_timeout(statistic: str, ten: str, eleven: str) -> None:
    answer = ask(UP_AND_DOWN, MORNING, meter("running_total", statistic=statistic, timeout=2400))
    assert by_hour(answer) == {"10": Decimal(ten), "11": Decimal(eleven)}
