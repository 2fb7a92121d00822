"""The OpenAPI document: what the framework knows of the routes, completed by what it cannot know.

Promises: every route has its parameters, bodies, answers, error statuses, the scope it needs, and a name for SDKs. Schemas are made by
msgspec, whose types decode and encode the bodies, so that document and behaviour cannot differ.
Does not: look anything up at run time; it is made once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

import msgspec
from litestar import Litestar, Response
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute

from tallystick.decode import MEDIA_TYPES
from tallystick.event import EVENTS_PER_REQUEST_MAX
from tallystick.reconcile.claims import CLAIMS_MAX

from .auth import RouteRule
from .events.schemas import EventIn, IngestProblem
from .openapi_examples import EVENT_BODIES, LIST_BODIES, REQUEST_EXAMPLES
from .problem import MEDIA_TYPE as PROBLEM
from .problem import Problem, title_of
from .reconcile.schemas import ClaimIn
from .settings import Settings

Json = dict[str, Any]  # Any: a JSON document
_TEMPLATE = "#/components/schemas/{name}"
_RETRY_AFTER: Json = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}}
_SECURITY_SCHEMES: Json = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "An API key as a bearer token."},
    "apiKey": {
        "type": "apiKey",
        "in": "header",
        "name": "X-API-Key",
        "description": "The same key in a header of its own.",
    },
}
_FILTER: Json = {
    "name": "filter",
    "in": "query",
    "required": False,
    "style": "deepObject",
    "explode": True,
    "description": "`filter[NAME]=value`: only events whose property NAME (or `customer`) has this value; repeated, any of them.",
    "schema": {"type": "object", "additionalProperties": {"type": "string"}},
}
_PROPERTIES: Json = _FILTER | {
    "name": "properties",
    "description": "`properties[NAME]=value`: a property of what is to be served, as text. Limits of something else are left out.",
}
# Parameters that the framework cannot declare, since their names are the sender's.
_NAMED_VALUES: Json = {"getMeterUsage": _FILTER, "explainMeterUsage": _FILTER, "getAllowance": _PROPERTIES}


def build_document(app: Litestar, settings: Settings) -> Json:
    """Return the document as plain JSON values."""
    document = cast("Json", msgspec.json.decode(msgspec.json.encode(app.openapi_schema.to_schema())))
    handlers = {handler.operation_id: handler for handler in _handlers(app) if isinstance(handler.operation_id, str)}
    document["components"] = {"schemas": _schemas(handlers.values()), "securitySchemes": _SECURITY_SCHEMES}
    for methods in document["paths"].values():
        for operation in methods.values():
            handler = handlers[operation["operationId"]]
            _complete(operation, handler, settings)
    return document


def _handlers(app: Litestar) -> Iterator[HTTPRouteHandler]:
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            yield from (handler for handler in route.route_handlers if handler.resolve_include_in_schema())


def _schemas(handlers: Any) -> Json:  # Any: a view of handlers
    types: list[Any] = [Problem, IngestProblem, EventIn, ClaimIn]  # Any: types
    for handler in handlers:
        signature = handler.parsed_fn_signature
        fields = [signature.return_type, *([data] if (data := signature.parameters.get("data")) else [])]
        for field in fields:
            annotation = (
                field.inner_types[0].annotation
                if field.is_subclass_of(Response) and field.inner_types
                else field.annotation
            )
            if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
                types.append(annotation)
    _, components = msgspec.json.schema_components(types, ref_template=_TEMPLATE)
    return cast("Json", _with_numbers(components))


def _with_numbers(schema: Any) -> Any:  # Any: a JSON value
    """Return the schema with decimals as what is taken for them: msgspec says that they are strings, and reads numbers too."""
    if isinstance(schema, list):
        return [_with_numbers(each) for each in cast("list[Any]", schema)]  # Any: as above
    if not isinstance(schema, dict):
        return schema
    changed = {name: _with_numbers(each) for name, each in cast("Json", schema).items()}
    if changed.get("format") == "decimal":
        del changed["format"]
        changed["type"] = ["number", "string"]
    return changed


def _complete(operation: Json, handler: HTTPRouteHandler, settings: Settings) -> None:
    rule = cast("RouteRule", handler.opt["rule"])
    name = operation["operationId"]
    has_body = "requestBody" in operation or name in {"ingestEvents", "resubmitQuarantined", "reconcile"}
    takes_input = has_body or bool(operation.get("parameters"))
    is_open = rule.scope is None or (name == "getMetrics" and settings.metrics_open)
    operation["security"] = [] if is_open else [{"bearer": []}, {"apiKey": []}]
    if rule.scope is not None:
        operation["x-scope"] = rule.scope.value
        operation["description"] = (
            f"{operation.get('description', '')}\n\nNeeds a key with the scope `{rule.scope.value}`.".strip()
        )
    errors = set(rule.errors)
    if rule.scope is not None:
        errors |= {503}
    if not is_open:
        errors |= {401, 403, 429}
    if takes_input:
        errors |= {400}
    if has_body:
        errors |= {408, 413, 415}
    responses = operation["responses"] = {
        status: response for status, response in operation["responses"].items() if status.startswith("2")
    }
    for status in sorted(errors):
        responses[str(status)] = _problem_response(status)
    for response in responses.values():
        response.setdefault("headers", {})["x-request-id"] = {
            "description": "Names the request in the log.",
            "schema": {"type": "string"},
        }
    _particular(name, operation, settings)
    if name in REQUEST_EXAMPLES:
        for content in operation["requestBody"]["content"].values():
            content["example"] = REQUEST_EXAMPLES[name]


def _particular(name: str, operation: Json, settings: Settings) -> None:
    responses = operation["responses"]
    if name in _NAMED_VALUES:
        operation["parameters"].append(_NAMED_VALUES[name])
    match name:
        case "ingestEvents":
            operation["requestBody"] = _event_body(EVENT_BODIES, required=True, several=True)
            operation["parameters"] = [_content_encoding(settings)]
            responses["422"] = _ingest_problem()
        case "resubmitQuarantined":
            operation["requestBody"] = _event_body(EVENT_BODIES, required=False, several=False)
            responses["422"] = _ingest_problem()
        case "reconcile":
            operation["requestBody"] = _list_body()
            operation["parameters"].append(_content_encoding(settings))
        case "getMeterUsage" | "previewMeter":
            responses["200"]["content"]["text/csv"] = {"schema": {"type": "string"}}
        case "updateCustomer" | "updateMeter" | "updateSignal":
            content = operation["requestBody"]["content"]
            content["application/merge-patch+json"] = content["application/json"]
        case "streamEvents":
            responses["200"]["content"] = {"text/event-stream": {"schema": {"type": "string"}}}
        case "getMetrics":
            responses["200"]["content"] = {"text/plain": {"schema": {"type": "string"}}}
        case _:
            pass


def _problem_response(status: int) -> Json:
    response: Json = {
        "description": title_of(status),
        "content": {PROBLEM: {"schema": {"$ref": _TEMPLATE.format(name="Problem")}}},
    }
    if status in {429, 503}:
        response["headers"] = dict(_RETRY_AFTER)
    if status == 401:  # noqa: PLR2004 - the one status with a challenge
        response["headers"] = {"WWW-Authenticate": {"schema": {"type": "string"}}}
    return response


def _ingest_problem() -> Json:
    return {
        "description": "Every event was rejected; each has its code and its reason.",
        "content": {PROBLEM: {"schema": {"$ref": _TEMPLATE.format(name="IngestProblem")}}},
    }


def _content_encoding(settings: Settings) -> Json:
    return {
        "name": "Content-Encoding",
        "in": "header",
        "required": False,
        "description": f"At most {settings.body_bytes_max:,} bytes, before and after decompression.",
        "schema": {"type": "string", "enum": ["identity", "gzip", "zstd"]},
    }


def _event_body(examples: Mapping[str, Any], *, required: bool, several: bool) -> Json:  # Any: example values
    event: Json = {"$ref": _TEMPLATE.format(name="EventIn")}
    batch: Json = {"type": "array", "items": event, "maxItems": EVENTS_PER_REQUEST_MAX}
    schemas: dict[str, Json] = {
        "application/json": {"oneOf": [event, batch]} if several else event,
        "application/x-ndjson": {"type": "string", "description": "One JSON event a line."},
        "application/msgpack": {"description": "One event, or an array of events, as in JSON."},
        "application/cloudevents+json": {
            "type": "object",
            "description": "CloudEvents 1.0: `subject` is the customer, `data` the properties.",
        },
        "application/cloudevents-batch+json": {"type": "array", "items": {"type": "object"}},
    }
    return {
        "required": required,
        "content": {
            media_type: {"schema": schemas[media_type]}
            | ({"example": examples[media_type]} if media_type in examples else {})
            for media_type in MEDIA_TYPES
        },
    }


def _list_body() -> Json:
    item: Json = {
        "anyOf": [
            {"$ref": _TEMPLATE.format(name="EventIn")},
            {"$ref": _TEMPLATE.format(name="ClaimIn")},
            {"type": "string", "description": "An id."},
        ]
    }
    schemas: dict[str, Json] = {
        "application/json": {"type": "array", "items": item, "maxItems": CLAIMS_MAX},
        "application/x-ndjson": {"type": "string", "description": "One item a line."},
    }
    return {
        "required": True,
        "content": {
            media_type: {"schema": schema, "example": LIST_BODIES[media_type]} for media_type, schema in schemas.items()
        },
    }
