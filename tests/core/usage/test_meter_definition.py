"""Which meters are refused, and by the name of which field."""

from __future__ import annotations

from typing import Any

import pytest

from tallystick.errors import InvalidDefinition
from tallystick.usage.meter_definition import checked_meter
from tests.core.usage.asking import meter


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"key": "a-B_9.x"},
        {"key": "k" * 128},
        {"field": "properties.a.b c"},
        {"aggregation": "count", "field": "customer"},
        {"aggregation": "unique", "field": "customer"},
        {"aggregation": "unique", "fields": ("properties.ip", "properties.user")},
        {"filter": {"model": ("large", "small", "")}},
        {"dimensions": ("region", "customer"), "unit": "token"},
    ],
)
def test_a_meter_that_keeps_the_rules_is_taken_as_it_is(fields: dict[str, Any]) -> None:
    defined = meter(**fields)
    assert checked_meter(defined) is defined


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"key": ""}, "key"),
        ({"key": "k" * 129}, "key"),
        ({"key": "a/b"}, "key"),
        ({"key": "a\n"}, "key"),
        ({"key": "ä"}, "key"),
        ({"key": ".."}, "key"),
        ({"name": ""}, "name"),
        ({"event_type": ""}, "event_type"),
        ({"event_type": "t" * 129}, "event_type"),
        ({"event_type": "\ud800"}, "event_type"),
        ({"unit": ""}, "unit"),
        ({"aggregation": "median"}, "aggregation"),
        ({"field": "tokens"}, "field"),
        ({"field": "properties."}, "field"),
        ({"field": "properties." + "n" * 257}, "field"),
        ({"aggregation": "sum", "field": "customer"}, "field"),
        ({"aggregation": "min", "field": "customer"}, "field"),
        ({"aggregation": "max", "field": "customer"}, "field"),
        ({"aggregation": "sum", "fields": ("value",)}, "fields"),
        ({"aggregation": "unique", "fields": ("tokens",)}, "fields"),
        ({"aggregation": "unique", "fields": ("customer", "customer")}, "fields"),
        ({"aggregation": "unique", "fields": ("customer",), "field": "properties.ip"}, "fields"),
        ({"aggregation": "unique", "fields": tuple(f"properties.{n}" for n in range(9))}, "fields"),
        ({"filter": {"model": ()}}, "filter"),
        ({"filter": {"": ("large",)}}, "filter"),
        ({"filter": {"m" * 257: ("large",)}}, "filter"),
        ({"filter": {"model": ("x" * 8_193,)}}, "filter"),
        ({"filter": {"model": tuple(str(n) for n in range(1_001))}}, "filter"),
        ({"filter": {str(n): ("x",) for n in range(33)}}, "filter"),
        ({"dimensions": ("region", "region")}, "dimensions"),
        ({"dimensions": ("",)}, "dimensions"),
        ({"dimensions": tuple(str(n) for n in range(33))}, "dimensions"),
        ({"timeout": 60}, "timeout"),
        ({"series": "host"}, "series"),
        ({"statistic": "peak"}, "statistic"),
        ({"options": {"window": 3}}, "options"),
    ],
)
def test_a_meter_that_breaks_a_rule_is_refused_by_the_name_of_the_field(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidDefinition) as refused:
        checked_meter(meter(**fields))
    assert refused.value.field == field
    assert str(refused.value).startswith(f"{field}: ")


def test_an_option_of_another_aggregation_is_refused_with_a_line_that_says_what_to_do() -> None:
    with pytest.raises(InvalidDefinition, match="sum has no such option: leave it out"):
        checked_meter(meter("sum", timeout=60))
