"""Exact decimal amounts: one canonical text for each number, and no digit lost within the promised range."""

from __future__ import annotations

import time
from contextlib import suppress
from decimal import ROUND_HALF_EVEN, Context, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.amount import AmountOutOfRange, InvalidAmount, canonical_amount, format_amount, plain

WIDE = Context(prec=200)
in_range = st.decimals(Decimal(-(10**26) + 1), Decimal(10**26 - 1), places=12, allow_nan=False)


@given(value=in_range)
def test_every_amount_in_range_is_kept_exactly(value: Decimal) -> None:
    assert Decimal(canonical_amount(f"{value:f}")) == value
    assert canonical_amount(f"{value:e}") == canonical_amount(f"{value:f}") == format_amount(value)


@given(value=in_range)
def test_a_canonical_amount_stays_as_it_is(value: Decimal) -> None:
    text = canonical_amount(f"{value:f}")
    assert canonical_amount(text) == text
    assert not text.startswith(("+", "-0.0000000000000"))
    assert "." not in text or not text.endswith(("0", "."))


@given(value=st.floats(allow_nan=False, allow_infinity=False))
def test_more_decimals_are_rounded_half_even_and_more_digits_are_refused(value: float) -> None:
    exact = Decimal(repr(value))
    rounded = exact.quantize(Decimal("1e-12"), rounding=ROUND_HALF_EVEN, context=Context(prec=400))
    if abs(rounded) >= 10**26:
        with pytest.raises(AmountOutOfRange):
            canonical_amount(repr(value))
    else:
        assert Decimal(canonical_amount(repr(value))) == rounded


@pytest.mark.parametrize(
    ("sent", "canonical"),
    [
        ("0", "0"),
        ("-0", "0"),
        ("-0.000", "0"),
        ("0e99999999999999", "0"),
        ("-1e-99999999999999", "0"),
        ("1e0000000000000000003", "1000"),
        ("1E+3", "1000"),
        ("1.50", "1.5"),
        ("0.0000000000005", "0"),
        ("0.0000000000015", "0.000000000002"),
        ("0.0000000000025", "0.000000000002"),
        ("-0.0000000000001", "0"),
        ("1e25", "1" + "0" * 25),
        ("9" * 26 + "." + "9" * 12, "9" * 26 + "." + "9" * 12),
        ("0." + "0" * 3_000 + "1e3001", "1"),
    ],
)
def test_a_number_has_one_canonical_text(sent: str, canonical: str) -> None:
    assert canonical_amount(sent) == canonical


@pytest.mark.parametrize(
    "sent", ["1e26", "1e400", "-1e400", "1e999999999", "1e00000000000009999999999", "9" * 27, "9" * 26 + "." + "9" * 13]
)
def test_a_number_with_too_many_digits_before_the_point_is_out_of_range(sent: str) -> None:
    with pytest.raises(AmountOutOfRange):
        canonical_amount(sent)


@pytest.mark.parametrize(
    "sent",
    [
        "",
        " 1",
        "1 ",
        "1_000",
        "+1",
        ".5",
        "5.",
        "01",
        "NaN",
        "Infinity",
        "-",
        "1e",
        "0x1",
        "\u0661",
        "1,5",
        "1\n",
        "1" * 4_097,
    ],
)
def test_what_json_calls_no_number_is_no_amount(sent: str) -> None:
    with pytest.raises(InvalidAmount):
        canonical_amount(sent)


@given(text=st.text(st.sampled_from("0123456789.eE+-"), max_size=40))
def test_any_text_is_an_amount_or_one_of_two_errors_at_once(text: str) -> None:
    start = time.thread_time()
    with suppress(InvalidAmount, AmountOutOfRange):
        assert len(canonical_amount(text)) <= 1 + 26 + 1 + 12
    assert time.thread_time() - start < 0.5


def test_plain_writes_all_digits_of_a_number_of_any_size() -> None:
    assert plain(Decimal("1e40")) == "1" + "0" * 40
    assert plain(Decimal("1.500")) == "1.5"
    assert plain(Decimal("-0.0")) == "0"
    assert plain(Decimal("1e-20")) == "0." + "0" * 19 + "1"
