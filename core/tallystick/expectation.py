"""What a decoder expected of a value, in words for people: msgspec's own sentences name types of a programming language."""

from __future__ import annotations

import re
from typing import Final

_EXPECTED: Final = re.compile(r"Expected `([^`]*)`(?: of length)?(?: (>=|<=) (-?\d+)|, got `([^`]*)`)?")
_SIZED: Final = " of length "
_KINDS: Final = {
    "str": "a text",
    "int": "a whole number",
    "float": "a number",
    "decimal": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}
_COUNTED: Final = {"str": ("character", "characters"), "array": ("entry", "entries"), "object": ("entry", "entries")}
_BOUNDS: Final = {">=": "at least", "<=": "at most"}


def expectation(said: str) -> str:
    """Return what a value should have been, without the names of types; what is not of a known form as it is."""
    match = _EXPECTED.fullmatch(said)
    if match is None:
        return said
    kinds = [kind for kind in match[1].split(" | ") if kind != "null"]
    named = " or ".join(_KINDS.get(kind, kind) for kind in kinds)
    if match[4] is not None:
        return f"must be {named}, not {_KINDS.get(match[4], match[4])}"
    if match[2] is None:
        return f"must be {named}"
    bound, least = _BOUNDS[match[2]], int(match[3])
    if _SIZED not in said:
        return f"must be {bound} {least:,}"
    if (match[2], least) == (">=", 1):
        return "must not be empty"
    one, several = _COUNTED.get(kinds[0], _COUNTED["array"])
    return f"must have {bound} {least:,} {one if least == 1 else several}"
