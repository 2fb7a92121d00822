"""Fields for the options of an aggregator, made from their JSON Schema, so that plugins' forms need no code of ours.

What a schema says that no field of ours can hold (lists, objects) is typed as JSON. The appliance checks everything; its words are put at
the field that its pointer names (`options.NAME`).
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final, cast

import msgspec

from tallystick_tui.widgets.choice_field import ChoiceField, SwitchField
from tallystick_tui.widgets.form_field import FormField, TextField

Schema = dict[str, Any]  # Any: a JSON Schema
PREFIX: Final = "options."
_PLAIN: Final = frozenset({"string", "integer", "number"})


def option_fields(schema: Schema, present: Mapping[str, object]) -> list[FormField]:
    """Return a field for each option, those that are needed first."""
    root = _resolved(schema, schema)
    properties = cast("dict[str, Schema]", root.get("properties", {}))
    needed = set(cast("list[str]", root.get("required", [])))
    names = sorted(properties, key=lambda name: name not in needed)
    return [
        _field(name, _resolved(properties[name], schema), present.get(name), is_needed=name in needed) for name in names
    ]


def options_of(fields: list[FormField], schema: Schema) -> dict[str, object]:
    """Return the options that were typed; what was left empty is left out, so that its default holds."""
    root = _resolved(schema, schema)
    properties = cast("dict[str, Schema]", root.get("properties", {}))
    found: dict[str, object] = {}
    for field in fields:
        name = field.field_name.removeprefix(PREFIX)
        value = _typed(field, _types(_resolved(properties.get(name, {}), schema)))
        if value is not None:
            found[name] = value
    return found


def _field(name: str, schema: Schema, present: object, *, is_needed: bool) -> FormField:
    field_name, hint = PREFIX + name, _hint(schema)
    types, choices = _types(schema), schema.get("enum")
    if isinstance(choices, list):
        pairs = [(_text(choice), _text(choice)) for choice in cast("list[object]", choices)]
        chosen = present if present is not None else schema.get("default")
        return ChoiceField(
            field_name, name, pairs, None if chosen is None else _text(chosen), hint=hint, is_required=is_needed
        )
    if types == {"boolean"}:
        is_on = bool(schema.get("default", False) if present is None else present)
        return SwitchField(field_name, name, value=is_on, hint=hint)
    default = schema.get("default")
    return TextField(
        field_name,
        name,
        "" if present is None else _text(present),
        placeholder="" if default is None else f"{_text(default)} if left empty",
        hint=hint,
        is_required=is_needed,
    )


def _typed(field: FormField, types: set[str]) -> object:
    if isinstance(field, SwitchField):
        return field.value
    text = str(field.state() or "")
    return _json_of(text, types) if text else None


def _json_of(text: str, types: set[str]) -> object:
    if "integer" in types and _is_integer(text):
        return int(text)
    if types == {"number"} and _is_number(text):
        return msgspec.Raw(text.encode())
    if types and types <= _PLAIN:
        return text
    try:
        return msgspec.Raw(msgspec.json.format(text.encode(), indent=-1))
    except msgspec.DecodeError:
        return text  # no JSON: the appliance says what it wants instead


def _resolved(schema: Schema, root: Schema) -> Schema:
    reference = schema.get("$ref")
    if isinstance(reference, str) and reference.startswith("#/$defs/"):
        definitions = cast("dict[str, Schema]", root.get("$defs", {}))
        return definitions.get(reference.removeprefix("#/$defs/"), {})
    return schema


def _types(schema: Schema) -> set[str]:
    named = schema.get("type")
    if isinstance(named, str):
        return {named}
    return set(cast("list[str]", named)) if isinstance(named, list) else set()


def _hint(schema: Schema) -> str:
    words = str(schema.get("description", ""))
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None and str(low) not in words:
        words = f"{words} ({low} to {high})".strip()
    return words


def _text(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _is_integer(text: str) -> bool:
    return text.removeprefix("-").isascii() and text.removeprefix("-").isdigit()


def _is_number(text: str) -> bool:
    try:
        # What JSON takes for a number as well: no "1_000", no "NaN".
        msgspec.json.decode(text)
        return Decimal(text).is_finite()
    except (msgspec.DecodeError, InvalidOperation):
        return False
