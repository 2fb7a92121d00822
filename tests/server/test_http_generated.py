"""Requests made from the OpenAPI document, right and wrong ones: no answer is a 500, none is outside of the document."""

# schemathesis' own types are partial.
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false, reportUntypedFunctionDecorator=false

from __future__ import annotations

from typing import Any

import hypothesis
import msgspec
import pytest
import schemathesis
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tallystick.testing import ManualClock, SeededEntropy
from tallystick_server.app import Appliance
from tallystick_server.settings import Settings
from tests.appliance import Appliance as RunningAppliance

# One event stream never ends, and is tested on its own; verification walks the whole log for each example.
NOT_GENERATED = ["streamEvents", "verifyLog"]
_SLOW_IS_FINE = [
    hypothesis.HealthCheck.too_slow,
    hypothesis.HealthCheck.filter_too_much,
    hypothesis.HealthCheck.data_too_large,
    hypothesis.HealthCheck.function_scoped_fixture,
]
# Made here rather than asked of the running appliance, since tests are listed before anything runs; it is the same document.
described = schemathesis.openapi.from_dict(
    msgspec.json.decode(Appliance(Settings(), clock=ManualClock(), entropy=SeededEntropy()).documents.json)
).exclude(operation_id=NOT_GENERATED)


@schemathesis.serializer("application/x-ndjson")
def lines(_context: schemathesis.SerializationContext, value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")


@schemathesis.serializer("application/msgpack")
def packed(_context: schemathesis.SerializationContext, value: object) -> bytes:
    return value if isinstance(value, bytes) else msgspec.msgpack.encode(value)


@pytest.mark.slow
@described.parametrize()
@hypothesis.settings(
    max_examples=4,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=_SLOW_IS_FINE,
    phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
)
def test_no_answer_is_a_500_or_outside_of_the_document(case: Any, appliance: RunningAppliance) -> None:
    response = case.call(base_url=appliance.url, headers={"authorization": f"Bearer {appliance.admin_key}"})
    assert response.status_code < 500 or response.status_code == 503, response.text
    case.validate_response(
        response,
        checks=[
            status_code_conformance,
            content_type_conformance,
            response_schema_conformance,
            response_headers_conformance,
        ],
    )
