"""What a plugin reads of an event: one field, as a number or as a text."""

from __future__ import annotations

from typing import Literal

import msgspec


class Input(msgspec.Struct, frozen=True):
    """One field of an event: `value`, `customer` or `properties.NAME`.

    `if_missing` stands in where an event has no such field; without it, an event that lacks the field, or has a text where a number is
    needed, does not count for the meter.
    """

    field: str
    kind: Literal["number", "text"]
    if_missing: str | None = None


def number(field: str) -> Input:
    """Read the field as an exact decimal. Events in which it is no number do not count."""
    return Input(field, "number")


def text(field: str, *, if_missing: str | None = None) -> Input:
    """Read the field as the text by which it is grouped and filtered: `1` for 1, 1.0 and "1", `true` for true."""
    return Input(field, "text", if_missing)
