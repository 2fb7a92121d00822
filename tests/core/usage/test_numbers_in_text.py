"""Which texts are numbers, and which numbers: what columns say is what `canonical_amount` says of one text."""

from __future__ import annotations

from decimal import Decimal

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tallystick.amount import NUMBER_PATTERN, AmountOutOfRange, InvalidAmount, canonical_amount
from tallystick.usage.operand import number_in


def numbers_of(texts: list[str | None]) -> list[Decimal | None]:
    frame = pl.LazyFrame({"text": pl.Series(texts, dtype=pl.String)})
    return frame.select(number_in(pl.col("text"))).collect(engine="streaming").to_series().to_list()


def number_of(text: str | None) -> Decimal | None:
    if text is None:
        return None
    try:
        return Decimal(canonical_amount(text))
    except (InvalidAmount, AmountOutOfRange):
        return None


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1.50", "1.5"),
        ("1e3", "1000"),
        ("1E-3", "0.001"),
        ("-0", "0"),
        ("0.0000000000005", "0"),
        ("0.0000000000015", "0.000000000002"),
        ("99999999999999999999999999.999999999999", "99999999999999999999999999.999999999999"),
        ("1e-999999999", "0"),
    ],
)
def test_a_text_in_the_spelling_of_json_is_a_number(text: str, number: str) -> None:
    assert numbers_of([text]) == [Decimal(number)]


@pytest.mark.parametrize(
    "text",
    ["", " 1", "1 ", "1\n", "+1", ".5", "1.", "01", "-", "--1", "1_000", "1,5", "0x1", "NaN", "Infinity", "true", "false", "٣", "1" * 27,
     "1e26", "1e999999999", "99999999999999999999999999.9999999999995", "0." + "0" * 4_095],
)  # fmt: skip
def test_any_other_text_is_no_number(text: str) -> None:
    assert numbers_of([text]) == [None]


@settings(max_examples=150, deadline=None)
@given(
    texts=st.lists(
        st.none() | st.from_regex(f"(?:{NUMBER_PATTERN})", fullmatch=True) | st.text("0123456789+-.eE ", max_size=45),
        max_size=8,
    )
)
@example(texts=[None, None])
@example(texts=[])
def test_columns_read_numbers_as_canonical_amount_does(texts: list[str | None]) -> None:
    assert numbers_of(texts) == [number_of(text) for text in texts]
