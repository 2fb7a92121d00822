"""What a plugin is given: the same events as lists, as numpy and as Polars columns."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tallystick.plugin import Batch

BATCH = Batch.of(times=[30, 10, 20], amount=[Decimal(3), Decimal("0.1"), Decimal(2)], region=["eu", "us", ""])


def test_a_batch_is_in_order_of_time_then_of_the_log() -> None:
    assert BATCH.times == [10, 20, 30]
    assert BATCH.texts("region") == ["us", "", "eu"]
    tied = Batch.of(times=[5, 5, 1], amount=[Decimal(1), Decimal(2), Decimal(3)])
    assert tied.decimals("amount") == [Decimal(3), Decimal(1), Decimal(2)]
    assert tied.positions == [3, 1, 2]


def test_numbers_come_as_decimals_floats_and_a_column() -> None:
    assert len(BATCH) == 3
    assert BATCH.decimals("amount") == [Decimal("0.1"), Decimal(2), Decimal(3)]
    assert BATCH.floats("amount").tolist() == [0.1, 2.0, 3.0]
    assert BATCH.column("amount").sum() == Decimal("5.1")
    assert BATCH.column("time").to_numpy().tolist() == [10, 20, 30]


def test_a_number_read_as_a_text_has_the_text_by_which_it_is_grouped() -> None:
    assert Batch.of(seen=[Decimal("1.50"), Decimal(2)]).texts("seen") == ["1.5", "2"]


def test_an_input_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(KeyError, match="no input is called 'amuont'; there are amount, region"):
        BATCH.decimals("amuont")
    with pytest.raises(TypeError, match="'region' is a text"):
        BATCH.decimals("region")


def test_events_of_a_batch_without_times_are_a_second_apart() -> None:
    assert Batch.of(amount=[Decimal(1), Decimal(2)]).times == [0, 1_000_000_000]
