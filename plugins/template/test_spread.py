"""The spread keeps the rules of every aggregation, and is what its name says."""

from __future__ import annotations

from decimal import Decimal

from tallystick.testing.aggregator_check import check_aggregator
from tallystick.testing.plugin_figure import figure_of
from tallystick_spread import Spread


def test_the_spread_keeps_the_rules() -> None:
    check_aggregator(Spread, options={"factor": 2})


def test_the_spread_is_the_largest_value_minus_the_smallest() -> None:
    amounts = [Decimal(3), Decimal(-1), Decimal("9.5")]
    assert figure_of(Spread, amount=amounts) == Decimal("10.5")
    assert figure_of(Spread, options={"factor": "0.1"}, amount=amounts) == Decimal("1.05")
