"""Weighted sums: the rules of every aggregator, and figures that a person can follow."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.testing.aggregator_check import check_aggregator
from tallystick.testing.plugin_figure import figure_of
from tallystick_weighted import Weighted, WeightedOptions

TABLE: dict[str, object] = {
    "property": "model",
    "weights": {"large": "0.015", "small": "0.002", "1": 3},
    "otherwise": "0.5",
}
LARGEST = Decimal("99999999999999999999999999.999999999999")


def weighted(amounts: list[Decimal], models: list[str], **options: object) -> Decimal | None:
    return figure_of(Weighted, options=TABLE | options, amount=amounts, chosen=models)


def test_weighted_sums_keep_the_rules() -> None:
    check_aggregator(Weighted, options=TABLE, field="properties.tokens", texts=["large", "small"])


def test_each_event_counts_by_its_row_of_the_table() -> None:
    amounts = [Decimal(1_000), Decimal(1_000), Decimal(10), Decimal(7)]
    assert weighted(amounts, ["large", "small", "medium", "1"]) == 15 + 2 + 5 + 21


def test_an_event_without_the_property_has_the_weight_of_those_not_in_the_table() -> None:
    plugin = Weighted(msgspec.convert(TABLE, WeightedOptions), "value")
    chosen = plugin.inputs["chosen"]
    assert chosen.field == "properties.model"
    assert chosen.if_missing is not None
    assert weighted([Decimal(4)], [chosen.if_missing]) == 2


@given(
    st.lists(
        st.tuples(st.decimals(-1_000, 1_000, places=6), st.sampled_from(["large", "small", "1", "other", ""])),
        min_size=1,
        max_size=40,
    )
)
@settings(max_examples=100, deadline=None)
def test_the_figure_is_that_of_a_few_plain_lines(events: list[tuple[Decimal, str]]) -> None:
    prices = {"large": Fraction("0.015"), "small": Fraction("0.002"), "1": Fraction(3)}
    expected = sum((Fraction(amount) * prices.get(model, Fraction(1, 2)) for amount, model in events), Fraction(0))
    found = weighted([amount for amount, _ in events], [model for _, model in events])
    assert found is not None
    assert Fraction(found) == expected


def test_large_sums_that_cancel_leave_the_small_one_between_them() -> None:
    weights = {"a": "99999999999999.999999999999", "b": "-99999999999999.999999999999", "c": "0.000000000001"}
    amounts = [LARGEST, LARGEST, Decimal(1)]
    assert weighted(amounts, ["a", "b", "c"], weights=weights) == Decimal("0.000000000001")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"weights": {}}, "length >= 1"),
        ({"weights": {"large": "much"}}, "decimal"),
        ({"property": ""}, "length >= 1"),
        ({"table": {}}, "unknown field `table`"),
    ],
)
def test_a_table_that_is_none_is_refused(options: dict[str, object], said: str) -> None:
    with pytest.raises(msgspec.ValidationError) as refused:
        msgspec.convert(TABLE | options, WeightedOptions)
    assert said.lower() in str(refused.value).lower()
