"""What is wrong with a request's parameters and body, in words: which one, and what is allowed.

The framework's own words name types and leave out what would be right. Choices are looked up in the OpenAPI document, fields of bodies in
the type that the route decodes.
"""

from __future__ import annotations

import re
from typing import Any, cast

from litestar.handlers import BaseRouteHandler
from msgspec import inspect

from tallystick.expectation import expectation, missing_field, unknown_field

from .problem import ProblemError

_CHOICE = re.compile(r"Invalid enum value (.*)", re.DOTALL)
_ABSENT = re.compile(r"Missing required query parameter '(.*)' for path .*", re.DOTALL)
_STEP = re.compile(r"\[[^\]]*\]|[^.\[\]]+")
# What the framework calls the body as a whole.
_BODY = "data"
# A filter of a body that is no list of values: an operator, a pattern, nothing at all.
_OF_FILTER = re.compile(r"(?:^|\.)filter(?:\[\.\.\.\].*)?$")


class Choices:
    """The values that parameters and fields of a fixed list may have, by name, as the document lists them."""

    def __init__(self) -> None:
        self._by_name: dict[str, list[str]] = {}

    def learn(self, document: dict[str, Any]) -> None:  # Any: a JSON document
        """Take the lists from the document."""
        schemas = document["components"]["schemas"]
        for methods in document["paths"].values():
            for operation in methods.values():
                for parameter in operation.get("parameters", []):
                    self._take(parameter["name"], parameter["schema"], schemas)
        for schema in schemas.values():
            for name, field in schema.get("properties", {}).items():
                self._take(name, field, schemas)

    def of(self, pointer: str) -> list[str]:
        """Return the values of the parameter or field that a pointer ends in."""
        steps = [step for step in _STEP.findall(pointer) if not step.startswith("[")]
        return self._by_name.get(steps[-1], []) if steps else []

    def _take(self, name: str, schema: dict[str, Any], schemas: dict[str, Any]) -> None:  # Any: a JSON document
        for each in (schema, *schema.get("anyOf", []), *schema.get("oneOf", [])):
            found = schemas.get(each["$ref"].rsplit("/", 1)[1], {}) if "$ref" in each else each
            values = [value for value in found.get("enum", []) if isinstance(value, str)]
            known = self._by_name.setdefault(name, [])
            known += [value for value in values if value not in known]


def fault_in_words(
    pointer: str | None, said: str, *, choices: Choices, handler: BaseRouteHandler | None
) -> ProblemError:
    """Return a fault of the framework's in our words."""
    if match := _ABSENT.fullmatch(said):
        return ProblemError("is required", pointer=match[1])
    if pointer is None:
        return ProblemError(said)
    if (match := _CHOICE.fullmatch(said)) and (allowed := choices.of(pointer)):
        return ProblemError(f"{match[1]} is none of {', '.join(allowed)}", pointer=pointer)
    if (fault := _fault_of_fields(pointer, said, handler)) is not None:
        return fault
    if _OF_FILTER.search(pointer):
        return ProblemError(
            'a filter is an object of exact values, such as {"region": ["eu", "us"]}: texts, numbers or booleans, no patterns',
            pointer=pointer,
        )
    return ProblemError(expectation(said), pointer=pointer)


def _fault_of_fields(pointer: str, said: str, handler: BaseRouteHandler | None) -> ProblemError | None:
    """Return that an object has a field too many or too few, if that is what was said."""
    place = "" if pointer == _BODY else f"{pointer}."
    if (name := missing_field(said)) is not None:
        return ProblemError("is required", pointer=f"{place}{name}")
    if (name := unknown_field(said)) is not None:
        fields = ", ".join(_fields_at(handler, place))
        return ProblemError(f"there is no such field here; there are {fields}", pointer=f"{place}{name}")
    return None


def _fields_at(handler: BaseRouteHandler | None, pointer: str) -> list[str]:
    """Return the fields that the object at this place of the route's body has."""
    field = None if handler is None else handler.parsed_data_field
    if field is None:
        return []
    found = inspect.type_info(cast("type", field.annotation))
    for step in _STEP.findall(pointer):
        found = _within(found, step)
        if found is None:
            return []
    found = _composite(found)
    return [each.encode_name for each in found.fields] if isinstance(found, inspect.StructType) else []


def _within(found: inspect.Type, step: str) -> inspect.Type | None:
    found = _composite(found)
    match found:
        case inspect.ListType():
            return found.item_type
        case inspect.DictType():
            return found.value_type
        case inspect.StructType():
            return next((each.type for each in found.fields if each.encode_name == step), None)
        case _:
            return None


def _composite(found: inspect.Type) -> inspect.Type:
    """Return the object or list among alternatives, or what is behind a constraint."""
    if isinstance(found, inspect.UnionType):
        kinds = (inspect.StructType, inspect.ListType, inspect.DictType)
        return next((each for each in found.types if isinstance(each, kinds)), found)
    return _composite(found.type) if isinstance(found, inspect.Metadata) else found
