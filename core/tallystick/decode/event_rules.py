"""The rules of an event, one by one and in words: what the fast path must agree with, and where every rejection is made.

Format-neutral: takes what a reader made of the bytes. Null in an optional field is the same as leaving the field out, and so is a
property that is null, since serializers write unset fields so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from tallystick.amount import AmountOutOfRange, InvalidAmount, canonical_amount
from tallystick.event import (
    CUSTOMER_LENGTH_MAX,
    ID_LENGTH_MAX,
    PROPERTIES_MAX,
    PROPERTY_NAME_LENGTH_MAX,
    PROPERTY_TEXT_LENGTH_MAX,
    SOURCE_LENGTH_MAX,
    TYPE_LENGTH_MAX,
)
from tallystick.instant import (
    Instant,
    InstantTooLate,
    InvalidInstant,
    checked_instant,
    format_instant,
    instant_from_ms,
    parse_instant,
)
from tallystick.rejection import Code

from .refused import Refused, cut, shown
from .sent_tree import ForbiddenToken, Members, NumberText, TimestampNs, Tree, kind_of, leaves

FIELDS: Final = frozenset({"id", "type", "customer", "source", "time", "value", "properties"})

ENCODER: Final = msgspec.json.Encoder(order="sorted")
"""Writes canonical properties, on both paths, so that both write the same bytes."""


class CheckedEvent(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One event that breaks no rule; `id` and `time` are None where the sender gave none."""

    source: str
    id: str | None
    type: str
    customer: str
    time: Instant | None
    value: str
    properties: bytes


def check_event(sent: Tree, *, latest: int) -> CheckedEvent:
    """Return the event, or raise `Refused`. `latest` is the last nanosecond that is not too far ahead."""
    if not isinstance(sent, Members):
        raise Refused(Code.INVALID_EVENT, f"an event is an object, not {kind_of(sent)}")
    try:
        check_structure(sent)
        _check_known(sent)
        return check_fields(sent, latest=latest, names={})
    except Refused as refused:
        refused.event_id = readable_id(sent)
        raise


def check_structure(sent: Members) -> None:
    """Refuse repeated keys, text that is not Unicode and numbers that are none, wherever they stand."""
    # Where something stands is worked out only once it is known that there is something.
    if _is_plain(sent):
        return
    for path, value in leaves(sent, ""):
        if isinstance(value, ForbiddenToken):
            raise Refused(Code.INVALID_JSON, f"{path}: {value} is not JSON; leave the field out, or send a number")
        if isinstance(value, str) and not value.isascii() and not _is_unicode(value):
            raise Refused(Code.INVALID_ENCODING, f"{path or 'the event'}: the text is not valid Unicode")
    duplicate = _duplicate_key(sent, "")
    if duplicate is not None:
        raise Refused(Code.DUPLICATE_KEY, f"{shown(duplicate)} comes twice in one object")


def _is_plain(value: Members | list[Tree]) -> bool:
    """Whether there is surely nothing for `check_structure` to find: ASCII text, honest numbers, each key once."""
    values: Iterable[Tree] = value
    if isinstance(value, Members):
        if value.duplicate is not None or not "".join(value).isascii():
            return False
        values = value.values()
    for member in values:
        if isinstance(member, str):
            if not member.isascii() or isinstance(member, ForbiddenToken):
                return False
        elif isinstance(member, Members | list) and not _is_plain(member):
            return False
    return True


def _check_known(sent: Members) -> None:
    unknown = next((name for name in sent if name not in FIELDS), None)
    if unknown is not None:
        raise Refused(
            Code.UNKNOWN_FIELD, f"{shown(unknown)} is no field of an event; put what is your own in properties"
        )


def check_fields(sent: Members, *, latest: int, names: Mapping[str, str]) -> CheckedEvent:
    """Return the event made of our seven fields, each checked.

    `names` gives the name by which the sender knows a field, where that is another than ours.
    """
    event_type = _text(
        sent.get("type"), names.get("type", "type"), Code.INVALID_TYPE, TYPE_LENGTH_MAX, missing=Code.MISSING_TYPE
    )
    customer = _text(
        sent.get("customer"),
        names.get("customer", "customer"),
        Code.INVALID_CUSTOMER,
        CUSTOMER_LENGTH_MAX,
        missing=Code.MISSING_CUSTOMER,
    )
    event_id = sent.get("id")
    source = sent.get("source")
    return CheckedEvent(
        type=event_type,
        customer=customer,
        id=None if event_id is None else _text(event_id, "id", Code.INVALID_ID, ID_LENGTH_MAX),
        source=""
        if source is None or source == ""
        else _text(source, "source", Code.INVALID_SOURCE, SOURCE_LENGTH_MAX),
        time=_time(sent.get("time"), latest=latest),
        value=canonical_value(sent.get("value")),
        properties=canonical_properties(sent.get("properties")),
    )


def canonical_value(value: Tree) -> str:
    """Return the canonical amount of a number or a decimal text, `1` for none."""
    if value is None:
        return "1"
    if type(value) is not str and not isinstance(value, NumberText):
        raise Refused(Code.INVALID_VALUE, f"value: must be a number or a decimal text, not {kind_of(value)}")
    try:
        return canonical_amount(str(value))  # a plain text: encoders take no subclass
    except InvalidAmount as error:
        raise Refused(Code.INVALID_VALUE, f"value: {error}") from error
    except AmountOutOfRange as error:
        raise Refused(Code.VALUE_OUT_OF_RANGE, f"value: {error}") from error


