"""CloudEvents 1.0 in JSON: which of our fields each attribute is.

`id`, `source`, `type` and `time` keep their names, `subject` is the customer, `data` the properties. An object inside `data` becomes
dotted names (`{"usage": {"in": 3}}` is `usage.in`); an array has no such reading and is refused as `nested_property`; a null, like an
empty object, is no property. `data.value`, where it is a number or a decimal text, is also the event's value; where it is anything
else it is a property and nothing more.
Ignored, and so no part of the content: `dataschema`, `datacontenttype` (which must name JSON if it is there) and extension
attributes, because tracing systems set those anew on every re-send.
"""

from __future__ import annotations

from typing import Final

from tallystick.amount import AmountOutOfRange, InvalidAmount, canonical_amount
from tallystick.rejection import Code

from .event_rules import (
    CheckedEvent,
    canonical_properties,
    canonical_value,
    check_fields,
    check_structure,
    readable_id,
)
from .refused import Refused, shown
from .sent_tree import Members, NumberText, Tree, kind_of

# What the sender calls them, for the messages.
_NAMES: Final = {"customer": "subject"}


def check_cloud_event(sent: Tree, *, latest: int) -> CheckedEvent:
    """Return the event, or raise `Refused`."""
    if not isinstance(sent, Members):
        raise Refused(Code.INVALID_EVENT, f"a CloudEvent is an object, not {kind_of(sent)}")
    try:
        check_structure(sent)
        _check_attributes(sent)
        properties = _properties(sent.get("data"))
        pairs: list[tuple[str, Tree]] = [("properties", properties), ("customer", sent.get("subject"))]
        pairs += [(name, sent.get(name)) for name in ("id", "source", "type", "time")]
        pairs.append(("value", _amount_in(properties)))
        return check_fields(Members(pairs), latest=latest, names=_NAMES)
    except Refused as refused:
        refused.event_id = readable_id(sent)
        raise


def canonical_data(sent: Tree) -> tuple[str, bytes]:
    """Return the value and the properties that `data` alone gives an event, both canonical. Raises `Refused`."""
    if isinstance(sent, Members):
        check_structure(sent)
    properties = _properties(sent)
    return canonical_value(_amount_in(properties)), canonical_properties(properties)


def _check_attributes(sent: Members) -> None:
    version = sent.get("specversion")
    if version != "1.0" or isinstance(version, NumberText):
        found = (
            "it is missing"
            if version is None
            else f"not {shown(version) if isinstance(version, str) else kind_of(version)}"
        )
        raise Refused(Code.INVALID_EVENT, f'specversion: must be "1.0", and {found}')
    if sent.get("id") is None:
        raise Refused(Code.INVALID_ID, "id: is required of a CloudEvent")
    if not sent.get("source"):
        raise Refused(Code.INVALID_SOURCE, "source: is required of a CloudEvent, and must not be empty")
    if "data_base64" in sent:
        raise Refused(Code.INVALID_PROPERTIES, "data_base64: binary data has no properties; send data as a JSON object")
    content_type = sent.get("datacontenttype")
    if content_type is not None:
        essence = content_type.partition(";")[0].strip().lower() if isinstance(content_type, str) else ""
        if essence not in {"application/json", "text/json"} and not essence.endswith("+json"):
            raise Refused(Code.INVALID_PROPERTIES, "datacontenttype: must be application/json")


def _properties(data: Tree) -> Members:
    """Return the data with nested objects as dotted names."""
    if data is None:
        return Members([])
    if not isinstance(data, Members):
        raise Refused(Code.INVALID_PROPERTIES, f"data: must be an object, not {kind_of(data)}")
    flat = Members(list(_flat(data, "")))
    if flat.duplicate is not None:
        raise Refused(Code.DUPLICATE_KEY, f"data: {shown(flat.duplicate)} comes twice, once nested and once dotted")
    return flat


def _flat(data: Members, prefix: str) -> list[tuple[str, Tree]]:
    pairs: list[tuple[str, Tree]] = []
    for name, value in data.items():
        if isinstance(value, Members):
            pairs += _flat(value, f"{prefix}{name}.")
        else:
            pairs.append((f"{prefix}{name}", value))
    return pairs


def _amount_in(properties: Members) -> Tree:
    """Return the property `value` if it is an amount."""
    value = properties.get("value")
    if not isinstance(value, str):
        return None
    try:
        canonical_amount(value)
    except AmountOutOfRange:
        # As a number it breaks the rule of properties as well; as text it is only text.
        return value if isinstance(value, NumberText) else None
    except InvalidAmount:
        return None
    return value
