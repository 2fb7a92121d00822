"""A meter's `options` against what its plugin takes: checked, and described as JSON Schema."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final, cast

import msgspec

from tallystick.amount import INTEGER_DIGITS_MAX, SCALE
from tallystick.errors import InvalidDefinition
from tallystick.expectation import expectation, missing_field, unknown_field
from tallystick.plugin import Options

OPTIONS_BYTES_MAX: Final = 64 * 1024

Json = dict[str, Any]  # Any: a JSON document


def checked_options(given: Mapping[str, object], options_type: type[Options]) -> Options:
    """Return the options as the plugin takes them, or raise `InvalidDefinition` naming the one at fault and what there is."""
    try:
        size = len(msgspec.msgpack.encode(given))
    except (OverflowError, TypeError, ValueError) as error:
        raise InvalidDefinition("options", f"cannot be kept: {error}") from error
    if size > OPTIONS_BYTES_MAX:
        raise InvalidDefinition("options", f"has {size:,} bytes, and may have {OPTIONS_BYTES_MAX:,}")
    try:
        options = msgspec.convert(given, options_type)
    except msgspec.ValidationError as error:
        raise _refusal(str(error), options_type) from error
    except ArithmeticError as error:  # a text such as "NaN" passes for a decimal, and no comparison with one succeeds
        raise InvalidDefinition("options", "holds a number that is none") from error
    for name in options_type.__struct_fields__:
        if not all(_is_amount(number) for number in _decimals(getattr(options, name))):
            raise InvalidDefinition(
                f"options.{name}",
                f"must be a finite number, with at most {INTEGER_DIGITS_MAX} digits before the point and {SCALE} after it",
            )
    return options


def options_schema(options_type: type[Options]) -> Json:
    """Return the JSON Schema of what a meter may say in `options`."""
    return cast("Json", _with_numbers(msgspec.json.schema(options_type)))


def _refusal(said: str, options_type: type[Options]) -> InvalidDefinition:
    """Turn msgspec's sentence, which ends in a path where it knows one, into ours."""
    detail, _, path = said.partition(" - at `$")
    place = path.rstrip("`")
    names = ", ".join(options_type.__struct_fields__) or "none"
    there_are = f"there are: {names} (`GET /v1/aggregators` has their schema)"
    if (name := missing_field(detail)) is not None:
        return InvalidDefinition(f"options{place}.{name}", f"is required; {there_are}")
    if (name := unknown_field(detail)) is not None:
        return InvalidDefinition(f"options{place}.{name[:200]}", f"is no option; {there_are}")
    return InvalidDefinition(f"options{place}", f"{expectation(detail[:200])}; {there_are}")


def _decimals(value: object) -> Iterator[Decimal]:
    if isinstance(value, Decimal):
        yield value
    elif isinstance(value, Mapping):
        for inner in cast("Mapping[object, object]", value).values():
            yield from _decimals(inner)
    elif isinstance(value, list | tuple | set | frozenset):
        for inner in cast("list[object]", value):
            yield from _decimals(inner)
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from _decimals(getattr(value, name))


def _is_amount(number: Decimal) -> bool:
    if not number.is_finite() or (number and number.adjusted() >= INTEGER_DIGITS_MAX):
        return False
    if not number:
        return True
    # The exponent may be 10^18, so nothing is computed before it was looked at.
    _, digits, exponent = number.as_tuple()
    trailing_zeros = len(digits) - len("".join(map(str, digits)).rstrip("0"))
    return isinstance(exponent, int) and exponent + trailing_zeros >= -SCALE


def _with_numbers(schema: object) -> object:
    """Say of decimals that they may be JSON numbers as well: msgspec's schema has the form in which it writes them."""
    if isinstance(schema, list):
        return [_with_numbers(inner) for inner in cast("list[object]", schema)]
    if not isinstance(schema, dict):
        return schema
    described = {name: _with_numbers(inner) for name, inner in cast("dict[str, object]", schema).items()}
    if described.get("format") == "decimal" and described.get("type") == "string":
        described["type"] = ["number", "string"]
    return described
