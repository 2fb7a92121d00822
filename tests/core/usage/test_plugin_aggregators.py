"""A plugin as an aggregator: the same figures as a built-in one, and every way in which its code can go wrong."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import polars as pl
import pytest

from tallystick.amount import EXACT
from tallystick.cancellation import Cancellation, Cancelled
from tallystick.errors import InvalidDefinition, PluginFailed
from tallystick.plugin import AggregatorPlugin, Batch, NoOptions
from tallystick.testing.aggregator_check import check_aggregator
from tallystick.usage.aggregators.plugin_aggregator import AnyPlugin, PluginAggregator
from tallystick.usage.aggregators.sum import Sum
from tallystick.usage.event_frames import VALUE_TYPE
from tallystick.usage.figure import HIGH, LOW, figure
from tests.core.usage.asking import meter
from tests.core.usage.sample_plugins import (
    FloatSum,
    KeepsLeft,
    LastOfABatch,
    NewerTotal,
    PlainSum,
    Rarest,
    Total,
    Unequal,
    bind,
)

KEYS = ["group 0", "window"]
LARGEST = Decimal("99999999999999999999999999.999999999999")


def frame(column: str, values: list[Decimal]) -> pl.LazyFrame:
    count = len(values)
    return pl.LazyFrame(
        {
            "group 0": pl.Series([("a", "b", None)[place % 3] for place in range(count)], dtype=pl.String),
            "window": pl.Series([place % 2 for place in range(count)], dtype=pl.Int32),
            "time": pl.Series(range(count), dtype=pl.Int64),
            "position": pl.Series(range(count), dtype=pl.Int64),
            column: pl.Series(values, dtype=VALUE_TYPE),
        }
    )


def test_a_sum_in_plain_python_keeps_the_rules_and_agrees_with_the_one_in_columns() -> None:
    check_aggregator(PlainSum, field="properties.n", examples=40)
    check_aggregator(Sum, meter("sum", field="properties.n"), examples=20)
    values = [LARGEST, LARGEST, LARGEST.copy_negate(), Decimal("0.1"), Decimal(0), Decimal("-2.5"), LARGEST] * 5
    built_in, plugin = Sum(meter("sum")), bind(PlainSum, meter("plain"))
    for keys in (KEYS, ["group 0"]):
        figures = [
            aggregator.read(aggregator.fold(frame(aggregator.operands[0].column, values), keys), keys)
            .collect()
            .sort(keys)
            for aggregator in (built_in, plugin)
        ]
        assert figures[0].select(*keys, "events", HIGH, LOW).equals(figures[1].select(*keys, "events", HIGH, LOW))
    assert [operand.field for operand in plugin.operands] == [operand.field for operand in built_in.operands]


def test_a_plugin_with_texts_and_options_keeps_the_rules() -> None:
    check_aggregator(Rarest, options={"property": "ip", "share": "0.5"}, texts=["a", "b"], examples=30)


@pytest.mark.parametrize(
    ("plugin", "said"),
    [
        (LastOfABatch, "LastOfABatch: folding in another order|LastOfABatch: merging|LastOfABatch: folding one by one"),
        (KeepsLeft, "KeepsLeft: "),
        (FloatSum, "FloatSum: "),
        (Unequal, r"Unequal: a state is not the same after it was written and read: Pair\(pair=\(0, 0\)\)"),
    ],
)
def test_the_check_finds_a_plugin_that_breaks_a_rule_and_shows_the_events(plugin: type[AnyPlugin], said: str) -> None:
    with pytest.raises(AssertionError, match=said) as broken:
        check_aggregator(plugin)
    assert "with these events:\nkey=" in str(broken.value)


def test_the_check_answers_a_bad_option_as_the_appliance_would() -> None:
    with pytest.raises(InvalidDefinition, match=r"options.property: is required; there are: property"):
        check_aggregator(Rarest)


class Raises(PlainSum):
    def fold(self, batch: Batch) -> Total:
        raise LookupError("no price\nfor x")


class RaisesInMerge(PlainSum):
    def merge(self, left: Total, right: Total) -> Total:
        raise SystemExit(4)


class RaisesInRead(PlainSum):
    def read(self, state: Total) -> Decimal | None:
        return state.total / 0


class AnswersAFloat(PlainSum):
    def read(self, state: Total) -> Decimal | None:
        return 1.5  # type: ignore[return-value]


class AnswersNoNumber(PlainSum):
    def read(self, state: Total) -> Decimal | None:
        return Decimal("NaN")


class FoldsToNothing(PlainSum):
    def fold(self, batch: Batch) -> Total:
        return None  # type: ignore[return-value]


class AsksForWhatIsNotThere(PlainSum):
    def fold(self, batch: Batch) -> Total:
        return Total(sum(batch.decimals("amuont"), Decimal(0)))


class BrokenConstructor(PlainSum):
    def __init__(self, options: NoOptions, field: str) -> None:
        raise OSError("no file")


@pytest.mark.parametrize(
    ("plugin", "stage", "said"),
    [
        (Raises, "fold", "LookupError: no price for x"),
        (RaisesInMerge, "merge", "SystemExit: 4"),
        (RaisesInRead, "read", "DivisionByZero"),
        (AnswersAFloat, "read", "it answered a float, not a Decimal or None"),
        (AnswersNoNumber, "read", "it answered NaN, and a figure has at most 44 digits before the point"),
        (FoldsToNothing, "fold", "it answered a NoneType, not a Total"),
        (AsksForWhatIsNotThere, "fold", "no input is called 'amuont'; there are amount"),
        (BrokenConstructor, "its constructor", "OSError: no file"),
    ],
)
def test_what_a_plugin_does_wrong_names_it_is_logged_and_counted(
    plugin: type[AnyPlugin], stage: str, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    def ask() -> None:
        bound = bind(plugin, meter("x"))
        states = bound.fold(frame(bound.operands[0].column, [Decimal(1)] * 6), KEYS)
        bound.read(bound.merge(states, ["group 0"]), ["group 0"])

    with pytest.raises(PluginFailed, match="'sample' of the plugin sample-package") as failure:
        ask()
    assert failure.value.stage == stage
    assert said in failure.value.detail
    assert "\n" not in str(failure.value)
    assert [record.name for record in caplog.records] == ["tallystick.plugins"]


def test_failures_are_counted_by_the_function_that_failed() -> None:
    bound = bind(Raises, meter("x"))
    for _ in range(2):
        with pytest.raises(PluginFailed):
            bound.fold(frame(bound.operands[0].column, [Decimal(1)]), KEYS)
    assert bound.origin.failures == {"fold": 2}


class NewerSum(AggregatorPlugin[NewerTotal, NoOptions]):
    summary = "the total, kept in another way"

    def fold(self, batch: Batch) -> NewerTotal:
        return NewerTotal(sum(batch.decimals("amount"), Decimal(0)))

    def merge(self, left: NewerTotal, right: NewerTotal) -> NewerTotal:
        return NewerTotal(left.total + right.total)

    def read(self, state: NewerTotal) -> Decimal | None:
        return state.total


@pytest.mark.parametrize(
    "newer", [lambda: bind(NewerSum, meter("x")), lambda: bind(PlainSum, meter("x"), version="1.1")]
)
def test_a_state_of_an_older_version_is_never_merged_with_a_newer_one(newer: Callable[[], PluginAggregator]) -> None:
    old = bind(PlainSum, meter("x"))
    new = newer()
    assert new.state_format() != old.state_format()
    column = old.operands[0].column
    states = pl.concat([each.fold(frame(column, [Decimal(1)]), KEYS) for each in (old, new)])
    with pytest.raises(PluginFailed, match="it has to be made again"):
        new.merge(states, KEYS)


def test_a_question_that_nobody_waits_for_is_given_up_between_two_groups() -> None:
    given_up = Cancellation()
    folded: list[int] = []

    class GivesUp(PlainSum):
        def fold(self, batch: Batch) -> Total:
            folded.append(len(batch))
            given_up.cancel()
            return super().fold(batch)

    bound = bind(GivesUp, meter("x"))
    events = frame(bound.operands[0].column, [Decimal(1)] * 6)
    with pytest.raises(Cancelled):
        given_up.run(lambda: bound.fold(events, KEYS))
    assert folded == [1]
    assert bound.origin.failures == {}


def test_decimals_in_a_plugin_are_exact_beyond_28_digits() -> None:
    bound = bind(PlainSum, meter("x"))
    states = bound.fold(frame(bound.operands[0].column, [LARGEST] * 6), ["window"])
    (first, _) = bound.read(states, ["window"]).select(HIGH, LOW).collect().rows()
    assert figure(*first) == EXACT.multiply(LARGEST, Decimal(3))


def test_a_figure_of_more_than_12_decimals_is_rounded_half_even() -> None:
    class Third(PlainSum):
        def read(self, state: Total) -> Decimal | None:
            return state.total / 3

    bound = bind(Third, meter("x"))
    read = bound.read(bound.fold(frame(bound.operands[0].column, [Decimal(2)]), KEYS), KEYS).select(HIGH, LOW).collect()
    assert figure(*read.row(0)) == Decimal("0.666666666667")


@pytest.mark.parametrize(
    ("options", "pointer", "said"),
    [
        ({}, "options.property", "is required; there are: property"),
        ({"property": ""}, "options.property", "must not be empty"),
        ({"property": "a", "q": 1}, "options.q", "is no option; there are: property, share, kinds"),
        ({"property": "a", "share": "many"}, "options.share", "decimal"),
        ({"property": "a", "share": -1}, "options", "share is not negative"),
        ({"property": "a", "share": "NaN"}, "options", "holds a number that is none"),
        ({"property": "a", "kinds": {"b": "Infinity"}}, "options.kinds", "finite number"),
        ({"property": "a", "share": "1e999999999"}, "options.share", "at most 26 digits"),
        ({"property": "a", "share": "1e-999999999"}, "options.share", "and 12 after it"),
        ({"property": "a", "share": "0.1234567890123"}, "options.share", "and 12 after it"),
        ({"property": "a", "share": 2**80}, "options", "cannot be kept"),
        ({"property": "a" * 70_000}, "options", "bytes, and may have 65,536"),
    ],
)
def test_an_option_that_is_wrong_is_named_with_what_there_is(
    options: dict[str, object], pointer: str, said: str
) -> None:
    with pytest.raises(InvalidDefinition) as refused:
        bind(Rarest, meter("x", options=options))
    assert refused.value.field == pointer
    assert said in refused.value.detail


def test_trailing_zeros_of_an_option_are_no_digits() -> None:
    bind(Rarest, meter("x", options={"property": "a", "share": "0.10000000000000"}))


def test_a_plugin_takes_the_options_of_no_other_aggregation() -> None:
    bound = bind(PlainSum, meter("x"))
    assert bound.options == ("options",)
    with pytest.raises(InvalidDefinition, match="is no option"):
        bind(PlainSum, meter("x", options={"p": 1}))


def test_an_event_without_an_input_is_read_as_what_stands_in() -> None:
    bound = bind(Rarest, meter("x", options={"property": "ip"}))
    seen, amount = bound.operands
    assert (seen.if_missing, amount.if_missing) == ("none", None)
    texts = pl.DataFrame({"p:ip": pl.Series(["x", None], dtype=pl.String)}).select(seen.expression()).to_series()
    assert texts.to_list() == ["x", "none"]


def test_a_number_cannot_be_read_from_a_customer() -> None:
    with pytest.raises(InvalidDefinition, match="a customer is none"):
        bind(PlainSum, meter("x", field="customer"))
