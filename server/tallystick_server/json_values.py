"""How values look in JSON answers, and how times are read from requests: the types that schemas are made of.

A number goes out as a JSON number with its exact digits. The encoder would write a `Decimal` as a string, so that numbers are handed to
it as they shall stand (`msgspec.Raw`), and their schema says what they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated

import msgspec

from tallystick.amount import plain
from tallystick.event import PropertyValue
from tallystick.instant import Instant, InvalidInstant, format_instant, instant_from_ms, parse_instant

from .problem import ProblemError, Refusal

Number = Annotated[msgspec.Raw, msgspec.Meta(extra_json_schema={"type": "number"})]
NumberOrNull = Annotated[msgspec.Raw, msgspec.Meta(extra_json_schema={"type": ["number", "null"]})]
# At run time a `str`, a `bool` or a `Raw`: a field's type is what the document says of it, the encoder looks at values.
Property = Annotated[msgspec.Raw, msgspec.Meta(extra_json_schema={"type": ["string", "number", "boolean"]})]
Timestamp = Annotated[
    str, msgspec.Meta(extra_json_schema={"format": "date-time"}, examples=["2026-11-01T10:00:00.123Z"])
]
Moment = Annotated[
    str | int,
    msgspec.Meta(
        description="An RFC 3339 time with a zone, or integer milliseconds since 1970.",
        examples=["2026-11-01T00:00:00Z", 1793491200000],
    ),
]
NULL = msgspec.Raw(b"null")


def number(value: Decimal) -> msgspec.Raw:
    """Return the number with all its digits and no more."""
    return msgspec.Raw(plain(value).encode())


def number_or_null(value: Decimal | None) -> msgspec.Raw:
    """Return the number, or null where there is none."""
    return NULL if value is None else number(value)


def properties(values: Mapping[str, PropertyValue]) -> dict[str, msgspec.Raw]:
    """Return an event's properties, numbers as JSON numbers."""
    return {
        name: number(value) if isinstance(value, Decimal) else msgspec.Raw(msgspec.json.encode(value))
        for name, value in values.items()
    }


def timestamp(instant: Instant) -> str:
    """Return RFC 3339 in UTC."""
    return format_instant(instant)


def timestamp_or_null(instant: Instant | None) -> str | None:
    """Return RFC 3339 in UTC, or null where there is no instant."""
    return None if instant is None else format_instant(instant)


def moment(parameter: str, given: str | int) -> Instant:
    """Return the instant that a parameter or a field names. Raises `Refusal` (400)."""
    try:
        if isinstance(given, int):
            return instant_from_ms(given)
        return instant_from_ms(int(given)) if _is_milliseconds(given) else parse_instant(given)
    except InvalidInstant as error:
        raise invalid_parameter(parameter, str(error)) from error


def moment_or_none(parameter: str, given: str | int | None) -> Instant | None:
    """Return the instant that an optional parameter names. Raises `Refusal` (400)."""
    return None if given is None else moment(parameter, given)


def invalid_parameter(parameter: str, detail: str) -> Refusal:
    """Return the refusal of one parameter."""
    return Refusal(400, "invalid_parameter", f"{parameter}: {detail}", errors=[ProblemError(detail, pointer=parameter)])


def _is_milliseconds(text: str) -> bool:
    return text.isascii() and text.removeprefix("-").isdigit() and len(text) <= 20  # noqa: PLR2004 - more than an int64 has
