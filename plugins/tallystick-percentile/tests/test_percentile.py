"""Percentiles: the rules of every aggregator, the bound that is promised, and the library's own answers."""

from __future__ import annotations

from collections import Counter
from decimal import ROUND_CEILING, Decimal
from fractions import Fraction
from itertools import pairwise
from random import Random

import msgspec
import polars as pl
import pytest
from ddsketch import DDSketch
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.plugin import Batch
from tallystick.testing.aggregator_check import check_aggregator
from tallystick.testing.plugin_figure import figure_of
from tallystick_percentile import Percentile, PercentileOptions
from tallystick_percentile.buckets import buckets_of
from tallystick_percentile.distribution import Distribution

values = st.decimals(-(10**6), 10**6, places=6) | st.integers(-3, 3).map(Decimal) | st.sampled_from(
    [Decimal("1E-12"), Decimal("-1E-12"), Decimal("9E25"), Decimal("-9E25")]
)  # fmt: skip


def percentile(numbers: list[Decimal], p: str, **options: object) -> Decimal:
    found = figure_of(Percentile, options={"p": p, **options}, amount=numbers)
    assert found is not None
    return found


def true_percentile(numbers: list[Decimal], p: str) -> Decimal:
    rank = (Decimal(p) * len(numbers) / 100).to_integral_value(ROUND_CEILING)
    return sorted(numbers)[max(int(rank), 1) - 1]


@pytest.mark.parametrize("exact_up_to", [0, 3, 1_000])
def test_percentiles_keep_the_rules(exact_up_to: int) -> None:
    check_aggregator(Percentile, options={"p": 90, "exact_up_to": exact_up_to}, examples=60)


@pytest.mark.parametrize(
    ("p", "expected"), [("0", 1), ("10", 1), ("10.1", 2), ("50", 5), ("90", 9), ("99.9", 10), ("100", 10)]
)
def test_the_figure_of_few_values_is_the_nearest_rank(p: str, expected: int) -> None:
    assert percentile([Decimal(number) for number in (10, 1, 9, 2, 8, 3, 7, 4, 6, 5)], p) == expected


@given(st.lists(values, min_size=1, max_size=60), st.sampled_from(["0", "1", "50", "95", "99.9", "100"]))
@settings(max_examples=150, deadline=None)
def test_few_values_are_answered_exactly(numbers: list[Decimal], p: str) -> None:
    assert percentile(numbers, p) == true_percentile(numbers, p)


@given(
    st.lists(values, min_size=1, max_size=60),
    st.sampled_from(["0", "1", "50", "95", "99.9", "100"]),
    st.sampled_from(["0.001", "0.01", "0.2"]),
)
@settings(max_examples=300, deadline=None)
def test_many_values_are_answered_within_the_accuracy(numbers: list[Decimal], p: str, accuracy: str) -> None:
    found, true = percentile(numbers, p, accuracy=accuracy, exact_up_to=0), true_percentile(numbers, p)
    # A float on a border may fall into the next bucket: that is 10^-15 of the value.
    assert abs(Fraction(found) - Fraction(true)) <= (Fraction(accuracy) + Fraction(1, 10**12)) * abs(Fraction(true))


def test_the_buckets_answer_as_the_library_does() -> None:
    random = Random(7)
    numbers = [Decimal(random.randrange(-(10**9), 10**12)).scaleb(-4) for _ in range(3_001)]
    library = DDSketch(0.01)
    for number in numbers:
        library.add(float(number))
    for p in (10, 50, 95, 99):
        # The library takes rank floor(q (n - 1)) + 1, which is the nearest rank here: 3,000 is a multiple of what p divides by.
        rank = 3_000 * p // 100 + 1
        expected = library.get_quantile_value(p / 100)
        assert expected is not None
        asked = str(((rank - Decimal("0.5")) * 100 / 3_001).quantize(Decimal("1E-9")))
        assert float(percentile(numbers, asked, exact_up_to=0)) == expected


def test_a_distribution_turns_into_buckets_by_what_it_holds_and_not_by_how_it_came() -> None:
    plugin = Percentile(PercentileOptions(p=Decimal(50), exact_up_to=4), "value")
    numbers = [Decimal(number) for number in range(-3, 4)]

    def folded(cuts: list[int]) -> Distribution:
        edges = [0, *sorted(cuts), len(numbers)]
        states = [plugin.fold(Batch.of(amount=numbers[start:end])) for start, end in pairwise(edges) if start < end]
        state = states[0]
        for other in states[1:]:
            state = plugin.merge(state, other)
        return state

    assert {msgspec.msgpack.encode(folded(cuts)) for cuts in ([], [1], [3], [2, 5], [1, 2, 3, 4, 5, 6])} == {
        msgspec.msgpack.encode(folded([4]))
    }
    assert folded([]).exact is None
    assert plugin.fold(Batch.of(amount=numbers[:4] * 9)).exact is not None


def test_smallest_and_largest_stay_exact_among_a_hundred_thousand_values() -> None:
    numbers = [Decimal(number) / 7 for number in range(1, 100_001)]
    rounded = [number.quantize(Decimal("1E-12")) for number in numbers]
    assert percentile(rounded, "0") == rounded[0]
    assert percentile(rounded, "100") == rounded[-1]
    assert abs(percentile(rounded, "50") / rounded[49_999] - 1) < Decimal("0.0101")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "missing required field `p`"),
        ({"p": 101}, "p is 101, and must be 0 to 100"),
        ({"p": -1}, "p is -1, and must be 0 to 100"),
        ({"p": 50, "accuracy": 0}, "accuracy is 0, and must be 0.001 to 0.2"),
        ({"p": 50, "exact_up_to": 10_001}, "<= 10000"),
        ({"p": 50, "q": 1}, "unknown field `q`"),
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, object], said: str) -> None:
    with pytest.raises(msgspec.ValidationError) as refused:
        msgspec.convert(options, PercentileOptions)
    assert said in str(refused.value)


@given(st.lists(values, min_size=1, max_size=60), st.sampled_from([0.001, 0.01, 0.2]))
@settings(max_examples=200, deadline=None)
def test_a_value_falls_into_the_same_bucket_alone_in_a_column_and_in_counts(
    numbers: list[Decimal], accuracy: float
) -> None:
    buckets = buckets_of(accuracy)
    column = pl.Series(numbers, dtype=pl.Decimal(38, 12))
    singly = [buckets.counted(column[place : place + 1]) for place in range(len(column))]
    negative, zeros, positive = Counter[int](), 0, Counter[int]()
    for below, nothing, above in singly:
        negative.update(below)
        positive.update(above)
        zeros += nothing
    expected = (dict(sorted(negative.items())), zeros, dict(sorted(positive.items())))
    assert buckets.counted(column) == expected
    assert buckets.weighted(dict(Counter(numbers))) == expected
