"""The shape of a filter, of a meter's and of a question's alike: names, and for each the texts of which one must match."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from tallystick.event import PROPERTY_NAME_LENGTH_MAX, PROPERTY_TEXT_LENGTH_MAX

NAMES_MAX: Final = 32
TEXTS_MAX: Final = 1_000

# What nobody writes who does not mean a pattern. Stars, brackets, dollars and backslashes alone are in paths, routes and currencies.
_PATTERN: Final = re.compile(r"^\^|\.\*|\.\+|\(\?")


def check_filter(filter_: Mapping[str, tuple[str, ...]], refuse: Callable[[str], Exception]) -> None:
    """Raise what `refuse` makes of the reason if the filter is too large, could not match anything, or is meant as a pattern."""
    if len(filter_) > NAMES_MAX:
        raise refuse(f"{len(filter_)} names are more than {NAMES_MAX}")
    for name, texts in filter_.items():
        if not is_text(name, PROPERTY_NAME_LENGTH_MAX):
            raise refuse(f"{name[:64]!a} is no property name: it has 1 to {PROPERTY_NAME_LENGTH_MAX} characters")
        if not texts:
            raise refuse(
                f"{name[:64]!a} has no values, so nothing could match: give at least one, or leave the name out"
            )
        if len(texts) > TEXTS_MAX:
            raise refuse(f"{name[:64]!a} has {len(texts)} values, which is more than {TEXTS_MAX}")
        if not all(text == "" or is_text(text, PROPERTY_TEXT_LENGTH_MAX) for text in texts):
            raise refuse(
                f"{name[:64]!a} has a value of more than {PROPERTY_TEXT_LENGTH_MAX} characters, or one that is no Unicode text"
            )
        for text in texts:
            if _PATTERN.search(text):
                raise refuse(
                    f"{name[:64]!a}: {text[:64]!a} looks like a regular expression, and a filter compares whole texts: list the values, "
                    f"or group by {name[:64]!a}"
                )


def is_text(text: str, length_max: int) -> bool:
    """Return whether the text has 1 to `length_max` characters, none of them half of a surrogate pair (no column can hold that)."""
    return 1 <= len(text) <= length_max and not any("\ud800" <= character <= "\udfff" for character in text)
