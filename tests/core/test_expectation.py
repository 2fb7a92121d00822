"""What a value should have been is said to people, whatever the decoder calls it."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

import msgspec
import pytest
from msgspec import Meta

from tallystick.expectation import expectation


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        (str, 5, "must be a text, not a whole number"),
        (str | None, 5, "must be a text, not a whole number"),
        (str, None, "must be a text, not null"),
        (int | str, [], "must be a whole number or a text, not a list"),
        (bool, "yes", "must be true or false, not a text"),
        (Decimal, True, "must be a number, not true or false"),
        (dict[str, str], [], "must be an object, not a list"),
        (Annotated[str, Meta(min_length=1)], "", "must not be empty"),
        (Annotated[str, Meta(max_length=1_024)], "x" * 2_000, "must have at most 1,024 characters"),
        (Annotated[list[int], Meta(min_length=1)], [], "must not be empty"),
        (Annotated[list[int], Meta(min_length=2)], [1], "must have at least 2 entries"),
        (Annotated[str, Meta(max_length=1)], "xy", "must have at most 1 character"),
        (Annotated[dict[str, int], Meta(max_length=2)], {"a": 1, "b": 2, "c": 3}, "must have at most 2 entries"),
        (Annotated[int, Meta(ge=1)], 0, "must be at least 1"),
        (Annotated[int, Meta(le=100_000)], 100_001, "must be at most 100,000"),
    ],
)
def test_what_was_expected_is_said_without_the_names_of_types(kind: object, value: object, words: str) -> None:
    with pytest.raises(msgspec.ValidationError) as refusal:
        msgspec.convert(value, kind)
    assert expectation(str(refusal.value)) == words


def test_what_is_of_no_known_form_stays_as_it_was_said() -> None:
    for said in ("Expected `str` matching regex '^a$'", "Invalid RFC3339 encoded datetime", ""):
        assert expectation(said) == said


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        (None, 5, "must be null, not a whole number"),
        (int, 1.5, "must be a whole number, not one with a fraction"),
        (Annotated[float, Meta(ge=0.5)], 0.1, "must be at least 0.5"),
        (Annotated[int, Meta(gt=0)], 0, "must be at least 1"),
        (Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.\-]+$")], "a b", "may have letters, digits, . _ and -"),
    ],
)
def test_corners_of_what_was_expected(kind: object, value: object, words: str) -> None:
    with pytest.raises(msgspec.ValidationError) as refusal:
        msgspec.convert(value, kind)
    assert expectation(str(refusal.value)) == words
