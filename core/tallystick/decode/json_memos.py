"""What raw JSON values and properties mean, worked out for many at once; anything not plainly right has no plain meaning here."""

from __future__ import annotations

from itertools import chain
from typing import Any, Final

import msgspec

from tallystick.amount import INTEGER_DIGITS_MAX, SCALE, AmountOutOfRange, InvalidAmount, canonical_amount
from tallystick.event import PROPERTIES_MAX, PROPERTY_NAME_LENGTH_MAX, PROPERTY_TEXT_LENGTH_MAX

from .canonical_memo import CanonicalMemo
from .event_rules import ENCODER, canonical_properties, check_structure
from .fast_columns import Memos
from .json_reader import read_json
from .refused import Refused
from .sent_tree import Members, Tree

# Every digit becomes a zero, so that one search finds any number with too many of them.
_DIGITS: Final = bytes.maketrans(b"123456789", b"000000000")
_TOO_MANY_DIGITS: Final = b"0" * (INTEGER_DIGITS_MAX + 1)
# Longer ones might hold millions of values, and are read where those are counted first.
_LENGTH_MAX: Final = 65_536
_KEY_AND_COLON: Final = b'":'
# A colon after a space would not be counted as the end of a key.
_SPACED_COLONS: Final = (b" :", b"\t:", b"\r:", b"\n:")
# What a canonical line holds if a property was null, nested or had no name; texts may hold the same, which is only a doubt.
_DOUBTS: Final = (b"[", b":null", b'"":', b"\\u0000")


class _Numbers(dict[str, msgspec.Raw]):
    """The canonical spelling of each number with a point or an exponent, kept because senders repeat themselves."""

    _ENTRIES_MAX: Final = 16_384

    def __missing__(self, text: str) -> msgspec.Raw:
        # A short number with a point, no exponent and no zero at its end is spelled canonically.
        is_canonical = len(text) <= SCALE and text[-1] != "0" and "e" not in text and "E" not in text
        canonical = msgspec.Raw((text if is_canonical else canonical_amount(text)).encode())
        if len(self) >= self._ENTRIES_MAX:
            self.clear()
        if len(text) <= 32:  # noqa: PLR2004 - longer ones seldom come twice
            self[text] = canonical
        return canonical


_OBJECTS: Final = msgspec.json.Decoder(
    list[dict[str, Any]],  # Any: what the properties are is what is being found out
    float_hook=_Numbers().__getitem__,
)
_TEXT: Final = msgspec.json.Decoder(str)


def _values(raws: list[bytes]) -> list[str] | None:
    """Return the canonical amounts of JSON numbers and decimal texts, or None if one is neither."""
    try:
        return [canonical_amount(_TEXT.decode(raw) if raw.startswith(b'"') else raw.decode()) for raw in raws]
    except (InvalidAmount, AmountOutOfRange, msgspec.DecodeError, UnicodeDecodeError):
        return None


def _properties(raws: list[bytes]) -> list[bytes] | None:
    """Return properties as canonical JSON, or None if one breaks a rule."""
    plain = plain_properties(raws)
    if plain is not None:
        return plain[1]
    try:
        # One by one and exactly, since one unusual text among them would otherwise send all of these events down the slow path.
        return [_exact_properties(read_json(raw)) for raw in raws]
    except Refused:
        return None


def _exact_properties(sent: Tree) -> bytes:
    if isinstance(sent, Members):
        check_structure(sent)
    return canonical_properties(sent)


def plain_properties(raws: list[bytes]) -> tuple[list[dict[str, Any]], list[bytes]] | None:
    """Return flat objects, numbers with a point as canonical `Raw`, and each as canonical JSON; None at the slightest doubt."""
    length_max = max(map(len, raws))
    if length_max > _LENGTH_MAX:
        return None
    objects = _distinct_members(raws)
    if objects is None or (length_max > PROPERTY_NAME_LENGTH_MAX and not _are_within_limits(objects)):
        return None
    joined = ENCODER.encode_lines(objects)
    if any(doubt in joined for doubt in _DOUBTS) or _TOO_MANY_DIGITS in joined.translate(_DIGITS):
        return None
    lines = joined.split(b"\n")
    lines.pop()
    return (objects, lines) if joined.count(b"{") == len(lines) else None


def _distinct_members(raws: list[bytes]) -> list[dict[str, Any]] | None:
    """Return the objects, or None if one of them is none or may hold a key twice."""
    sent = b",".join(raws)
    try:
        objects = _OBJECTS.decode(b"[%b]" % sent)
    except (msgspec.DecodeError, UnicodeDecodeError, InvalidAmount, AmountOutOfRange, RecursionError):
        return None
    # A text may hold what looks like the end of a key, which makes for more of them than keys, as a repeated key does.
    if len(objects) != len(raws) or sent.count(_KEY_AND_COLON) != sum(map(len, objects)):
        return None
    return None if any(spaced in sent for spaced in _SPACED_COLONS) else objects


def _are_within_limits(objects: list[dict[str, Any]]) -> bool:
    """Whether there are not too many properties, nor any too long; shorter ones need no look."""
    if max(map(len, objects)) > PROPERTIES_MAX:
        return False
    if max(map(len, chain.from_iterable(objects)), default=0) > PROPERTY_NAME_LENGTH_MAX:
        return False
    values = chain.from_iterable(properties.values() for properties in objects)
    return max((len(value) for value in values if isinstance(value, str)), default=0) <= PROPERTY_TEXT_LENGTH_MAX


JSON_MEMOS: Final = Memos(
    values=CanonicalMemo(_values, known={b"": "1", b"null": "1"}),
    properties=CanonicalMemo(_properties, known={b"": b"{}", b"null": b"{}", b"{}": b"{}"}),
)
"""Shared by all requests of the process: a meaning never changes, and both memos are bounded and safe from any thread."""