def canonical_properties(sent: Tree) -> bytes:
    """Return properties as canonical JSON: names sorted, no spaces, numbers as canonical amounts."""
    if sent is None:
        return b"{}"
    if not isinstance(sent, Members):
        raise Refused(Code.INVALID_PROPERTIES, f"properties: must be an object, not {kind_of(sent)}")
    canonical = {name: _property(name, value) for name, value in sent.items() if value is not None}
    if len(canonical) > PROPERTIES_MAX:
        raise Refused(
            Code.TOO_MANY_PROPERTIES, f"properties: {len(canonical)} of them, and {PROPERTIES_MAX} is the most"
        )
    return ENCODER.encode(canonical)


def readable_id(sent: Members) -> str | None:
    """Return the id that a rejection can carry, if there is one."""
    event_id = sent.get("id")
    if type(event_id) is str and 0 < len(event_id) <= ID_LENGTH_MAX and _is_unicode(event_id):
        return event_id
    return None


def _text(value: Tree, name: str, code: Code, length_max: int, *, missing: Code | None = None) -> str:
    if value is None and missing is not None:
        raise Refused(missing, f"{name}: is required")
    if type(value) is not str:
        raise Refused(code, f"{name}: must be text, not {kind_of(value)}")
    if not value:
        raise Refused(code, f"{name}: must not be empty")
    if len(value) > length_max:
        raise Refused(code, f"{name}: has {len(value)} characters, and {length_max} is the most")
    if "\0" in value:
        raise Refused(code, f"{name}: must not hold the character NUL")
    return value


def _time(value: Tree, *, latest: int) -> Instant | None:
    if value is None:
        return None
    try:
        instant = _instant(value)
    except InstantTooLate as error:
        raise Refused(Code.TIME_IN_FUTURE, f"time: {error}") from error
    except InvalidInstant as error:
        raise Refused(Code.INVALID_TIME, f"time: {error}") from error
    if instant > latest:
        raise Refused(
            Code.TIME_IN_FUTURE,
            f"time: {format_instant(instant)} is past {format_instant(Instant(latest))}, the latest time taken now",
        )
    return instant


def _instant(value: Tree) -> Instant:
    if isinstance(value, TimestampNs):
        return checked_instant(value)
    if isinstance(value, NumberText):
        # 1.7e12 and 1700000000000.0 are integers to every JSON library that has but one kind of number.
        try:
            milliseconds = canonical_amount(value)
        except AmountOutOfRange as error:
            late = InvalidInstant if value.startswith("-") else InstantTooLate
            raise late(f"{shown(value)} milliseconds lie outside 1970 to 2261") from error
        if "." in milliseconds:
            raise InvalidInstant(f"{shown(value)} is no whole number of milliseconds")
        return instant_from_ms(int(milliseconds))
    if type(value) is str:
        return parse_instant(value)
    raise InvalidInstant(f"must be RFC 3339 text or whole milliseconds, not {kind_of(value)}")


def _property(name: str, value: Tree) -> str | bool | msgspec.Raw:
    if not 0 < len(name) <= PROPERTY_NAME_LENGTH_MAX or "\0" in name:
        raise Refused(
            Code.INVALID_PROPERTIES,
            f"properties: the name {shown(name)} must have 1 to {PROPERTY_NAME_LENGTH_MAX} characters and no NUL",
        )
    if isinstance(value, bool):
        return value
    if isinstance(value, NumberText):
        return _property_number(name, value)
    if type(value) is str:
        return _property_text(name, value)
    code = Code.NESTED_PROPERTY if isinstance(value, list | Members) else Code.INVALID_PROPERTIES
    raise Refused(code, f"properties.{cut(name)}: must be text, a number or a boolean, not {kind_of(value)}")


def _property_number(name: str, value: NumberText) -> msgspec.Raw:
    try:
        return msgspec.Raw(canonical_amount(value).encode())
    except AmountOutOfRange as error:
        raise Refused(Code.VALUE_OUT_OF_RANGE, f"properties.{cut(name)}: {error}") from error
    except InvalidAmount as error:
        raise Refused(Code.INVALID_PROPERTIES, f"properties.{cut(name)}: {error}") from error


def _property_text(name: str, value: str) -> str:
    if len(value) > PROPERTY_TEXT_LENGTH_MAX:
        raise Refused(
            Code.INVALID_PROPERTIES,
            f"properties.{cut(name)}: has {len(value)} characters, and {PROPERTY_TEXT_LENGTH_MAX} is the most",
        )
    if "\0" in value:
        raise Refused(Code.INVALID_PROPERTIES, f"properties.{cut(name)}: must not hold the character NUL")
    return value


def _duplicate_key(value: Tree, path: str) -> str | None:
    """Return the first key that an object holds twice, with where it stands."""
    members: list[tuple[str, Tree]] = []
    if isinstance(value, Members):
        if value.duplicate is not None:
            return f"{path}{value.duplicate}"
        members = list(value.items())
    elif isinstance(value, list):
        members = [("[]", member) for member in value]
    for name, member in members:
        if isinstance(member, Members | list):
            found = _duplicate_key(member, f"{path}{name}.")
            if found is not None:
                return found
    return None


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
