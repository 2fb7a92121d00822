"""What a decoder expected of a value, in words for people: msgspec's own sentences name types of a programming language."""

from __future__ import annotations

import re
from typing import Final

_MISSING: Final = re.compile(r"Object missing required field `(.*)`", re.DOTALL)
_UNKNOWN: Final = re.compile(r"Object contains unknown field `(.*)`", re.DOTALL)
_OTHER_KIND: Final = re.compile(r"Expected `([^`]*)`, got `([^`]*)`")
_OUT_OF_BOUNDS: Final = re.compile(r"Expected `([^`]*)`( of length)? (>=|<=|>|<) (-?\d+(?:\.\d+)?)")
_OF_FORM: Final = re.compile(r"Expected `str` matching regex '(.*)'", re.DOTALL)
_KINDS: Final = {
    "str": "a text",
    "int": "a whole number",
    "float": "a number",
    "decimal": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
    "datetime": "a time",
    "bytes": "bytes in base64",
    "null": "null",
}
_COUNTED: Final = {"str": ("character", "characters"), "array": ("entry", "entries"), "object": ("entry", "entries")}
_BOUNDS: Final = {">=": "at least", "<=": "at most", ">": "more than", "<": "less than"}
# Keys of meters, and those of signals and channels, as the schemas of their bodies have them.
_FORMS: Final = {
    r"^[A-Za-z0-9][A-Za-z0-9._:\\-]*$": "may have letters, digits and, after the first, . _ : or -",
    r"^[A-Za-z0-9_.\\-]+$": "may have letters, digits, . _ and -",
}


def missing_field(said: str) -> str | None:
    """Return the field that an object lacks, if that is what was said."""
    match = _MISSING.fullmatch(said)
    return match[1] if match else None


def unknown_field(said: str) -> str | None:
    """Return the field that an object has and may not have, if that is what was said."""
    match = _UNKNOWN.fullmatch(said)
    return match[1] if match else None


def expectation(said: str) -> str:
    """Return what a value should have been, without the names of types; what is not of a known form as it is."""
    if match := _OTHER_KIND.fullmatch(said):
        return _other_kind(match[1], match[2])
    if match := _OUT_OF_BOUNDS.fullmatch(said):
        return _bound(match[1], match[3], match[4], is_length=match[2] is not None)
    if match := _OF_FORM.fullmatch(said):
        return _FORMS.get(match[1], said)
    return said


def _other_kind(expected: str, given: str) -> str:
    # That it may be left out as well is no news to whoever gave something.
    kinds = [kind for kind in expected.split(" | ") if kind != "null"] or [expected]
    named = " or ".join(dict.fromkeys(_KINDS.get(kind, kind) for kind in kinds))
    what = "one with a fraction" if (given, kinds) == ("float", ["int"]) else _KINDS.get(given, given)
    return f"must be {named}, not {what}"


def _bound(expected: str, sign: str, text: str, *, is_length: bool) -> str:
    if not is_length:
        return f"must be {_BOUNDS[sign]} {text if '.' in text else f'{int(text):,}'}"
    if (sign, text) == (">=", "1"):
        return "must not be empty"
    one, several = _COUNTED.get(expected.split(" | ", maxsplit=1)[0], _COUNTED["array"])
    return f"must have {_BOUNDS[sign]} {int(text):,} {one if text == '1' else several}"
