"""Every built-in aggregator keeps the rules that plugins must keep."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
import pytest

from tallystick.errors import InvalidDefinition
from tallystick.meter import Meter
from tallystick.testing.aggregator_check import check_aggregator
from tallystick.usage.aggregators import (
    SeriesAggregator,
    aggregators,
    check_aggregation,
)
from tallystick.usage.aggregators.duration import Duration
from tallystick.usage.aggregators.level import Level
from tallystick.usage.aggregators.running_total import RunningTotal
from tallystick.usage.aggregators.sum import Sum
from tests.core.usage.asking import meter


@pytest.mark.parametrize("name", sorted(aggregators()))
def test_a_built_in_aggregator_keeps_the_rules(name: str) -> None:
    check_aggregator(aggregators()[name], meter(name), examples=40)


def test_distinct_combinations_of_several_fields_keep_the_rules() -> None:
    check_aggregator(
        aggregators()["unique"], meter("unique", fields=("customer", "value", "properties.ip")), examples=40
    )


@pytest.mark.parametrize("aggregator", [RunningTotal, Level, Duration])
def test_levels_that_fall_to_0_between_events_keep_the_rules(aggregator: type[SeriesAggregator]) -> None:
    class Impatient(aggregator):
        """The check's events are nanoseconds apart, and so must the timeout be."""

        def __init__(self, meter: Meter) -> None:
            super().__init__(meter)
            self.timeout_ns = 3

    check_aggregator(Impatient, meter(aggregator.name), examples=100)


def test_the_check_finds_an_aggregator_that_forgets_a_stretch_of_time() -> None:
    class Forgetful(Sum):
        def merge(self, states: pl.LazyFrame, keys: Sequence[str]) -> pl.LazyFrame:
            return super().merge(states, keys).with_columns(pl.col("low") * 0)

    with pytest.raises(AssertionError, match="merging"):
        check_aggregator(Forgetful, meter("sum"), examples=40)


def test_the_check_finds_an_aggregator_that_looks_at_the_order_of_rows() -> None:
    class Hasty(Sum):
        def fold(self, events: pl.LazyFrame, keys: Sequence[str]) -> pl.LazyFrame:
            return super().fold(events.with_columns(pl.col("added").first()), keys)

    with pytest.raises(AssertionError, match="another order"):
        check_aggregator(Hasty, meter("sum"), examples=100)


def test_an_unknown_aggregation_is_refused_with_the_names_that_there_are() -> None:
    with pytest.raises(InvalidDefinition, match=r"'median' is unknown; there are .*sum") as refused:
        check_aggregation("median")
    assert refused.value.field == "aggregation"
