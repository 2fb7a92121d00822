"""One correction for many refused events. Pure: what an event becomes.

Promises: what the correction is not about stays as it was sent, number by number; an event that it cannot be applied to says why.
Times without a zone are taken as UTC when they are shifted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

import msgspec

from tallystick_tui.texts.moments import rfc3339

_SHIFT: Final = re.compile(r"([+-]?)(\d{1,9}(?:\.\d{1,6})?)\s*(s|min|m|h|d)", re.ASCII)
_UNITS_S: Final = {"s": 1, "m": 60, "min": 60, "h": 3_600, "d": 86_400}
_PROPERTIES: Final = "properties."
_NULL: Final = msgspec.Raw(b"null")
Event = dict[str, msgspec.Raw]


class Kind(StrEnum):
    """What is done to each event."""

    NEW_ID = "new_id"
    ARRIVAL_TIME = "arrival_time"
    SHIFT_TIME = "shift_time"
    SET = "set"
    DROP = "drop"
    AS_IT_IS = "as_it_is"


KIND_WORDS: Final = {
    Kind.NEW_ID: "give each a new id: put something behind it",
    Kind.ARRIVAL_TIME: "take the time of arrival",
    Kind.SHIFT_TIME: "shift the time",
    Kind.SET: "set a field",
    Kind.DROP: "drop a field",
    Kind.AS_IT_IS: "nothing: send each as it is",
}
# What usually helps, and at which field.
_BY_CODE: Final = {
    "conflict": (Kind.NEW_ID, ""),
    "invalid_id": (Kind.DROP, "id"),
    "invalid_time": (Kind.ARRIVAL_TIME, ""),
    "time_in_future": (Kind.ARRIVAL_TIME, ""),
    "missing_customer": (Kind.SET, "customer"),
    "invalid_customer": (Kind.SET, "customer"),
    "missing_type": (Kind.SET, "type"),
    "invalid_type": (Kind.SET, "type"),
    "invalid_value": (Kind.SET, "value"),
    "value_out_of_range": (Kind.SET, "value"),
    "invalid_source": (Kind.DROP, "source"),
    "duplicate_key": (Kind.AS_IT_IS, ""),
}
_FIELD: Final = re.compile(r"([A-Za-z_][\w.-]{0,200}):", re.ASCII)
_QUOTED: Final = re.compile(r"'([^']{1,200})' is no field")


class CannotCorrect(ValueError):
    """The correction says nothing that can be done, or not to this event."""


@dataclass(frozen=True, slots=True)
class Correction:
    """What to do; `field` and `value` where the kind needs them (`value`: JSON, or a bare word for a text)."""

    kind: Kind
    field: str = ""
    value: str = ""


def usual_correction(code: str, detail: str) -> Correction:
    """Return what usually helps against a reason."""
    kind, field = _BY_CODE.get(code, (Kind.SET, ""))
    if code in ("unknown_field", "nested_property", "invalid_properties"):
        kind, field = Kind.DROP, named_field(detail)
    return Correction(
        kind, field or (named_field(detail) if kind is Kind.SET else ""), "-2" if kind is Kind.NEW_ID else ""
    )


def named_field(detail: str) -> str:
    """Return the field that a reason begins with (`time: 'yesterday' is …`, `'kunde' is no field …`); empty if it names none."""
    match = _FIELD.match(detail) or _QUOTED.match(detail)
    return match[1] if match else ""


def corrected(text: str, correction: Correction, *, received_at: str) -> str:
    """Return the event with the correction applied, as JSON; `received_at` is when it was refused. Raises `CannotCorrect`."""
    if correction.kind is Kind.AS_IT_IS:
        return text
    event = _decoded(text)
    match correction.kind:
        case Kind.NEW_ID:
            _lengthen_id(event, correction.value)
        case Kind.ARRIVAL_TIME:
            # When it came first: without a time it would count when it is sent again, perhaps days later.
            event["time"] = msgspec.Raw(msgspec.json.encode(received_at))
        case Kind.SHIFT_TIME:
            event["time"] = _shifted(event.get("time", _NULL), correction.value)
        case Kind.SET:
            _set(event, correction.field.strip(), _json_of(correction.value))
        case Kind.DROP:
            _drop(event, correction.field.strip())
    return msgspec.json.encode(event).decode()


def indented(text: str) -> str:
    """Return JSON with a line a field; what is no JSON stays as it is."""
    try:
        return msgspec.json.format(text, indent=2)
    except (msgspec.DecodeError, UnicodeEncodeError):
        return text


def fault_of(text: str) -> str:
    """Return what is wrong with a text as JSON of one event; empty if nothing is."""
    try:
        decoded = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        return f"no JSON yet: {error}"
    except RecursionError:
        return "too deep to be an event"
    return "" if isinstance(decoded, dict) else "an event is an object: { … }"


def _decoded(text: str) -> Event:
    try:
        return msgspec.json.decode(text, type=Event)
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        raise CannotCorrect(f"it is no JSON object ({error}): correct it by itself") from error


def _lengthen_id(event: Event, suffix: str) -> None:
    if not suffix:
        raise CannotCorrect("what to put behind the id?")
    try:
        present = msgspec.json.decode(event.get("id", _NULL), type=str)
    except msgspec.DecodeError as error:
        raise CannotCorrect("it has no id that is a text") from error
    event["id"] = msgspec.Raw(msgspec.json.encode(present + suffix))


def _shifted(time: msgspec.Raw, shift: str) -> msgspec.Raw:
    match = _SHIFT.fullmatch(shift.strip())
    if match is None:
        raise CannotCorrect("shift by how much? Such as -1h, +30min, -2d, 0s")
    seconds = float(match[2]) * _UNITS_S[match[3]] * (-1 if match[1] == "-" else 1)
    present: object = msgspec.json.decode(time)
    try:
        if isinstance(present, int) and not isinstance(present, bool):
            return msgspec.Raw(str(present + round(seconds * 1_000)).encode())
        if isinstance(present, str):
            moment = datetime.fromisoformat(present)
            moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
            return msgspec.Raw(msgspec.json.encode(rfc3339(moment.astimezone(UTC) + timedelta(seconds=seconds))))
    except (ValueError, OverflowError) as error:
        raise CannotCorrect("its time cannot be read: take the time of arrival, or set it") from error
    raise CannotCorrect("it has no time to shift")


def _set(event: Event, field: str, value: msgspec.Raw) -> None:
    if not field:
        raise CannotCorrect("which field?")
    if not field.startswith(_PROPERTIES):
        event[field] = value
        return
    properties = _properties(event)
    properties[field.removeprefix(_PROPERTIES)] = value
    event["properties"] = msgspec.Raw(msgspec.json.encode(properties))


def _drop(event: Event, field: str) -> None:
    if not field:
        raise CannotCorrect("which field?")
    if not field.startswith(_PROPERTIES):
        if event.pop(field, None) is None:
            raise CannotCorrect(f"it has no {field}")
        return
    properties = _properties(event)
    if properties.pop(field.removeprefix(_PROPERTIES), None) is None:
        raise CannotCorrect(f"it has no {field}")
    event["properties"] = msgspec.Raw(msgspec.json.encode(properties))


def _properties(event: Event) -> Event:
    try:
        return msgspec.json.decode(event.get("properties", msgspec.Raw(b"{}")), type=Event)
    except msgspec.DecodeError as error:
        raise CannotCorrect("its properties are no object") from error


def _json_of(text: str) -> msgspec.Raw:
    if not text.strip():
        raise CannotCorrect("set it to what?")
    try:
        return msgspec.Raw(msgspec.json.format(text.encode(), indent=-1))
    except msgspec.DecodeError:
        return msgspec.Raw(msgspec.json.encode(text.strip()))
